"""Reads around seizure reports: their body for phones and versions, what was frozen, the substances of their lines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet

from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.evidence.models import Attachment
from apps.inspections.queries import plain
from apps.organisation.models import Unit
from apps.reference.models import ReferenceEntry
from apps.reference.queries import SUBSTANCES
from apps.seizures.models import (
    Agreement,
    Decision,
    Participant,
    Participation,
    ReportNumber,
    ReportVersion,
    SeizureLine,
    SeizureReport,
)
from apps.seizures.rules.checks import numbers_of
from apps.seizures.rules.fields import NOMINAL, PARTS
from apps.seizures.rules.stages import EDITABLE

KIND = "seizure"
DISCARDED = "seizure.discarded"


def reported(report: SeizureReport) -> dict[str, Any]:
    """Give what was reported, as the rules read it: the header's fields and the parts by mark."""
    return {**report.fields, **parts_of(report), "participations": joined(report)}


def own_unfinished(actor: Actor) -> QuerySet[SeizureReport]:
    """Give the reports that this person may still write: begun by them, or worked on from a post held now."""
    posts = Participant.objects.filter(posting_id__in=actor.post_ids()).values("report_id")
    mine = Q(officer_id=actor.officer_id) | Q(pk__in=posts)
    return SeizureReport.objects.visible_to(actor).filter(mine, stage__in=EDITABLE)


def parts_of(report: SeizureReport) -> dict[str, Any]:
    """Give lines, persons, conveyances and consignments: all that numbers and warnings are read from."""
    return {part: getattr(report, part) for part in PARTS}


def joined(report: SeizureReport) -> list[dict[str, Any]]:
    """Give who took part, each with the force of its unit and whether that unit agreed; agencies have no force.

    The unit that reports has said so by reporting.
    """
    several = report.fields.get("participations") or []
    codes = [p["unit"] for p in several if p["unit"]]
    if not codes:
        return [{**p, "unit_id": None, "force": "", "is_agreed": False} for p in several]
    units = {
        code: (pk, force)
        for code, pk, force in Unit.objects.filter(code__in=codes).values_list("code", "pk", "force")
    }
    agreed = set(Agreement.objects.filter(report=report).values_list("unit_id", "role"))
    found = []
    for p in several:
        pk, force = units.get(p["unit"], (None, ""))
        found.append(
            {
                **p,
                "unit_id": pk,
                "force": force,
                "is_agreed": pk == report.unit_id or (pk, p["role"]) in agreed,
            }
        )
    return found


def groups_of(substances: Iterable[str]) -> dict[str, str]:
    """Give the report group of each known substance among the keys, also of those that left the list."""
    wanted = sorted(set(substances) - {""})
    if not wanted:
        return {}
    rows = ReferenceEntry.objects.filter(list__slug=SUBSTANCES, key__in=wanted)
    return {key: data.get("report_group", "other") for key, data in rows.values_list("key", "data")}


def body(report: SeizureReport) -> dict[str, Any]:
    """Give the whole report as the phones of its people hold it."""
    back = Decision.objects.filter(report=report, verb="return").last() if report.version else None
    return {
        **frozen(report),
        "number": report.number,
        "version": report.version,
        "stage": report.stage,
        "statistic_status": report.statistic_status,
        "unit": report.unit_id,
        "posting": report.posting_id,
        "incident": report.incident_id,
        "merged_into": report.merged_into_id,
        "flags": report.flags,
        "occurred_on": report.occurred_on,
        "received_at": report.received_at,
        "submitted_at": report.submitted_at,
        "numbers": numbers_of(parts_of(report)),
        "review_note": back.note if back else "",
    }


def frozen(report: SeizureReport) -> dict[str, Any]:
    """Give what a version keeps: everything that was reported."""
    return {"fields": report.fields, **parts_of(report), "extra": report.extra}


def fingerprint(report: SeizureReport) -> str:
    """Give the SHA-256 over everything that a report's row says.

    Each audit event of a change names it, so a row that was changed by anything but an action shows.
    """
    return content_hash([{name: getattr(report, name) for name in _OWN}, frozen(report)])


_OWN = (
    "id rev created_at officer_id device_id unit_id posting_id incident_id is_draft field_revs mode lead_force "
    "handling number version stage statistic_status merged_into_id flags occurred_on received_at submitted_at"
).split()


# What follows from a report and stands in rows of its own → the columns that an event's hash of them covers.
DERIVED: Mapping[str, tuple[Any, tuple[str, ...]]] = {
    "lines": (
        SeizureLine,
        (
            *("mark", "substance", "report_group", "is_precursor", "form", "mass_g", "volume_ml", "count"),
            *("count_unit", "basis", "id_basis", "excluded"),
        ),
    ),
    "participations": (Participation, ("position", "unit_id", "agency", "role")),
    "participants": (Participant, ("officer_id", "posting_id")),
    "numbers": (ReportNumber, ("part", "mark", "field", "kind", "raw", "normalised", "valid")),
}


def derived_hash(kind: str, rows: Iterable[Any]) -> str:
    """Give the SHA-256 over the rows of a kind of `DERIVED` that one report has, in any order."""
    columns = DERIVED[kind][1]
    told = [{name: _amount(getattr(row, name)) for name in columns} for row in rows]
    return content_hash(sorted(told, key=_spelt))


def _amount(value: Any) -> Any:
    """Give an amount in its one spelling, anything else as it is."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def content_hash(said: Any) -> str:
    """Give the SHA-256 over JSON in one spelling, as both databases give it back."""
    return hashlib.sha256(_spelt(said)).hexdigest()


def content_of(version: ReportVersion) -> bytes:
    """Give what a version says as the bytes whose hash its event and its receipt name."""
    return _spelt(version.body)


def _spelt(said: Any) -> bytes:
    return orjson.dumps(plain(said), option=orjson.OPT_SORT_KEYS)


def named_photos(version: ReportVersion) -> list[UUID]:
    """Give the photos that a version names, in order of their ids."""
    return sorted({UUID(photo) for photo in version.body["fields"].get("photos") or ()})


def streams_of(report: SeizureReport) -> list[str]:
    """Give the streams that hold the report: that of its author's post and those of who works on it."""
    posts = Participant.objects.filter(report=report).values_list("posting_id", flat=True)
    return sorted({post_stream(post) for post in (report.posting_id, *posts)})


def without_names(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Give a frozen body without what says who somebody is."""
    bare = dict(parts)
    for part, hidden in NOMINAL.items():
        bare[part] = {
            mark: {key: value for key, value in columns.items() if key not in hidden}
            for mark, columns in parts.get(part, {}).items()
        }
    bare["fields"] = {key: value for key, value in parts.get("fields", {}).items() if key != "witnesses"}
    return bare


def absorbed_by(report: SeizureReport) -> set[UUID]:
    """Give the reports that were merged into this one, and those merged into them before."""
    found: set[UUID] = set()
    newest = {report.pk}
    while newest:
        rows = SeizureReport.objects.filter(merged_into__in=newest).values_list("pk", flat=True)
        newest = set(rows) - found
        found |= newest
    return found


def photos_missing(report: SeizureReport) -> list[str]:
    """Give the ids of named photos whose bytes the server does not hold."""
    named = list(report.fields.get("photos") or ())
    rows = Attachment.objects.filter(owner_kind=KIND, owner_id=report.pk, pk__in=named)
    stored = {str(pk) for pk in rows.filter(state=Attachment.State.STORED).values_list("pk", flat=True)}
    return sorted(set(named) - stored)


def photo_purposes(report: SeizureReport) -> dict[str, str | None]:
    """Give what each named photo is declared to show, by id; None for one that no phone has declared yet."""
    named = list(report.fields.get("photos") or ())
    rows = Attachment.objects.filter(owner_kind=KIND, owner_id=report.pk, pk__in=named)
    known = {str(pk): purpose for pk, purpose in rows.values_list("pk", "purpose")}
    return {photo: known.get(photo) for photo in named}


def owners_of(photos: Iterable[UUID]) -> list[UUID]:
    """Give the reports that photos belong to."""
    rows = Attachment.objects.filter(pk__in=list(photos), owner_kind=KIND)
    return sorted(set(rows.values_list("owner_id", flat=True)))
