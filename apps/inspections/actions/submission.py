"""Submission of a report: complete, numbered, counted, and frozen as a version."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from apps.common.actor import Actor
from apps.common.errors import InvalidFields
from apps.common.sql import execute, insert, insert_record
from apps.common.transactions import transactional
from apps.evidence.actions import publish_attachments
from apps.evidence.models import Attachment
from apps.inspections import rules
from apps.inspections.actions.common import announce
from apps.inspections.actions.editing import WARN_MOVED, Edited, apply_patch, check_answers
from apps.inspections.models import InspectionReport, State
from apps.inspections.queries import KIND, body, frozen_checklist, header, photos_missing
from apps.organisation.queries import code_of

WARN_CLOCK = "clock-doubtful"
# What a reviewer should know as well as the phone.
FLAGGED = frozenset({WARN_CLOCK, WARN_MOVED, "checklist-closing", "checklist-closed", "checklist-withdrawn"})


@transactional
def submit_inspection(
    *, actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]
) -> Edited:
    """Apply a patch and submit the report: a new one, a saved draft, or a returned one (version + 1).

    The report must be complete by the checklist version it was made on. Photos may still be on their way; until they
    arrive the report is `media_pending`. Raises what `save_inspection` raises.
    """
    edit = apply_patch(actor, report_id, base_rev, fields)
    report = edit.report
    if edit.is_settled:
        return Edited(report, edit.merged, edit.warnings)
    missing = rules.missing_header(header(report))
    if missing:
        raise InvalidFields(errors=missing)
    warnings = [*edit.warnings, *check_answers(report, final=True)]
    day_before = report.occurred_on
    now = timezone.now()
    if report.photos:
        _hold_photos(report)
    _receive(report, warnings, now)
    if not edit.is_new and not edit.changed:
        report.rev += 1
    if edit.is_new:
        insert_record(report)
    else:
        report.save()
    content_sha256 = _freeze(actor, report, now)
    if report.photos or not edit.is_new:
        publish_attachments(actor=actor, owner_kind=KIND, owner_id=report.pk)
    announce(
        actor,
        report,
        "inspection.submitted",
        data={"version": report.version, "content_sha256": content_sha256},
        days=[day_before] if day_before else [],
    )
    return Edited(report, edit.merged, tuple(dict.fromkeys(warnings)))


def _hold_photos(report: InspectionReport) -> None:
    """Lock the declared photos, so that each has either arrived already or arrives after this commit.

    Otherwise one that arrives in between would find no submitted report to complete, and the report would wait for it
    forever.
    """
    rows = Attachment.objects.select_for_update().filter(owner_kind=KIND, owner_id=report.pk)
    list(rows.order_by("pk").values_list("pk", flat=True))


def _receive(report: InspectionReport, warnings: list[str], now: dt.datetime) -> None:
    first = report.received_at is None
    report.received_at = report.received_at or now
    day, doubtful = rules.counted_day(report.started_on_device_at, report.received_at)
    report.occurred_on = day
    if doubtful:
        warnings.append(WARN_CLOCK)
    report.flags = sorted(FLAGGED.intersection(warnings))
    report.submitted_at = now
    report.version += 1
    report.is_draft = False
    progress = frozen_checklist(report.checklist_version_id).compiled.progress(
        report.answers, header(report), {step: len(ids) for step, ids in report.photos.items()}
    )
    report.required_steps, report.answered_steps = progress.required, progress.answered
    report.state = State.MEDIA_PENDING if photos_missing(report) else State.COMPLETE
    if first:
        report.number = next_number("IR", report.unit_id, now)


def next_number(prefix: str, unit_id: UUID, now: dt.datetime) -> str:
    """Take the next human number of the unit's year, `IR-2026-NBA-000123`."""
    series = f"{prefix}-{now.astimezone(rules.COUNTRY_TIME).year}-{code_of(unit_id)}"
    taken = execute(
        "INSERT INTO inspections_numberseries (series, last) VALUES (%s, 1) "
        "ON CONFLICT (series) DO UPDATE SET last = inspections_numberseries.last + 1 RETURNING last",
        [series],
    )
    return f"{series}-{taken.fetchone()[0]:06d}"


def _freeze(actor: Actor, report: InspectionReport, received: dt.datetime) -> str:
    """Keep the body as it was submitted; it is never changed afterwards. Gives the SHA-256 of its bytes."""
    content = orjson.dumps(body(report))
    row = {
        "report_id": report.pk,
        "version": report.version,
        "content": content,
        "submitted_at": received,
        "device_id": actor.device_id,
    }
    insert("inspections_reportversion", row)
    return hashlib.sha256(content).hexdigest()
