"""The nine checklists of the demonstration, as plain data: one JSON file each, loaded here; nothing is stored.

A file has `code`, `applies_to`, `title` and `versions`. A version has `semver`, the `status` it should end up in,
`change_note`, `source_directive` and either its whole `content` or a change to an earlier version of the same file:
`based_on` (its semver), `remove` (step keys), `replace` (whole steps, found by key) and `insert` (each a step and the
key it comes `after`), applied in this order. The texts are ours; what they are based on stands in `legal_ref`.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

CODES = (
    "passenger_baggage",
    "air_cargo",
    "express_postal",
    "container",
    "road_vehicle",
    "suspected_drugs",
    "equipment_readiness",
    "canine_team",
    "exhibit_handover",
)


def load_checklists() -> list[dict[str, Any]]:
    """Load all nine checklists; every version carries its full `content`."""
    return [load_checklist(code) for code in CODES]


def load_checklist(code: str) -> dict[str, Any]:
    """Load one checklist by its code; every version carries its full `content`."""
    path = Path(__file__).with_name(f"{code}.json")
    checklist: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    contents: dict[str, dict[str, Any]] = {}
    for version in checklist["versions"]:
        if "content" not in version:
            version["content"] = _changed(contents[version["based_on"]], version)
        contents[version["semver"]] = version["content"]
    return checklist


def _changed(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Apply a change to a copy of an earlier content. A key that is not there raises KeyError."""
    content = copy.deepcopy(base)
    for key in change["remove"]:
        steps, index = _place(content, key)
        del steps[index]
    for step in change["replace"]:
        steps, index = _place(content, step["key"])
        steps[index] = copy.deepcopy(step)
    for addition in change["insert"]:
        steps, index = _place(content, addition["after"])
        steps.insert(index + 1, copy.deepcopy(addition["step"]))
    return content


def _place(content: dict[str, Any], key: str) -> tuple[list[dict[str, Any]], int]:
    for section in content["sections"]:
        for index, step in enumerate(section["steps"]):
            if step["key"] == key:
                return section["steps"], index
    raise KeyError(key)
