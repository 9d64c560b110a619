"""Reads around inspection reports: their body for phones, the compiled checklist, the photos that have arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson

from apps.checklists.models import ChecklistVersion
from apps.checklists.rules import CompiledChecklist, compile_answers
from apps.evidence.models import Attachment
from apps.inspections.models import (
    Direction,
    InspectionReport,
    Mode,
    Outcome,
    PlaceType,
    ReviewNote,
    SelectionReason,
)
from apps.inspections.rules import DICT_FIELDS, HEADER_FIELDS, LIST_FIELDS

KIND = "inspection"
CHOICES: Mapping[str, frozenset[str]] = {
    "mode": frozenset(Mode.values),
    "direction": frozenset(Direction.values),
    "place_type": frozenset(PlaceType.values),
    "selection_reason": frozenset(SelectionReason.values),
    "outcome": frozenset(Outcome.values),
}
EMPTY: Mapping[str, Any] = {
    key: [] if key in LIST_FIELDS else {} if key in DICT_FIELDS else None if key.endswith("_at") else ""
    for key in HEADER_FIELDS
}


@dataclass(frozen=True)
class FrozenChecklist:
    """What never changes about a version once it is approved."""

    applies_to: str
    content_hash: str
    compiled: CompiledChecklist


@lru_cache(maxsize=256)
def frozen_checklist(version_id: UUID) -> FrozenChecklist:
    """Give the compiled checker of an approved version; kept, since its content can no longer change."""
    row = ChecklistVersion.objects.select_related("checklist").get(pk=version_id)
    return FrozenChecklist(row.checklist.applies_to, row.content_hash, compile_answers(row.content))


def named_photos(report: InspectionReport) -> list[UUID]:
    """Give the photos that a report names, in order of their ids."""
    return sorted({UUID(photo) for ids in report.photos.values() for photo in ids})


def photo_states(report: InspectionReport) -> dict[str, str]:
    """Give the state of each photo the report names, by id; `missing` for one that was never declared."""
    named = {photo: "missing" for ids in report.photos.values() for photo in ids}
    if named:
        rows = Attachment.objects.filter(
            owner_kind=KIND, owner_id=report.pk, officer_id=report.officer_id, pk__in=list(named)
        )
        named.update({str(pk): state for pk, state in rows.values_list("pk", "state")})
    return named


def owners_of(photos: Iterable[UUID]) -> list[UUID]:
    """Give the reports that photos belong to, in a stable order."""
    rows = Attachment.objects.filter(pk__in=list(photos), owner_kind=KIND)
    return sorted(set(rows.values_list("owner_id", flat=True)))


def photos_missing(report: InspectionReport) -> list[str]:
    """Give the ids of named photos whose bytes the server does not hold."""
    return sorted(pk for pk, state in photo_states(report).items() if state != Attachment.State.STORED)


def notes_of(report: InspectionReport) -> list[dict[str, Any]]:
    """Give the reviewer's notes, oldest first."""
    rows = ReviewNote.objects.filter(report=report).order_by("at", "id")
    return [{"version": n.version, "step_key": n.step_key, "text": n.text, "at": n.at} for n in rows]


def header(report: InspectionReport) -> dict[str, Any]:
    """Give the header fields as they stand."""
    return dict(zip(_HEADER, _read_header(report), strict=True))


_HEADER = tuple(sorted(HEADER_FIELDS))
_read_header = attrgetter(*_HEADER)


def body(report: InspectionReport) -> dict[str, Any]:
    """Give the whole report as its phone holds it: what was reported, and how far it has come."""
    has_notes = report.version > 1 or report.state in {"returned", "voided"}  # there are none before a return
    return {
        "number": report.number,
        "version": report.version,
        "state": report.state,
        "unit": report.unit_id,
        "posting": report.posting_id,
        "type": report.type,
        "checklist_version": report.checklist_version_id,
        "content_hash": report.content_hash,
        **header(report),
        "answers": report.answers,
        "photos": report.photos,
        "extra": report.extra,
        "flags": report.flags,
        "handling": report.handling,
        "occurred_on": report.occurred_on,
        "submitted_at": report.submitted_at,
        "reviewed_at": report.reviewed_at,
        "review_note": report.review_note,
        "notes": notes_of(report) if has_notes else [],
    }


def fingerprint(report: InspectionReport, told: Mapping[str, Any]) -> str:
    """Give the SHA-256 over everything that is said of a report: its body (`told`) and what only the server keeps.

    Each audit event of a report names it, so a row that was changed by anything but an action shows.
    """
    own = {name: getattr(report, name) for name in _OWN}
    return hashlib.sha256(orjson.dumps([own, plain(told)], option=orjson.OPT_SORT_KEYS)).hexdigest()


_OWN = (
    "id",
    "rev",
    "created_at",
    "officer_id",
    "device_id",
    "is_draft",
    "field_revs",
    "received_at",
    "reviewer_id",
    "required_steps",
    "answered_steps",
)


def plain(value: Any) -> Any:
    """Write numbers as both databases give them back: PostgreSQL keeps 1e16 and -0.0 as 10000000000000000 and 0."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
