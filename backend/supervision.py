"""Runs programs as children of this process: starts them, starts them again when they die, ends them all.

Knows nothing of the product. Children write to log files, not to the terminal. On Linux the kernel ends them when this
process dies without a chance to do so itself. Call from the main thread: the kernel ties a child to the thread that
started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_AFTER = 60.0
LARGEST_LOG = 5 * 1024 * 1024


@dataclass(frozen=True)
class Program:
    """What to run, and under which name to speak of it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path


def spawn(program: Program, *, output: IO[bytes] | int, errors: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start one program in a session of its own that gets SIGTERM when this process dies."""
    return subprocess.Popen(
        program.command,
        env=dict(program.environment),
        cwd=program.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        start_new_session=True,
        preexec_fn=_die_with_parent(),  # noqa: PLW1509  the supervising process has one thread
    )


def pause_after(deaths: int) -> float:
    """Give the seconds to wait before the next start, after so many deaths in a row."""
    return float(min(FIRST_PAUSE * 2 ** (deaths - 1), LONGEST_PAUSE))


@contextlib.contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Give an event that SIGINT, SIGTERM and SIGHUP set, in place of ending this process."""
    stop = threading.Event()
    caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in caught}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Child:
    """One program with its present process, and how often it died of late."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self._started_at = 0.0
        self._next_start = 0.0

    def start(self) -> None:
        """Start a process; its output goes to the end of the log."""
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = spawn(self.program, output=log, errors=log)
        self._started_at = time.monotonic()

    def tend(self) -> str | None:
        """Notice a death, or start again when the pause is over; tell what happened, if anything."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._next_start:
                self.start()
            return None
        status = self.process.poll()
        if status is None:
            return None
        _kill_session(self.process.pid)  # a killed web server leaves its worker behind, which holds the port
        self.deaths = 1 if now - self._started_at > STEADY_AFTER else self.deaths + 1
        pause = pause_after(self.deaths)
        self.process, self._next_start = None, now + pause
        return f"{self.program.name} ended ({_describe(status)}); it starts again in {pause:.1f} s. See {self.log}"

    def log_tail(self, lines: int = 15) -> str:
        """Give the last lines of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join("    " + line for line in text.splitlines()[-lines:])


class Supervisor:
    """Keeps programs running until told to end them."""

    def __init__(self, programs: Iterable[Program], *, log_dir: Path, tell: Callable[[str], None]) -> None:
        log_dir.mkdir(parents=True, exist_ok=True)
        self.children = {p.name: Child(p, log_dir / f"{p.name}.log") for p in programs}
        self._tell = tell

    def start(self, *names: str) -> None:
        """Start the named programs, or all that do not run yet; returns at once."""
        for name, child in self.children.items():
            if child.process is None and (not names or name in names):
                child.start()

    def tend(self) -> None:
        """Look after every program once."""
        for child in self.children.values():
            if news := child.tend():
                self._tell(news)

    def end(self, *, grace: float) -> None:
        """Ask every program to end, wait for all together, then kill what is left."""
        running = [child.process for child in self.children.values() if child.process]
        end_processes(running, grace=grace)
        for child in self.children.values():
            child.process = None


def end_processes(processes: Sequence[subprocess.Popen[bytes]], *, grace: float) -> None:
    """Send SIGTERM, wait up to `grace` seconds for all of them, and SIGKILL the sessions of the rest."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + grace
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
        _kill_session(process.pid)
        process.wait()


def _kill_session(leader: int) -> None:
    """Kill what a program left behind in its session, and the program with it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _die_with_parent() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def in_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above
            os._exit(1)

    return in_child


def _describe(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
