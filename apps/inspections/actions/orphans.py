"""Photos that no report came for: kept for 30 days, then removed (docs/operations.md, retention)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.common.actor import SYSTEM, Actor
from apps.evidence.actions import remove_attachment
from apps.evidence.models import Attachment
from apps.inspections.models import InspectionReport, State
from apps.inspections.queries import KIND

PHOTO_WITHOUT_REPORT = timedelta(days=30)
BATCH = 5000


def remove_orphaned_photos(*, actor: Actor = SYSTEM) -> int:
    """Remove photos declared more than 30 days ago whose report never came, was discarded, or is a draft without them.

    A photo of a report that was ever submitted is evidence and stays, also when the report no longer names it. Each
    photo is judged again in a transaction of its own, with its report locked. Gives how many were removed.
    """
    return sum(_remove(actor, pk, report) for pk, report in list(_old_ones()))


def _old_ones() -> Iterator[tuple[UUID, UUID]]:
    submitted = InspectionReport.objects.filter(pk=OuterRef("owner_id")).exclude(state=State.LOCAL_DRAFT)
    old = Attachment.objects.filter(
        ~Exists(submitted),
        owner_kind=KIND,
        is_draft=True,
        created_at__lt=timezone.now() - PHOTO_WITHOUT_REPORT,
    ).order_by("created_at")
    drafts: dict[UUID, set[str]] = {}
    found = 0
    for pk, report in old.values_list("pk", "owner_id").iterator():
        if report not in drafts:
            drafts[report] = _named(InspectionReport.objects.filter(pk=report).first())
        if str(pk) not in drafts[report]:
            yield pk, report
            found += 1
        if found >= BATCH:
            return


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
