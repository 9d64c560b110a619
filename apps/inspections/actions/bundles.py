"""Handing a report out as a bundle that proves itself."""

from __future__ import annotations

from uuid import UUID

from apps.audit.models import Event
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.evidence.actions import Exported, Told, export_record
from apps.inspections.actions.review import check_may_hand_out
from apps.inspections.models import InspectionReport, ReportVersion
from apps.inspections.queries import KIND


def export_bundle(*, actor: Actor, report_id: UUID, reason: str) -> Exported:
    """Make the bundle of a report that has a receipt; by who leads or reviews its unit, for a stated reason.

    Raises NotFound, NotReviewer, NoteRequired, NotReceipted, StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    report = InspectionReport.objects.visible_to(actor).filter(pk=report_id, is_draft=False).first()
    if report is None:
        raise NotFound
    check_may_hand_out(actor, report.unit_id, reason)
    versions = ReportVersion.objects.filter(report=report).values_list("version", "content")
    events = Event.objects.filter(record_kind=KIND, oid=report.pk, action="inspection.submitted")
    told = Told(
        KIND, report.pk, str(report.number), {n: bytes(content) for n, content in versions}, list(events)
    )
    return export_record(actor=actor, told=told, reason=reason)
