"""Photos that no seizure report came for: kept for 30 days, then removed, as those of inspections are."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from apps.common.actor import SYSTEM, Actor
from apps.evidence.actions import remove_attachment, unclaimed
from apps.evidence.models import Attachment
from apps.seizures.actions.editing import locked
from apps.seizures.models import SeizureReport
from apps.seizures.queries import KIND


def remove_orphaned_photos(*, actor: Actor = SYSTEM) -> int:
    """Remove photos declared more than 30 days ago whose report never came, was discarded, or is a draft without them.

    A photo of a report that was ever sent is evidence and stays. Each photo is judged again in a transaction of its
    own, with its report locked. Gives how many were removed.
    """
    is_sent = Exists(SeizureReport.objects.filter(pk=OuterRef("owner_id"), is_draft=False))
    old = list(unclaimed(KIND, is_sent=is_sent, named=_named_by))
    return sum(_remove(actor, photo, report) for photo, report in old)


def _named_by(report_id: UUID) -> set[str]:
    return _named(SeizureReport.objects.filter(pk=report_id).first())


def _named(report: SeizureReport | None) -> set[str]:
    return set(report.fields.get("photos") or ()) if report is not None else set()


@transaction.atomic
def _remove(actor: Actor, photo_id: UUID, report_id: UUID) -> bool:
    report = locked(report_id)
    photo = Attachment.objects.select_for_update(of=("self",)).filter(pk=photo_id, is_draft=True).first()
    is_sent = report is not None and not report.is_draft
    if photo is None or is_sent or str(photo_id) in _named(report):
        return False
    remove_attachment(actor=actor, attachment=photo)
    return True
