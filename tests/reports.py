"""What officers fill in for tests: fields of reports on the demo checklists and on a plain one of twenty steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

PLAIN_STEPS = 20


def plain_content(steps: int = PLAIN_STEPS) -> dict[str, Any]:
    """Give a checklist content of simple steps of several kinds, for throughput and for tests without photos."""
    kinds = ("bool", "choice", "number", "text")
    rows = [_plain_step(i, kinds[i % len(kinds)]) for i in range(steps)]
    return {"sections": [{"key": "all", "title": {"vi": "Kiểm tra", "en": "Inspection"}, "steps": rows}]}


def _plain_step(i: int, kind: str) -> dict[str, Any]:
    step: dict[str, Any] = {
        "key": f"step_{i}",
        "kind": kind,
        "text": {"vi": f"Bước {i}", "en": f"Step {i}"},
        "required": i < 8,
    }
    if kind == "choice":
        step["options"] = [
            {"value": "a", "label": {"vi": "Đạt", "en": "Good"}},
            {"value": "b", "label": {"vi": "Không đạt", "en": "Bad"}},
        ]
    return step


def plain_answers(steps: int = PLAIN_STEPS) -> dict[str, Any]:
    """Give an answer to every step of `plain_content`."""
    values: tuple[Any, ...] = (True, "a", 12, "Không có dấu hiệu bất thường")
    return {f"step_{i}": {"value": values[i % len(values)]} for i in range(steps)}


def header(**changed: Any) -> dict[str, Any]:
    """Give the header fields of a sound report."""
    now = time.time()
    return {
        "mode": "express",
        "direction": "import",
        "place_type": "express_hub",
        "place": "Kho chuyển phát nhanh",
        "selection_reason": "targeted",
        "outcome": "nothing_found",
        "started_on_device_at": _iso(now - 900),
        "ended_on_device_at": _iso(now - 60),
        "captured_tz": "Asia/Ho_Chi_Minh",
        "means_used": ["xray_baggage", "physical_search"],
        **changed,
    }


def plain_report(version: str, **changed: Any) -> dict[str, Any]:
    """Give all fields of a report on the plain checklist."""
    return header(checklist_version=version, answers=plain_answers(), **changed)


def express_report(version: str, photos: Mapping[str, list[str]], **changed: Any) -> dict[str, Any]:
    """Give all fields of a report on the demo checklist for parcels, with the photos it asks for."""
    answers = {
        "parcel_no": {"value": {"raw": "EE556000393VN", "symbology": "code_128"}},
        "declaration_review": {"value": ["normal"]},
        "repeat_contact": {"value": "no"},
        "xray_image": {"value": "consistent"},
        "reasons_to_open": {"value": ["random"]},
        "operator_present": {"value": {"name": "Lê Thị Mai"}},
        "sealed_tins": {"value": "normal"},
        "seal_no": {"value": {"raw": "TEM-000123", "symbology": "code_128"}},
    }
    return header(checklist_version=version, answers=answers, photos=dict(photos), **changed)


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))
