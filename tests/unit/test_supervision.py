"""The supervisor with small programs: restart with back-off, an orderly end, nothing left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from backend.supervision import Program, Supervisor, pause_after

SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
BROKEN = "raise SystemExit('broken')"
PARENT_OF_ONE = (
    "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    " print(c.pid, flush=True); time.sleep(60)"
)


@pytest.fixture
def news() -> list[str]:
    """What the supervisor told."""
    return []


@pytest.fixture
def supervise(tmp_path: Path, news: list[str]) -> Iterator[Callable[..., Supervisor]]:
    """Make a supervisor of Python one-liners and start it; ended after the test."""
    made: list[Supervisor] = []

    def make(**sources: str) -> Supervisor:
        programs = [
            Program(name, [sys.executable, "-c", source], os.environ, tmp_path)
            for name, source in sources.items()
        ]
        made.append(Supervisor(programs, log_dir=tmp_path / "logs", tell=news.append))
        made[-1].start()
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.end(grace=1)


def _until(condition: Callable[[], object], *, tending: Supervisor | None = None) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within ten seconds"
        if tending:
            tending.tend()
        time.sleep(0.01)


def _pid(supervisor: Supervisor, name: str) -> int:
    process = supervisor.children[name].process
    return process.pid if process else 0


def test_the_pause_doubles_up_to_a_limit() -> None:
    assert [pause_after(deaths) for deaths in (1, 2, 3, 4, 20)] == [0.5, 1.0, 2.0, 4.0, 30.0]


def test_a_killed_program_starts_again_and_is_reported(
    supervise: Callable[..., Supervisor], news: list[str]
) -> None:
    supervisor = supervise(web=SLEEP, worker=SLEEP)
    first, other = _pid(supervisor, "web"), _pid(supervisor, "worker")
    os.kill(first, signal.SIGKILL)
    _until(lambda: _pid(supervisor, "web") not in {0, first}, tending=supervisor)
    assert _pid(supervisor, "worker") == other
    assert len(news) == 1
    assert "web ended (killed by SIGKILL); it starts again in 0.5 s" in news[0]


def test_a_program_that_cannot_run_is_tried_ever_more_rarely(
    supervise: Callable[..., Supervisor], news: list[str]
) -> None:
    supervisor = supervise(worker=BROKEN)
    _until(lambda: len(news) == 2, tending=supervisor)
    assert "exit status 1" in news[0]
    assert "0.5 s" in news[0]
    assert "1.0 s" in news[1]
    assert "broken" in supervisor.children["worker"].log_tail()


def test_what_a_killed_program_leaves_behind_is_killed(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(parent=PARENT_OF_ONE)
    log = supervisor.children["parent"].log
    _until(lambda: log.read_text().strip())
    orphan = int(log.read_text())
    os.kill(_pid(supervisor, "parent"), signal.SIGKILL)
    _until(lambda: not _is_alive(orphan), tending=supervisor)


def test_the_end_takes_even_what_does_not_listen(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(deaf=STUBBORN, parent=PARENT_OF_ONE)
    log = supervisor.children["parent"].log
    _until(lambda: log.read_text().strip() and "deaf" in supervisor.children["deaf"].log_tail())
    family = [_pid(supervisor, "deaf"), _pid(supervisor, "parent"), int(log.read_text())]
    supervisor.end(grace=0.3)
    _until(lambda: not any(_is_alive(pid) for pid in family))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only the Linux kernel does this")
def test_programs_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path; from backend.supervision import *\n"
        f"p = Program('web', [sys.executable, '-c', {SLEEP!r}], os.environ, Path('.'))\n"
        f"s = Supervisor([p], log_dir=Path({str(tmp_path)!r}), tell=print); s.start()\n"
        "print(s.children['web'].process.pid, flush=True); time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[2]
    parent = psutil.Popen([sys.executable, "-c", script], cwd=root, stdout=-1, text=True)
    with parent.stdout:
        child = int(parent.stdout.readline())
    assert _is_alive(child)
    parent.kill()
    parent.wait()
    _until(lambda: not _is_alive(child))


def _is_alive(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
