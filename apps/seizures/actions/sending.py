"""What phones send on: a flash at once, a preliminary report, the full one. Each is a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from apps.common.actor import Actor
from apps.common.errors import InvalidFields
from apps.common.transactions import transactional
from apps.evidence.actions import publish_attachments
from apps.inspections.actions.editing import WARN_MOVED
from apps.inspections.actions.submission import next_number
from apps.inspections.errors import StateChanged
from apps.inspections.rules import parse_time
from apps.seizures.actions.common import finish, freeze, settle_day
from apps.seizures.actions.editing import Edited, apply_patch
from apps.seizures.models import SeizureReport, Stage
from apps.seizures.queries import KIND, body, reported
from apps.seizures.rules import checks, stages

FLASH_LATE = "flash-late"
CHANGES = {
    Stage.FLASH: "seizure.flashed",
    Stage.PRELIMINARY: "seizure.reported",
    Stage.SUBMITTED: "seizure.submitted",
}


def send_flash(*, actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]) -> Edited:
    """Report a find in a few fields: when, where, what roughly, how many people. Raises what `save_seizure` raises."""
    return _send(actor, report_id, base_rev, fields, Stage.FLASH)


def send_preliminary(
    *, actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]
) -> Edited:
    """Report what is known by now: a flash with a summary. Raises what `save_seizure` raises."""
    return _send(actor, report_id, base_rev, fields, Stage.PRELIMINARY)


def submit_seizure(
    *, actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]
) -> Edited:
    """Submit the full report for verification. Raises what `save_seizure` raises; InvalidFields names what lacks."""
    return _send(actor, report_id, base_rev, fields, Stage.SUBMITTED)


@transactional
def _send(
    actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any], goal: Stage
) -> Edited:
    edit = apply_patch(actor, report_id, base_rev, fields)
    report = edit.report
    if edit.is_settled or (report.stage == goal and not edit.is_new and not edit.changed):
        return Edited(report, edit.merged, (*edit.warnings, *report.flags))
    if report.stage not in stages.SENDS[goal]:
        raise StateChanged(current=body(report))
    missing = checks.missing_at(goal, reported(report))
    if missing:
        raise InvalidFields(errors=missing)
    day_before = report.occurred_on
    _receive(report, edit.warnings)
    report.stage, report.is_draft = goal, False
    report.version += 1
    if not edit.is_new and not edit.changed:
        report.rev += 1
    finish(actor, report, CHANGES[goal], held=edit.held, data={"version": report.version}, days=[day_before])
    freeze(actor, report)
    publish_attachments(actor=actor, owner_kind=KIND, owner_id=report.pk)
    return Edited(report, edit.merged, (*edit.warnings, *report.flags))


def _receive(report: SeizureReport, warnings: tuple[str, ...]) -> None:
    """Number it when it comes for the first time, and settle the day it counts for: that of the detection."""
    now = timezone.now()
    flags = set(report.flags)
    detected = parse_time(report.fields.get("detected_on_device_at"))
    if report.received_at is None:
        report.received_at = now
        report.number = next_number("SZ", report.unit_id, now)
        if not report.incident.number:
            report.incident.number = next_number("VV", report.unit_id, now)
            report.incident.save(update_fields=["number", "updated_at"])
        if detected and now - detected > settings.FLASH_WITHIN:
            flags.add(FLASH_LATE)
    report.submitted_at = now
    report.flags = sorted(flags | ({WARN_MOVED} & set(warnings)))
    settle_day(report)
