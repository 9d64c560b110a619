"""`manage.py verify`: every check that CI runs, in order, with a table at the end; fails at the end, not at the first.

Runs inside `.venv` with the development packages. Django is imported only by the steps' own processes. Steps that only
read the source run two at a time; the test suites run one after the other, each on two processes. The live tests wait
much: what they leave of the machine is the simulator's, at a low priority. Tests that measure time run alone.
"""

from __future__ import annotations

import argparse
import base64
import ctypes.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from backend.bootstrap import ROOT as ROOT_NAME

ROOT = Path(ROOT_NAME)
OPENAPI = ROOT / "docs" / "openapi.yaml"
# A browser sees the same pages on either database; what touches none has run on SQLite.
MARKS_POSTGRES = "not live and not browser and not no_database"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Step:
    """One check: commands that must all succeed. A run of the product (`is_suite`) may use the whole machine.

    One that runs `beside` another suite takes what that leaves of the machine.
    """

    name: str
    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_suite: bool = False
    beside: str = ""
    hint: str = ""


@dataclass
class Outcome:
    """How a step ended."""

    step: Step
    passed: bool
    seconds: float
    last_line: str


def main(arguments: Sequence[str]) -> int:
    """Run the chosen steps and give 0 when all passed."""
    with tempfile.TemporaryDirectory(prefix="haidang-verify-") as scratch:
        steps = all_steps(Path(scratch))
        options = _options(arguments, steps)
        if options.list:
            print("\n".join(step.name for step in steps))
            return 0
        chosen = [step for step in steps if not options.only or step.name in options.only]
        start = time.monotonic()
        if any(step.is_suite for step in chosen):
            bring_programs()
        outcomes = run_steps(chosen)
        return report(outcomes, time.monotonic() - start)


def all_steps(scratch: Path) -> list[Step]:
    """Give every step in order; `scratch` takes what a step writes."""
    python, bin_dir = sys.executable, Path(sys.prefix) / "bin"
    manage = [python, str(ROOT / "manage.py")]
    lenient = {"HAIDANG_DEBUG": "1", "HAIDANG_DATA_DIR": str(scratch)}
    production = {
        "HAIDANG_DATA_DIR": str(scratch),
        "HAIDANG_SECRET_KEY": "kiểm-tra-" + "0123456789abcdef" * 4,
        "HAIDANG_ALLOWED_HOSTS": "haidang.example.vn",
        "HAIDANG_PUBLIC_URL": "https://haidang.example.vn",
        "HAIDANG_DATABASE_URL": "postgresql://haidang@127.0.0.1/haidang",
        "HAIDANG_SERVER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "HAIDANG_WITNESS_DIR": str(scratch),
    }
    schema = scratch / "openapi.yaml"
    spectacular = [
        "spectacular",
        "--validate",
        "--fail-on-warn",
        "--api-version",
        "v1",
        "--file",
        str(schema),
    ]
    return [
        Step("format", [[str(bin_dir / "ruff"), "format", "--check"]]),
        Step("lint", [[str(bin_dir / "ruff"), "check"]]),
        Step("types", [[str(bin_dir / "mypy")]]),
        Step("imports", [[str(bin_dir / "lint-imports"), "--no-logo"]]),
        Step("migrations", [[*manage, "makemigrations", "--check", "--dry-run"]], lenient),
        Step("deploy", [[*manage, "check", "--deploy", "--fail-level", "WARNING"]], production),
        Step(
            "openapi",
            [[*manage, *spectacular], ["diff", "-u", str(OPENAPI), str(schema)]],
            lenient,
            hint="A change that is meant: manage.py spectacular --api-version v1 --file docs/openapi.yaml",
        ),
        *_phone_app(python),
        *_suites(python, scratch / "blank"),
    ]


def _phone_app(python: str) -> list[Step]:
    """Give the steps of the officers' phone app: its types, its own tests, its build within the size limits."""
    app = [python, "-m", "backend.phone_app"]
    return [
        Step("field-types", [[*app, "--run", "tsc", "--noEmit"]]),
        Step("field-tests", [[*app, "--run", "vitest", "run"]]),
        Step("field-build", [[*app, "--budget"]]),
    ]


def _suites(python: str, blank: Path) -> list[Step]:
    """Give the steps that run the product: the tests on both databases, on live processes, and the simulator.

    They share the empty databases in `blank`, which the first of them makes by a true `migrate`.
    """
    sqlite, postgres = (
        {"HAIDANG_TEST_DB": kind, "HAIDANG_TEST_BLANK": str(blank)} for kind in ("sqlite", "postgres")
    )
    pytest = [python, "-m", "pytest", "-q", "--tb=short"]
    parallel = [*pytest, "-n", "2", "--dist", "worksteal"]
    by_file = [*pytest, "-n", "2", "--dist", "loadfile", "-m", "live and not alone"]
    simulate = [python, "-m", "tests.simulation"]
    two = [*simulate, "--examples", "200", "--workers", "2"]
    few = [*simulate, "--examples", "30", "--workers", "2"]
    return [
        Step("tests-sqlite", [[*parallel, "-m", "not live"]], sqlite, is_suite=True),
        Step("tests-postgres", [[*parallel, "-m", MARKS_POSTGRES]], postgres, is_suite=True),
        Step("tests-live", [by_file], sqlite, is_suite=True),
        Step("simulation-sqlite", [two], sqlite, is_suite=True, beside="tests-live"),
        Step("simulation-postgres", [few], postgres, is_suite=True, beside="tests-live"),
        Step("tests-alone", [[*pytest, "-m", "live and alone"]], sqlite, is_suite=True),
    ]


def run_steps(steps: Sequence[Step]) -> list[Outcome]:
    """Run the reading steps two at a time, then the suites one by one, each with what runs beside it; in this order."""
    lock = threading.Lock()
    names = {step.name for step in steps}
    reading = [step for step in steps if not step.is_suite]
    with ThreadPoolExecutor(max_workers=2) as pool:
        outcomes = list(pool.map(lambda step: run_step(step, lock), reading))
    for step in steps:
        if step.is_suite and step.beside not in names:
            guests = [_as_guest(other) for other in steps if other.beside == step.name]
            outcomes += _run_together(step, guests, lock)
    return outcomes


def _as_guest(step: Step) -> Step:
    """Give a suite as it runs beside another one: it waits for the other, and does not speak in between."""
    return replace(
        step, commands=[["nice", "-n", "10", *command] for command in step.commands], is_suite=False
    )


def _run_together(step: Step, guests: Sequence[Step], lock: threading.Lock) -> list[Outcome]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        beside = pool.submit(lambda: [run_step(guest, lock) for guest in guests])
        return [run_step(step, lock), *beside.result()]


def run_step(step: Step, lock: threading.Lock) -> Outcome:
    """Run one step; a suite's output is shown as it comes, another step's in one piece when it ends."""
    start = time.monotonic()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **step.environment}
    if step.is_suite:
        print(f"\n=== {step.name} ===", flush=True)
    lines: list[str] = []
    passed = all(_run(command, environment, lines, live=step.is_suite) == 0 for command in step.commands)
    if not passed and step.hint:
        lines.append(step.hint)
    seconds = time.monotonic() - start
    last = next((line for line in reversed(lines) if line.strip()), "")
    with lock:
        if not step.is_suite:
            print(f"\n=== {step.name} ===\n" + "\n".join(lines))
        print(f"--- {step.name}: {'passed' if passed else 'FAILED'} in {seconds:.1f} s", flush=True)
    return Outcome(step, passed, seconds, last)


def _run(command: Sequence[str], environment: Mapping[str, str], lines: list[str], *, live: bool) -> int:
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
            if live:
                print(line, end="", flush=True)
    return process.returncode


def report(outcomes: Sequence[Outcome], seconds: float) -> int:
    """Print the table and pytest's closing lines; give the exit status."""
    width = max(len(outcome.step.name) for outcome in outcomes)
    print("\n=== result ===")
    for outcome in outcomes:
        print(
            f"{outcome.step.name:<{width}}  {'passed' if outcome.passed else 'FAILED':<6}  {outcome.seconds:6.1f} s"
        )
    failed = [outcome.step.name for outcome in outcomes if not outcome.passed]
    print(f"{'total':<{width}}  {'FAILED' if failed else 'passed':<6}  {seconds:6.1f} s")
    if failed:
        print("Run one step alone: python3 manage.py verify --only " + failed[0])
    for outcome in outcomes:
        if outcome.step.is_suite or outcome.step.beside:
            print(f"{outcome.step.name}: {outcome.last_line}")
    return 1 if failed else 0


def bring_programs() -> None:
    """Install what tests need beside Python where CI runs as root on a Debian without it.

    Elsewhere nothing is installed: what needs a missing program is skipped, and the end of the run says so.
    """
    missing = [package for package, is_here in _packages().items() if not is_here]
    if not missing:
        return
    apt = shutil.which("apt-get")
    if os.environ.get("CI") != "true" or os.geteuid() != 0 or apt is None:
        for package in missing:
            print(f"NO {package.upper()} ON THIS MACHINE: {_NEEDED_FOR[package]}", flush=True)
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        [apt, "-q", "update"],
        [apt, "-q", "install", "-y", "--no-install-recommends", *missing],
    ):
        print("$ " + " ".join(command), flush=True)
        subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)


_NEEDED_FOR = {
    "chromium": "the pages will not be tested in a browser.",
    "libatomic1": "Playwright's driver may not start.",
    "strace": "the writer of photos will not be tested against a failing disk.",
}


def _packages() -> dict[str, bool]:
    """Tell which Debian packages' programs and libraries are here, under whatever name."""
    has_chromium = os.environ.get("CHROMIUM") or any(shutil.which(name) for name in CHROMIUM_NAMES)
    return {
        "chromium": bool(has_chromium),
        "libatomic1": shutil.which("apt-get") is None or ctypes.util.find_library("atomic") is not None,
        "strace": shutil.which("strace") is not None,
    }


def _options(arguments: Sequence[str], steps: Sequence[Step]) -> argparse.Namespace:
    names = [step.name for step in steps]
    parser = argparse.ArgumentParser(prog="manage.py verify", description="Run every check that CI runs.")
    parser.add_argument(
        "--only", action="append", choices=names, metavar="STEP", help="run this step; repeatable"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the steps")
    return parser.parse_args(arguments)
