"""Makes `.venv` hold exactly the pinned packages and runs the command inside it; standard library only.

`manage.py` calls `ensure` before it imports anything else. A stamp over the lock files makes every later start cost a
few milliseconds; for the same reason the file does without pathlib and imports late. Nothing here knows Django. It
must stay readable by old interpreters (no `match`, no `|` at run time), so that they are refused with a sentence and
not with a syntax error.
"""

from __future__ import annotations

import os
import sys
from os.path import exists, join, realpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from subprocess import CompletedProcess

ROOT = os.path.dirname(os.path.dirname(realpath(__file__)))
OLDEST_PYTHON = (3, 11)
RUNTIME = "runtime"
DEV = "dev"
LOCK_FILES = {RUNTIME: ("requirements.txt",), DEV: ("requirements.txt", "requirements-dev.txt")}
UV_LOCK = "backend/uv-requirements.txt"
STAMP = "haidang-stamp"
UNFINISHED = "haidang-unfinished"
LOCK = "haidang-lock"
_UNREACHABLE = (
    "could not find a version",
    "no matching distribution",
    "connection",
    "timed out",
    "failed to fetch",
    "error sending request",
    "name resolution",
    "dns error",
)


class SetupFailed(Exception):
    """The environment cannot be made; the text says why and what to do about it."""


def ensure(level: str) -> None:
    """Return inside `.venv` with the packages of `level` (`RUNTIME` or `DEV`), re-executing this command if need be."""
    venv = join(ROOT, ".venv")
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Hải Đăng needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")
    installed = False
    try:
        if not is_ready(ROOT, level):
            prepare(ROOT, level)
            installed = True
    except SetupFailed as failure:
        sys.exit(f"\nHải Đăng cannot set itself up.\n{failure}")
    except KeyboardInterrupt:
        sys.exit("\nSet-up interrupted; the next start begins it anew.")
    keep_bytecode()
    if installed or sys.prefix != venv:
        os.environ.pop("PYTHONHOME", None)  # it would point the new interpreter away from `.venv` again
        os.execv(python_of(venv), [python_of(venv), *sys.orig_argv[1:]])


def keep_bytecode() -> None:
    """Keep compiled modules in `.venv` where the environment forbids them beside the sources.

    Without any, each process that a run of the tests or the demo starts would compile all of Django for itself.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", join(ROOT, ".venv", "bytecode"))
        sys.dont_write_bytecode = False


def is_ready(root: str, level: str) -> bool:
    """Tell from the stamp alone whether `.venv` holds the current pins of `level`; takes about a millisecond."""
    stamp = read_stamp(join(root, ".venv"))
    return bool(stamp) and stamp == {**stamp, **_identity(root, level)}


def prepare(root: str, level: str) -> None:
    """Install the packages of `level`, or of the level that was there before if that was more.

    One process at a time does it; others wait and find it done. An installation that was cut short leaves a mark, and
    the next one starts from an empty directory.
    """
    import fcntl

    venv = join(root, ".venv")
    os.makedirs(venv, exist_ok=True)
    with open(join(venv, LOCK), "wb") as handle:
        os.set_inheritable(handle.fileno(), True)  # noqa: FBT003  an installer that outlives this process keeps the lock
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell("Another start is setting up the same directory; waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        if not is_ready(root, level):
            was_dev = DEV in read_stamp(venv) or exists(join(venv, "bin", "pytest"))
            _install(root, DEV if was_dev else level)


def python_of(venv: str) -> str:
    """Give the interpreter of `venv`."""
    return join(venv, "bin", "python")


def read_stamp(venv: str) -> dict[str, str]:
    """Read what `.venv` says it holds; empty when it says nothing."""
    try:
        with open(join(venv, STAMP), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _install(root: str, level: str) -> None:
    import time

    venv = join(root, ".venv")
    _tell(f"Setting up {venv} ({level} packages) ...")
    start = time.monotonic()
    if not _is_sound(venv):
        _create(venv)
    open(join(venv, UNFINISHED), "wb").close()
    if exists(join(venv, STAMP)):
        os.unlink(join(venv, STAMP))
    _install_uv(root)
    _sync(root, level)
    _write_stamp(root, level)
    os.unlink(join(venv, UNFINISHED))
    _tell(f"Set-up finished in {time.monotonic() - start:.1f} s.")


def _write_stamp(root: str, level: str) -> None:
    venv = join(root, ".venv")
    said = _identity(root, RUNTIME)
    if level == DEV:
        said.update(_identity(root, DEV))
    new = join(venv, STAMP + ".new")
    with open(new, "w", encoding="utf-8") as file:
        file.writelines(f"{key}={value}\n" for key, value in said.items())
    os.replace(new, join(venv, STAMP))


def _identity(root: str, level: str) -> dict[str, str]:
    """Say what must be true: the pins, where the environment lies, and which Python it was made with."""
    import hashlib

    venv = join(root, ".venv")
    digest = hashlib.sha256()
    for name in (UV_LOCK, *LOCK_FILES[level]):
        try:
            with open(join(root, name), "rb") as file:
                digest.update(file.read())
        except OSError as problem:
            raise SetupFailed(f"{join(root, name)} cannot be read: {problem.strerror}.") from None
    return {"venv": venv, "python": realpath(python_of(venv)), level: digest.hexdigest()}


def _is_sound(venv: str) -> bool:
    """Tell whether `.venv` can be brought up to date in place: whole, of a fit Python, not moved, with pip."""
    stamp = read_stamp(venv)
    if exists(join(venv, UNFINISHED)) or stamp.get("venv", venv) != venv:
        return False
    if stamp and stamp["python"] != realpath(python_of(venv)):
        return False
    probe = f"import sys, pip; sys.exit(sys.version_info < {OLDEST_PYTHON!r} or sys.prefix != {venv!r})"
    try:
        return _run([python_of(venv), "-I", "-c", probe]).returncode == 0
    except OSError:
        return False


def _create(venv: str) -> None:
    import importlib.util
    import shutil

    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SetupFailed(
            "This Python has no `venv` module with pip. On Debian and Ubuntu:  apt-get install python3-venv\n"
            "Then run the same command again."
        )
    for child in list(os.scandir(venv)):
        if child.is_dir(follow_symlinks=False):
            shutil.rmtree(child.path)
        elif child.name != LOCK:
            os.unlink(child.path)
    base = realpath(sys.executable)
    done = _run([base, "-I", "-m", "venv", venv])
    if done.returncode != 0:
        raise SetupFailed(f"`{base} -m venv {venv}` failed:\n{_tail(done)}")


def _install_uv(root: str) -> None:
    pins = join(root, UV_LOCK)
    with open(pins, encoding="utf-8") as file:
        wanted = next(line.split()[0] for line in file if line.startswith("uv=="))
    try:
        have = _run([join(root, ".venv", "bin", "uv"), "--version"]).stdout.split()
    except OSError:
        have = []
    if "==".join(have[:2]) != wanted:
        done = _pip(root, "-r", pins)
        if done.returncode != 0:
            raise SetupFailed(_explain(done))


def _sync(root: str, level: str) -> None:
    """Install the pins with uv; where only pip knows the way to the package index, with pip."""
    files = [join(root, name) for name in LOCK_FILES[level]]
    uv = [join(root, ".venv", "bin", "uv"), "pip", "sync", "--require-hashes", "--no-build", "--no-progress"]
    done = _run([*uv, "--python", python_of(join(root, ".venv")), *files], _uv_environment(os.environ))
    if done.returncode == 0:
        return
    if not _is_unreachable(done):
        raise SetupFailed(_explain(done))
    _tell("uv does not reach the package index; trying pip, which takes longer ...")
    done = _pip(root, *(part for name in files for part in ("-r", name)))
    if done.returncode != 0:
        raise SetupFailed(_explain(done))


def _uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Let uv see the index and the certificates that the machine's owner configured for pip."""
    result = {
        key: value for key, value in environ.items() if key not in {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}
    }
    for theirs, ours in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_CERT", "SSL_CERT_FILE")):
        if theirs in result:
            result.setdefault(ours, result[theirs])
    return result


def _pip(root: str, *arguments: str) -> CompletedProcess[str]:
    pip = [python_of(join(root, ".venv")), "-I", "-m", "pip", "install", "--disable-pip-version-check"]
    strict = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--retries", "2"]
    return _run([*pip, *strict, *arguments], {**os.environ, "PIP_USER": "0"})


def _run(command: Sequence[str], environ: Mapping[str, str] | None = None) -> CompletedProcess[str]:
    import subprocess

    return subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        close_fds=False,  # the lock goes along
    )


def _is_unreachable(done: CompletedProcess[str]) -> bool:
    said = done.stdout.lower()
    return "hash mismatch" not in said and any(sign in said for sign in _UNREACHABLE)


def _explain(done: CompletedProcess[str]) -> str:
    if _is_unreachable(done):
        return (
            "The package index cannot be reached, or lacks a pinned version. Needed: https access to pypi.org, or\n"
            "PIP_INDEX_URL naming a mirror, or HTTPS_PROXY naming a proxy. The installer said:\n"
            + _tail(done)
        )
    return "The pinned packages could not be installed. The installer said:\n" + _tail(done)


def _tail(done: CompletedProcess[str]) -> str:
    return "\n".join("    " + line for line in done.stdout.strip().splitlines()[-12:])


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
