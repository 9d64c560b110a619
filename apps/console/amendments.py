"""Proposed amendments laid out for the reviewer: what an officer wrote too late, beside what the report says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apps.common.text import pick
from apps.console.reading import Change, header_text, read_answer, whole, wording
from apps.console.words import HEADER
from apps.inspections.models import InspectionReport
from apps.sync.amendments import Amendment


@dataclass(frozen=True)
class LateEdit:
    """One late edit: when it came, from which phone, and what it would change."""

    received_at: dt.datetime
    device: str
    changes: tuple[Change, ...]


def late_edits(report: InspectionReport, amendments: Iterable[Amendment]) -> list[LateEdit]:
    """Compare each late edit with the report as it stands; what the report says by now is not repeated."""
    laid = (LateEdit(a.received_at, a.device, tuple(_differences(report, a.fields))) for a in amendments)
    return [edit for edit in laid if edit.changes]


def _differences(report: InspectionReport, fields: Mapping[str, Any]) -> Iterator[Change]:
    for key, label in HEADER.items():
        before = header_text(key, getattr(report, key))
        if key in fields and (after := _shown(header_text, key, fields[key])) != before:
            yield Change(str(label), before, after)
    steps = [step for section in report.checklist_version.content["sections"] for step in section["steps"]]
    answers, photos = (_by_step(fields, part) for part in ("answers", "photos"))
    for no, step in enumerate(steps, start=1):
        key, name = step["key"], f"{no}. {wording(step['text'])}"
        if key in answers and answers[key] != report.answers.get(key):
            before = whole(read_answer(step, report.answers.get(key)))
            yield Change(name, before, _shown(_answer, step, answers[key]))
        if key in photos and photos[key] != report.photos.get(key):
            yield Change(name, _photos(report.photos.get(key)), _photos(photos[key]))


def _by_step(fields: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    given = fields.get(part)
    return given if isinstance(given, Mapping) else {}


def _answer(step: Mapping[str, Any], answer: Any) -> str:
    return whole(read_answer(step, answer))


def _shown(words: Any, *of: Any) -> str:
    """Put a value into words; a late edit was never checked against the checklist, so it may be of any type."""
    try:
        return str(words(*of))
    except (TypeError, ValueError, ArithmeticError, AttributeError, KeyError):
        return json.dumps(of[-1], ensure_ascii=False)[:400]


def _photos(ids: Any) -> str:
    count = len(ids) if isinstance(ids, list) else 0
    return pick(f"{count} ảnh", f"{count} photos")
