"""The bootstrap's decisions, on a project directory of the test's own; nothing is downloaded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from backend import bootstrap
from backend.bootstrap import DEV, RUNTIME, SetupFailed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with lock files and nothing installed."""
    (tmp_path / "backend").mkdir()
    (tmp_path / bootstrap.UV_LOCK).write_text("uv==1.2.3 \\\n    --hash=sha256:0\n")
    for name in bootstrap.LOCK_FILES[DEV]:
        (tmp_path / name).write_text("django==5.2\n")
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, root: Path) -> list[list[str]]:
    """Every command the bootstrap would run; making the environment makes a file for its interpreter."""
    commands: list[list[str]] = []

    def run(command: list[str], environ: object = None) -> CompletedProcess[str]:
        commands.append(command)
        if "venv" in command:
            (root / ".venv" / "bin").mkdir()
            (root / ".venv" / "bin" / "python").touch()
        elif not Path(command[0]).exists():
            raise FileNotFoundError(command[0])
        return CompletedProcess(command, 0, "")

    monkeypatch.setattr(bootstrap, "_run", run)
    return commands


def _allow_uv(root: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake `pip install` bring a uv."""
    plain = bootstrap._run

    def run(command: list[str], environ: object = None) -> CompletedProcess[str]:
        if "pip" in command and "install" in command:
            (root / ".venv" / "bin" / "uv").touch()
        return plain(command)

    monkeypatch.setattr(bootstrap, "_run", run)


def test_installs_once_and_then_trusts_the_stamp(
    root: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _allow_uv(root, runs, monkeypatch)
    assert not bootstrap.is_ready(str(root), RUNTIME)
    bootstrap.prepare(str(root), RUNTIME)
    assert bootstrap.is_ready(str(root), RUNTIME)
    assert not bootstrap.is_ready(str(root), DEV)
    done = len(runs)
    bootstrap.prepare(str(root), RUNTIME)
    assert len(runs) == done


def test_packages_are_installed_with_hashes_only(
    root: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _allow_uv(root, runs, monkeypatch)
    bootstrap.prepare(str(root), DEV)
    installing = [command for command in runs if "install" in command or "sync" in command]
    assert len(installing) == 2
    assert all("--require-hashes" in command for command in installing)
    assert [part for part in installing[-1] if part.endswith(".txt")] == [
        str(root / name) for name in bootstrap.LOCK_FILES[DEV]
    ]


@pytest.mark.parametrize("changed", ["requirements.txt", bootstrap.UV_LOCK])
def test_a_changed_pin_asks_for_an_installation(
    root: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    _allow_uv(root, runs, monkeypatch)
    bootstrap.prepare(str(root), RUNTIME)
    with (root / changed).open("a") as file:
        file.write("# changed\n")
    assert not bootstrap.is_ready(str(root), RUNTIME)


def test_a_developers_environment_keeps_its_tools(
    root: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _allow_uv(root, runs, monkeypatch)
    bootstrap.prepare(str(root), DEV)
    assert bootstrap.is_ready(str(root), RUNTIME)
    (root / "requirements.txt").write_text("django==5.3\n")
    bootstrap.prepare(str(root), RUNTIME)
    assert bootstrap.is_ready(str(root), DEV)


def test_an_installation_cut_short_begins_anew(
    root: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _allow_uv(root, runs, monkeypatch)
    sync = bootstrap._sync
    monkeypatch.setattr(bootstrap, "_sync", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        bootstrap.prepare(str(root), RUNTIME)
    assert not bootstrap.is_ready(str(root), RUNTIME)
    half_installed = root / ".venv" / "half-installed"
    half_installed.touch()
    monkeypatch.setattr(bootstrap, "_sync", sync)
    bootstrap.prepare(str(root), RUNTIME)
    assert not half_installed.exists()
    assert bootstrap.is_ready(str(root), RUNTIME)


def test_of_two_starts_one_installs(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installing, go_on, count = threading.Event(), threading.Event(), []

    def install(where: str, level: str) -> None:
        count.append(level)
        installing.set()
        assert go_on.wait(10)
        bootstrap._write_stamp(where, level)

    monkeypatch.setattr(bootstrap, "_install", install)
    first = threading.Thread(target=bootstrap.prepare, args=(str(root), RUNTIME))
    second = threading.Thread(target=bootstrap.prepare, args=(str(root), RUNTIME))
    first.start()
    assert installing.wait(10)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join(10)
    second.join(10)
    assert count == [RUNTIME]
    assert "waiting" in capsys.readouterr().err


def test_a_python_without_venv_is_told_what_to_install(
    root: Path, runs: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SetupFailed, match="apt-get install python3-venv"):
        bootstrap.prepare(str(root), RUNTIME)


def test_an_unreachable_index_is_said_in_words(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ERROR: No matching distribution found for uv==1.2.3"
    monkeypatch.setattr(bootstrap, "_run", lambda command, environ=None: CompletedProcess(command, 1, said))
    with pytest.raises(SetupFailed, match=r"(?s)cannot be reached.*PIP_INDEX_URL.*No matching distribution"):
        bootstrap._install_uv(str(root))


def test_a_wrong_hash_is_not_taken_for_a_lost_connection(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "error: Failed to fetch: hash mismatch for django==5.2"
    monkeypatch.setattr(bootstrap, "_run", lambda command, environ=None: CompletedProcess(command, 1, said))
    with pytest.raises(SetupFailed, match="could not be installed"):
        bootstrap._sync(str(root), RUNTIME)


def test_an_old_python_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11"):
        bootstrap.ensure(RUNTIME)


def test_the_bootstrap_needs_nothing_but_the_standard_library() -> None:
    program = (
        "import sys; import backend.bootstrap\n"
        "files = {str(getattr(module, '__file__', '')) for module in sys.modules.values()}\n"
        "print([name for name in files if 'site-packages' in name])"
    )
    root = Path(bootstrap.ROOT)
    answer = subprocess.check_output([sys.executable, "-S", "-c", program], cwd=root, text=True)
    assert answer.strip() == "[]"


def test_compiled_modules_are_kept_where_they_are_forbidden_beside_the_sources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Path(bootstrap.ROOT) / ".venv" / "bytecode"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    bootstrap.keep_bytecode()
    assert not sys.dont_write_bytecode
    assert sys.pycache_prefix == str(kept)
    told = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    child = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["False", str(kept)]


def test_compiled_modules_lie_beside_the_sources_where_nothing_forbids_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", None)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    bootstrap.keep_bytecode()
    assert sys.pycache_prefix is None
    assert "PYTHONPYCACHEPREFIX" not in os.environ
