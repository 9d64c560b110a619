"""Photos that no report came for: kept for 30 days, then removed (docs/operations.md, retention)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from apps.common.actor import SYSTEM, Actor
from apps.evidence.actions import remove_attachment, unclaimed
from apps.evidence.models import Attachment
from apps.inspections.models import InspectionReport, State
from apps.inspections.queries import KIND


def remove_orphaned_photos(*, actor: Actor = SYSTEM) -> int:
    """Remove photos declared more than 30 days ago whose report never came, was discarded, or is a draft without them.

    A photo of a report that was ever submitted is evidence and stays, also when the report no longer names it. Each
    photo is judged again in a transaction of its own, with its report locked. Gives how many were removed.
    """
    is_sent = Exists(
        InspectionReport.objects.filter(pk=OuterRef("owner_id")).exclude(state=State.LOCAL_DRAFT)
    )
    old = list(unclaimed(KIND, is_sent=is_sent, named=_named_by))
    return sum(_remove(actor, photo, report) for photo, report in old)


def _named_by(report_id: UUID) -> set[str]:
    return _named(InspectionReport.objects.filter(pk=report_id).first())


def _named(report: InspectionReport | None) -> set[str]:
    return {photo for ids in report.photos.values() for photo in ids} if report is not None else set()


@transaction.atomic
def _remove(actor: Actor, photo_id: UUID, report_id: UUID) -> bool:
    report = InspectionReport.objects.select_for_update(of=("self",)).filter(pk=report_id).first()
    photo = Attachment.objects.select_for_update(of=("self",)).filter(pk=photo_id, is_draft=True).first()
    is_submitted = report is not None and report.state != State.LOCAL_DRAFT
    if photo is None or is_submitted or str(photo_id) in _named(report):
        return False
    remove_attachment(actor=actor, attachment=photo)
    return True
