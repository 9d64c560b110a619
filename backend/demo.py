"""`manage.py demo`: the whole product with demo data on this machine, until Ctrl-C.

One parent that never imports Django looks after the web server, the Celery worker and Celery beat (`supervision`).
Everything is kept in the data directory: database, photos, logs, the generated secret key.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import fcntl
import hashlib
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.bootstrap import ROOT as ROOT_NAME
from backend.supervision import Program, Supervisor, end_processes, spawn, stop_signals

ROOT = Path(ROOT_NAME)
SECONDS_TO_START = 30.0
SECONDS_TO_END = 6.0  # unfinished tasks are done again at the next start
EVERY_INTERFACE = {"0.0.0.0", "::"}  # noqa: S104  asked for by the person who starts it


class DemoFailed(Exception):
    """The demo cannot start or go on; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Run the demo until a signal ends it; 0 then, 1 when it could not start."""
    options = _options(arguments)
    data = Path(options.data).resolve()
    try:
        with stop_signals() as stop, _alone_in(data):
            port = _choose_port(options.host, options.port)
            _run(Demo(data, options.host, port), options.ready_file, stop)
    except DemoFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    return 0


class Demo:
    """One demo: where its data lies, at which address it answers, and the programs it consists of."""

    def __init__(self, data: Path, host: str, port: int) -> None:
        self.data, self.host, self.port = data, host, port
        local = "127.0.0.1" if host in EVERY_INTERFACE else host
        self.local = local
        self.url = _url(local, port)
        self.phone_url = _url(_lan_address(), port) if host in EVERY_INTERFACE else self.url

    def environment(self) -> dict[str, str]:
        """Give the environment of every program of the demo."""
        hosts = {"localhost", "127.0.0.1", "[::1]", socket.gethostname(), self.host, _lan_address()}
        return {
            "MALLOC_ARENA_MAX": "2",  # docs/operations.md, memory of the web
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "HAIDANG_ALLOWED_HOSTS": ",".join(sorted(hosts - EVERY_INTERFACE)),
            "HAIDANG_DATA_DIR": str(self.data),
            "HAIDANG_HTTPS": "0",
            "HAIDANG_LOG_FORMAT": "console",
            "HAIDANG_PUBLIC_URL": self.phone_url,
            "PYTHONUNBUFFERED": "1",
        }

    def programs(self) -> list[Program]:
        """Give the programs that run until the demo ends."""
        address = ["--host", self.host, "--port", str(self.port)]
        size = [
            "--workers",
            "1",
            "--backlog",
            "4096",
            "--backpressure",
            "4096",
            "--workers-kill-timeout",
            "5",
        ]
        quiet = ["--log-level", "warning", "--no-ws", "--loop", "asyncio"]
        lean = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        schedule = ["--schedule", str(self.data / "celerybeat-schedule"), "--pidfile", ""]
        celery = ["celery", "-A", "backend"]
        return [
            self._program(
                "web", ["granian", "--interface", "rsgi", *address, *size, *quiet, "backend.rsgi:application"]
            ),
            self._program(
                "worker", [*celery, "worker", "--loglevel", "WARNING", "--concurrency", "2", *lean]
            ),
            self._program("beat", [*celery, "beat", "--loglevel", "WARNING", *schedule]),
        ]

    def preparation(self) -> Program:
        """Give the program that makes tables and demo data where they are missing, and an enrolment code."""
        migrate = [] if self.is_prepared() else ["--migrate"]
        seed = [] if (self.data / "demo.json").exists() else ["--seed"]
        return self._program("preparation", ["backend.preparation", *migrate, *seed])

    def is_prepared(self) -> bool:
        """Tell whether an earlier start of this very version made the tables and the demo data."""
        kept = (self.data / "haidang.sqlite3").exists() or "HAIDANG_DATABASE_URL" in os.environ
        stamp = self.data / "demo-stamp"
        return (
            kept and (self.data / "demo.json").exists() and stamp.exists() and stamp.read_text() == _version()
        )

    def answers(self) -> bool:
        """Ask the web server for its health."""
        connection = http.client.HTTPConnection(self.local, self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _program(self, name: str, module: Sequence[str]) -> Program:
        return Program(name, [sys.executable, "-m", *module], self.environment(), ROOT)


def _run(demo: Demo, ready_file: Path | None, stop: threading.Event) -> None:
    start = time.monotonic()
    if ready_file:
        ready_file.unlink(missing_ok=True)
    _write_secrets(demo.data)
    supervisor = Supervisor(demo.programs(), log_dir=demo.data / "logs", tell=_tell)
    quick = demo.is_prepared()
    preparation = spawn(demo.preparation(), output=subprocess.PIPE, errors=sys.stderr.fileno())
    try:
        if quick:
            supervisor.start("web")
        enrolment = _enrolment(preparation, stop)
        if enrolment is None:
            return
        (demo.data / "demo-stamp").write_text(_version())
        supervisor.start()  # the rest only now: two processors have their hands full with the first two
        if not _await_answer(demo, supervisor, stop):
            return
        logins = json.loads((demo.data / "demo.json").read_text())["logins"]
        passwords = {login["username"]: login["password"] for login in logins.values()}
        enrolment.setdefault("password", passwords.get(enrolment["officer"], ""))
        facts = {"url": demo.url, "logins": logins, "enrolment": enrolment}
        if ready_file:
            _write_private(ready_file, json.dumps(facts, ensure_ascii=False, indent=2))
        _present(demo, facts, time.monotonic() - start)
        while not stop.wait(0.25):
            supervisor.tend()
        _tell("Ending ...")
    finally:
        end_processes([preparation], grace=0)
        supervisor.end(grace=SECONDS_TO_END)
        if ready_file:
            ready_file.unlink(missing_ok=True)


def _enrolment(preparation: subprocess.Popen[bytes], stop: threading.Event) -> dict[str, Any] | None:
    """Wait for the preparation and give what it says about the enrolment code; None when told to stop."""
    while preparation.poll() is None:
        if stop.wait(0.02):
            return None
    said = preparation.communicate()[0].decode().strip()
    if preparation.returncode != 0:
        raise DemoFailed("The demo data could not be prepared; the reason stands above.")
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


def _await_answer(demo: Demo, supervisor: Supervisor, stop: threading.Event) -> bool:
    deadline = time.monotonic() + SECONDS_TO_START
    web = supervisor.children["web"]
    while not demo.answers():
        if web.process is None or web.process.poll() is not None or time.monotonic() > deadline:
            raise DemoFailed(f"The web server did not start. The end of {web.log}:\n{web.log_tail()}")
        if stop.wait(0.05):
            return False
    return True


def _present(demo: Demo, facts: Mapping[str, Any], seconds: float) -> None:
    enrolment = facts["enrolment"]
    print(f"\nHải Đăng is running ({seconds:.1f} s).\n")
    print(f"  Console      {demo.url}/console/")
    print(f"  Phone app    {demo.url}/field/")
    print(f"  Phone API    {demo.phone_url}/mobile/v1/docs")
    if demo.phone_url == demo.url:
        print("               (phones in this network reach it after: manage.py demo --host 0.0.0.0)")
    print(f"  Data, logs   {demo.data}\n\nLog-ins")
    for role, login in facts["logins"].items():
        print(f"  {role:<16} {login['username']:<20} {login['password']}")
    print(f"\nEnrolment of a phone for {enrolment['officer']}: code {enrolment['code']}")
    with contextlib.suppress(ImportError):
        import segno  # noqa: PLC0415  only when there is something to show

        link = f"{demo.phone_url}/field/enrol#c={enrolment['code']}"
        segno.make(link, error="m").terminal(compact=True)
    print("\nCtrl-C ends everything.", flush=True)


def _write_secrets(data: Path) -> None:
    """Write the settings file that goes with the data; only its owner may read the key in it."""
    path = data / "haidang.env"
    if not path.exists():
        lines = {
            "HAIDANG_SECRET_KEY": secrets.token_urlsafe(48),
            "HAIDANG_ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            "HAIDANG_HTTPS": "0",
        }
        _write_private(path, "".join(f"{name}={value}\n" for name, value in lines.items()))


def _write_private(path: Path, text: str) -> None:
    """Write a file in one step, readable by its owner only."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.touch(mode=0o600)
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


@contextlib.contextmanager
def _alone_in(data: Path) -> Iterator[None]:
    """Hold the data directory for this process."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / "static").mkdir(exist_ok=True)  # WhiteNoise asks for it even when it serves from the packages
    with (data / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(
                f"A demo is already running on {data}; give this one its own with --data DIR."
            ) from None
        yield


def _choose_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            hint = "Choose another with --port N (0 takes any free one)."
            if problem.errno == errno.EADDRINUSE:
                raise DemoFailed(f"Port {port} on {host} is in use. {hint}") from None
            raise DemoFailed(f"Cannot listen on {host}, port {port}: {problem.strerror}. {hint}") from None
        return int(probe.getsockname()[1])


def _lan_address() -> str:
    """Give the address that other machines of this network know; loopback when there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; asks the kernel which address it would use
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _version() -> str:
    """Give a digest of everything that shapes the tables."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted(ROOT.glob("apps/**/migrations/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py demo", description=__doc__)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for phones in this network"
    )
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 takes any free one")
    default = os.environ.get("HAIDANG_DATA_DIR", str(ROOT / "var"))
    parser.add_argument(
        "--data", metavar="DIR", default=default, help=f"where everything is kept ({default})"
    )
    parser.add_argument(
        "--ready-file", metavar="FILE", type=Path, help="written (JSON) once everything answers"
    )
    return parser.parse_args(arguments)
