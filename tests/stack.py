"""The product as it runs: real processes of web server, worker and beat, on a database of their own.

A `Stack` owns one data directory and one database (a SQLite file, or a database on a PostgreSQL server), an optional
Redis and S3. Its processes can be killed at any moment and started again, which is what the tests of the line do.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests import blank
from tests.services import free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 40


class Stack:
    """One deployment under test."""

    def __init__(
        self,
        data: Path,
        *,
        database_url: str = "",
        broker_url: str = "",
        storage: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data
        data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HAIDANG_", "DJANGO_", "PYTEST_"))}
        self.environment = kept | {
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "HAIDANG_DATA_DIR": str(data),
            "HAIDANG_SECRET_KEY": "only-for-the-stack-under-test-" + "0" * 30,
            "HAIDANG_ALLOWED_HOSTS": "127.0.0.1",
            "HAIDANG_HTTPS": "0",
            "HAIDANG_ENROLMENT_MINUTES": "1440",
            "HAIDANG_LOG_LEVEL": "WARNING",
            "HAIDANG_PUSH_PER_MINUTE": "100000",
            **({"HAIDANG_DATABASE_URL": database_url} if database_url else {}),
            **({"HAIDANG_BROKER_URL": broker_url} if broker_url else {}),
            **(storage or {}),
            **(more or {}),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end and give what it printed."""
        return self._run(sys.executable, "-m", "django", *arguments)

    def lay_database(self) -> None:
        """Give it the tables, as a first `migrate` would."""
        blank.lay(self.data, self.environment.get("HAIDANG_DATABASE_URL", ""))

    def seed(self, officers: int = 2, gates: int = 0) -> dict[str, Any]:
        """Make the tables, the cast and two published checklists; gives what tests need to sign in and to enrol.

        Officers serve at one gate; with `gates`, one more serves at each of so many gates.
        """
        self.lay_database()
        printed = self._run(sys.executable, "-m", "tests.seed", str(officers), str(gates))
        told: dict[str, Any] = json.loads(printed.splitlines()[-1])
        return told

    def start_web(self, *, workers: int = 1, threads: int = 16) -> None:
        """Start the web server and wait until it answers."""
        self.environment["HAIDANG_WEB_THREADS"] = str(threads)
        self.environment["MALLOC_ARENA_MAX"] = "2"  # as docs/operations.md has it
        self._start(
            "web",
            *(sys.executable, "-m", "granian", "--interface", "rsgi", "--loop", "asyncio", "--no-ws"),
            *("--host", "127.0.0.1", "--port", str(self.port), "--workers", str(workers)),
            *("--backlog", "4096", "--backpressure", "4096", "--log-level", "warning"),
            "backend.rsgi:application",
        )
        self._await_health()

    def start_worker(self, *, concurrency: int = 1) -> None:
        """Start the worker and beat."""
        common = [sys.executable, "-m", "celery", "-A", "backend.celery"]
        self._start(
            "worker",
            *common,
            *("worker", "--concurrency", str(concurrency), "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        )
        self._start("beat", *common, "beat", "--loglevel", "WARNING")

    def kill(self, name: str) -> None:
        """End a process and its children without warning."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End everything."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 8
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
            _kill_group(process.pid)
            process.wait()
        self.processes.clear()

    def log(self, name: str) -> str:
        """Give the end of what a process wrote."""
        path = self.data / f"{name}.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
        return done.stdout

    def _start(self, name: str, *command: str) -> None:
        with (self.data / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def _await_health(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            assert self.processes["web"].poll() is None, self.log("web")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
            finally:
                connection.close()
        raise AssertionError(f"the web server did not answer:\n{self.log('web')}")


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
