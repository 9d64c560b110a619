"""The receipt of a report: signed once the version that was submitted has all its photos."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from apps.audit.queries import newest_event
from apps.common.actor import Actor
from apps.evidence.actions import Complete, are_durable, issue_receipt
from apps.evidence.models import Attachment, Receipt
from apps.inspections.models import InspectionReport, ReportVersion, State
from apps.inspections.queries import KIND, named_photos

_NOT_YET = (State.LOCAL_DRAFT, State.MEDIA_PENDING, State.RETURNED)


def issue_receipts(*, actor: Actor, report_ids: Iterable[UUID]) -> int:
    """Sign for those of the reports that are complete and have no receipt yet; gives how many.

    Files are read back before the report is locked. Raises StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    count = 0
    for report_id in report_ids:
        report = InspectionReport.objects.filter(pk=report_id).exclude(state__in=_NOT_YET).first()
        if report is None or _has_receipt(report):
            continue
        photos = _photos(report)
        if photos is not None and are_durable(photos):
            count += _issue(actor, report)
    return count


@transaction.atomic
def _issue(actor: Actor, seen: InspectionReport) -> bool:
    report = InspectionReport.objects.select_for_update().get(pk=seen.pk)
    if report.version != seen.version or report.photos != seen.photos or report.state in _NOT_YET:
        return False  # it moved on meanwhile; what it has become is told by another change
    said = newest_event(KIND, report.pk, "inspection.submitted", "inspection.completed")
    version = ReportVersion.objects.get(report=report, version=report.version)
    if said is None:
        return False
    complete = Complete(
        owner_kind=KIND,
        owner_id=report.pk,
        number=report.number or "",
        version=report.version,
        content_sha256=hashlib.sha256(version.content).hexdigest(),
        posting_id=report.posting_id,
        photos=tuple(named_photos(report)),
        event_id=said.pk,
    )
    return issue_receipt(actor=actor, complete=complete) is not None


def _has_receipt(report: InspectionReport) -> bool:
    return Receipt.objects.filter(owner_kind=KIND, owner_id=report.pk, version=report.version).exists()


def _photos(report: InspectionReport) -> list[Attachment] | None:
    """Give the photos that the report names; None while one is not stored."""
    ids = named_photos(report)
    rows = Attachment.objects.filter(pk__in=ids, owner_id=report.pk, state=Attachment.State.STORED)
    photos = list(rows.order_by("pk"))
    return photos if len(photos) == len(ids) else None
