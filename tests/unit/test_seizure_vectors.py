"""What a seizure lacks, stage by stage: the vectors that the phone's rules pass too."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.custody.rules.comparison import differences
from apps.custody.rules.forms import remaining
from apps.seizures.rules.checks import missing_at, missing_for
from apps.seizures.rules.fields import HEADER, PARTS
from apps.seizures.rules.lines import suspicious

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "seizures.json").read_text(encoding="utf-8"))


def report_of(case: dict[str, Any]) -> dict[str, Any]:
    """Give the whole report with the case's changes (`lines.1.form`; null takes away), as the rules read it."""
    held = deepcopy(VECTORS["whole"])
    for key, value in case["set"].items():
        if key in held:
            held[key] = value
            continue
        part, *way = key.split(".")
        store = held[part].setdefault(way[0], {}) if len(way) > 1 else held[part] if way else held["fields"]
        name = way[-1] if way else key
        if value is None:
            store.pop(name, None)
        else:
            store[name] = value
    fields = held.pop("fields")
    several = fields.get("participations") or []
    joined = [{**one, "force": "customs" if one["unit"] else ""} for one in several]
    return {**fields, **held, "participations": joined}


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_vector(case: dict[str, Any]) -> None:
    """What is missing, and what is only suspicious."""
    report = report_of(case)
    found = {(problem.pointer, problem.code) for problem in missing_at(case["aim"], report)}
    assert sorted(found) == [tuple(one) for one in case["found"]]
    assert sorted(set(suspicious(report["lines"]))) == case["warnings"]


@pytest.mark.parametrize("case", VECTORS["scale"], ids=lambda case: case["name"])
def test_scale(case: dict[str, Any]) -> None:
    """Whether a photo of the scale is asked for: of the phone before it sends, of the unit before it verifies."""
    report = report_of({"set": {"no_scale_photo_reason": case["reason"]}})
    found = missing_for("verify_unit", {**report, "lines": case["lines"], "photo_purposes": case["purposes"]})
    assert ("scale-photo-or-reason" in {problem.code for problem in found}) == case["lacks"]


def test_the_vectors_name_every_field() -> None:
    assert dict(HEADER) == VECTORS["header"]
    assert {part: dict(columns) for part, columns in PARTS.items()} == VECTORS["parts"]


@pytest.mark.parametrize("case", VECTORS["readings"])
def test_reading(case: dict[str, Any]) -> None:
    """Seals and mass of a package, as they should be and as they were read."""
    mass, mass_read = (Decimal(case[key]) if case[key] else None for key in ("mass", "mass_read"))
    assert differences(case["seals"], mass, case["read"], mass_read) == case["differs"]


@pytest.mark.parametrize("case", VECTORS["samples"])
def test_sample(case: dict[str, Any]) -> None:
    """What is left of a package when a sample was taken, and what cannot be taken."""
    left, problems = remaining(case["now"], case["taken"])
    assert {name: f"{value.normalize():f}" for name, value in left.items()} == case["left"]
    assert sorted([p.pointer.removeprefix("/fields/"), p.code] for p in problems) == case["faults"]
