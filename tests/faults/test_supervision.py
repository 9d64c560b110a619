"""`manage.py demo` from outside: what it tells, that nothing outlives it, and that it picks up what dies."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests import blank

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("granian", "worker", "beat")

pytestmark = pytest.mark.live


@dataclass
class RunningDemo:
    """A started demo."""

    data: Path
    process: subprocess.Popen[str]
    facts: dict[str, Any]

    def children(self) -> dict[str, psutil.Process]:
        """Give its direct children by name."""
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                found |= {name: child for name in NAMES if name in child.cmdline()}
        return found

    def descendants(self) -> list[psutil.Process]:
        """Give every process below it."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def is_healthy(self) -> bool:
        """Ask the web server."""
        connection = http.client.HTTPConnection(self.facts["url"].removeprefix("http://"), timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except OSError:
                return False


def _command(data: Path, *more: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "demo", "--data", str(data), *more]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("HAIDANG_")}


def _until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds} seconds"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a few people in it, marked as seeded: the demo's own data would take longer."""
    data = tmp_path_factory.mktemp("demo")
    settings = {
        "HAIDANG_DATA_DIR": str(data),
        "HAIDANG_SECRET_KEY": "0" * 50,
        "HAIDANG_ALLOWED_HOSTS": "localhost",
        "HAIDANG_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "backend.settings",
    }
    blank.lay(data)
    subprocess.run(
        [sys.executable, "-m", "tests.seed"],
        cwd=ROOT,
        env=_environment() | settings,
        check=True,
        stdout=subprocess.PIPE,
    )
    logins = {"leader": {"username": "leader", "password": "for the test"}}
    (data / "demo.json").write_text(json.dumps({"logins": logins}))
    return data


@pytest.fixture
def doomed(data: Path, tmp_path: Path) -> Iterator[RunningDemo]:
    """A demo for the test to end."""
    with _running(data, tmp_path) as demo:
        yield demo


@pytest.fixture(scope="module")
def demo(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A demo that several tests look at; the data directory is its own."""
    own = tmp_path_factory.mktemp("shared") / "data"
    shutil.copytree(data, own)
    with _running(own, own.parent) as demo:
        yield demo


@contextlib.contextmanager
def _running(data: Path, where: Path) -> Iterator[RunningDemo]:
    ready = where / "ready.json"
    with (where / "output").open("w") as output:
        process = subprocess.Popen(
            _command(data, "--port", "0", "--ready-file", str(ready)),
            env=_environment(),
            stdout=output,
            stderr=output,
            text=True,
        )
    try:
        _until(lambda: ready.exists() or process.poll() is not None, 60)
        assert process.poll() is None, (where / "output").read_text()
        running = RunningDemo(data, process, json.loads(ready.read_text()))
        _until(lambda: len(running.children()) == len(NAMES))
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def test_it_tells_where_and_who_and_keeps_its_secret(demo: RunningDemo) -> None:
    assert demo.is_healthy()
    assert demo.facts["logins"]["leader"]["username"] == "leader"
    assert demo.facts["enrolment"]["code"]
    assert demo.facts["enrolment"]["officer"]
    secret = demo.data / "haidang.env"
    assert "HAIDANG_SECRET_KEY=" in secret.read_text()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(doomed: RunningDemo, with_signal: signal.Signals, tmp_path: Path) -> None:
    family = doomed.descendants()
    assert len(family) >= len(NAMES)
    doomed.process.send_signal(with_signal)
    assert doomed.process.wait(30) == 0
    _, alive = psutil.wait_procs(family, timeout=1)
    assert not alive
    assert not (tmp_path / "ready.json").exists()


def test_everything_ends_with_a_killed_parent(doomed: RunningDemo) -> None:
    family = doomed.descendants()
    doomed.process.kill()
    doomed.process.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def test_killed_children_start_again_and_leave_nothing_behind(demo: RunningDemo) -> None:
    before, family = demo.children(), demo.descendants()
    for child in before.values():
        child.kill()
    _until(lambda: demo.children().keys() == before.keys())
    _until(demo.is_healthy)
    after = demo.children()
    assert all(after[name].pid != before[name].pid for name in NAMES)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_a_port_in_use_is_said_with_the_way_out(demo: RunningDemo, tmp_path: Path) -> None:
    port = demo.facts["url"].rpartition(":")[2]
    answer = subprocess.run(
        _command(tmp_path / "other", "--port", port),
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert answer.returncode == 1
    assert f"Port {port} on 127.0.0.1 is in use" in answer.stderr
    assert "--port" in answer.stderr


def test_two_demos_do_not_share_data(demo: RunningDemo) -> None:
    command = _command(demo.data, "--port", "0")
    answer = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, check=False, timeout=30
    )
    assert answer.returncode == 1
    assert "--data" in answer.stderr
    assert demo.is_healthy()
