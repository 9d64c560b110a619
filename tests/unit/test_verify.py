"""How `verify` runs its steps: in order, with guests beside the suite they name, and none of it lost in the table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backend.verify import Step, all_steps, report, run_steps


def step(name: str, code: str, *, beside: str = "", is_suite: bool = True) -> Step:
    return Step(name, [[sys.executable, "-I", "-c", code]], is_suite=is_suite, beside=beside)


def test_a_guest_runs_beside_its_host_and_at_a_lower_priority(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    came = tmp_path / "came"
    meets = (
        f"import pathlib, time\nend, came = time.monotonic() + 30, pathlib.Path({str(came)!r})\n"
        "while not came.exists(): assert time.monotonic() < end; time.sleep(0.01)"
    )
    comes = f"import os, pathlib; pathlib.Path({str(came)!r}).touch(); print('priority', os.nice(0))"
    steps = [
        step("reads", "print('read')", is_suite=False),
        step("host", meets),
        step("guest", comes, beside="host"),
        step("alone", "raise SystemExit(3)"),
    ]
    outcomes = run_steps(steps)
    assert [(o.step.name, o.passed) for o in outcomes] == [
        ("reads", True),
        ("host", True),
        ("guest", True),
        ("alone", False),
    ]
    assert int(outcomes[2].last_line.split()[1]) >= 10
    assert report(outcomes, 1.0) == 1
    assert "verify --only alone" in capsys.readouterr().out


def test_a_guest_whose_host_is_not_there_runs_by_itself() -> None:
    (outcome,) = run_steps([step("guest", "print('done')", beside="host")])
    assert (outcome.passed, outcome.last_line) == (True, "done")


def test_every_host_is_a_step(tmp_path: Path) -> None:
    steps = all_steps(tmp_path)
    suites = {s.name for s in steps if s.is_suite and not s.beside}
    assert {s.beside for s in steps} - {""} <= suites
