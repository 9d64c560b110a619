"""Handing a report out as a bundle that proves itself: for whom and what for is written down."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from typing import IO
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log, sign_head
from apps.audit.models import Event
from apps.audit.queries import latest_head
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.common.text import clean_text
from apps.evidence.bundle import Contents, Version, write_bundle
from apps.evidence.models import Attachment, Receipt
from apps.inspections.actions.review import REVIEWERS
from apps.inspections.errors import NoteRequired, NotReceipted, NotReviewer
from apps.inspections.models import InspectionReport, ReportVersion
from apps.inspections.queries import KIND


@dataclass(frozen=True)
class Exported:
    """The zip, open at its beginning, the name it should bear, and its SHA-256."""

    file: IO[bytes]
    name: str
    sha256: str


def export_bundle(*, actor: Actor, report_id: UUID, reason: str) -> Exported:
    """Make the bundle of a report that has a receipt; by who leads or reviews its unit, for a stated reason.

    Raises NotFound, NotReviewer, NoteRequired, NotReceipted, StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    report = InspectionReport.objects.visible_to(actor).filter(pk=report_id, is_draft=False).first()
    if report is None:
        raise NotFound
    if not actor.is_system and report.unit_id not in actor.reach_of(*REVIEWERS):
        raise NotReviewer
    if not reason.strip():
        raise NoteRequired
    receipts = {
        receipt.version: receipt for receipt in Receipt.objects.filter(owner_kind=KIND, owner_id=report.pk)
    }
    if not receipts:
        raise NotReceipted
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  whoever asked closes it
    write_bundle(file, _contents(report, receipts))
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1024 * 1024):
        digest.update(piece)
    file.seek(0)
    with transaction.atomic():
        said = {
            "sha256": digest.hexdigest(),
            "reason": clean_text(reason)[:500],
            "versions": sorted(receipts),
        }
        log(actor, "bundle.exported", KIND, report.pk, said)
    return Exported(file, f"{report.number}.zip", digest.hexdigest())


def _contents(report: InspectionReport, receipts: dict[int, Receipt]) -> Contents:
    sign_head()
    head = latest_head()
    if head is None:
        raise NotReceipted
    rows = ReportVersion.objects.filter(report=report, version__in=list(receipts)).order_by("version")
    versions = [Version(row.version, bytes(row.content), receipts[row.version]) for row in rows]
    photos = Attachment.objects.filter(
        owner_kind=KIND, owner_id=report.pk, is_draft=False, state=Attachment.State.STORED
    )
    about = [report.pk, *photos.values_list("pk", flat=True), *(receipt.pk for receipt in receipts.values())]
    return Contents(
        record_id=report.pk,
        number=report.number or "",
        versions=versions,
        photos=list(photos.order_by("pk")),
        events=list(Event.objects.filter(oid__in=about, action__in=_PROVING).order_by("id")),
        head=head,
        made_at=timezone.now(),
    )


_PROVING = ("inspection.submitted", "inspection.completed", "attachment.declared", "receipt.issued")
