"""Handing a seizure out as a bundle that proves itself, with everything that happened to its exhibits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import override

from apps.audit.models import Event
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.custody.models import CustodyEvent, Exhibit, HandOver
from apps.custody.queries import HAND_OVER, KIND, hand_over_bytes, label
from apps.custody.table import as_csv, as_html, rows_of
from apps.evidence.actions import Exported, Told, export_record
from apps.inspections.actions.review import check_may_hand_out
from apps.seizures.models import ReportVersion, SeizureReport
from apps.seizures.queries import KIND as SEIZURE
from apps.seizures.queries import content_of


def export_seizure(*, actor: Actor, report_id: UUID, reason: str) -> Exported:
    """Make the bundle of a seizure that has a receipt; by who leads or reviews its unit, for a stated reason.

    Raises NotFound, NotReviewer, NoteRequired, NotReceipted, StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    report = SeizureReport.objects.visible_to(actor).filter(pk=report_id, is_draft=False).first()
    if report is None:
        raise NotFound
    check_may_hand_out(actor, report.unit_id, reason)
    versions = {row.version: content_of(row) for row in ReportVersion.objects.filter(report=report)}
    custody, files, events = _custody(report)
    told = Told(SEIZURE, report.pk, str(report.number), versions, events, custody, files)
    return export_record(actor=actor, told=told, reason=reason)


def _custody(report: SeizureReport) -> tuple[dict[str, Any], dict[str, bytes], list[Event]]:
    """Give the part of the index, the files, and the events of the ledger: each step and hand-over as its bytes."""
    exhibits = list(Exhibit.objects.filter(report=report).select_related("report").order_by("number"))
    offers = list(HandOver.objects.filter(report=report).order_by("number"))
    steps = list(
        CustodyEvent.objects.filter(exhibit__in=exhibits)
        .select_related("exhibit__report")
        .order_by("exhibit__number", "seq")
    )
    files = {_place(step): bytes(step.body) for step in steps}
    papers = {offer.pk: f"custody/hand-overs/{offer.number}.json" for offer in offers}
    files |= {papers[offer.pk]: hand_over_bytes(offer) for offer in offers}
    with override("vi"):
        rows = rows_of(steps, offers)
        files["custody/custody.csv"] = as_csv(rows)
        files["custody/custody.html"] = as_html(str(report.number), rows)
    index = {
        "exhibits": [
            {
                "id": exhibit.pk,
                "label": label(exhibit),
                "steps": [_place(step) for step in steps if step.exhibit_id == exhibit.pk],
            }
            for exhibit in exhibits
        ],
        "hand_overs": [
            {"id": offer.pk, "number": offer.number, "file": papers[offer.pk]} for offer in offers
        ],
    }
    of_exhibits = Event.objects.filter(record_kind=KIND, oid__in=[exhibit.pk for exhibit in exhibits])
    of_offers = Event.objects.filter(record_kind=HAND_OVER, oid__in=[offer.pk for offer in offers])
    events = [
        *of_exhibits.filter(action__startswith="custody."),
        *of_offers.exclude(action="hand_over.printed"),
    ]
    return index, files, events


def _place(step: CustodyEvent) -> str:
    return f"custody/exhibit-{step.exhibit.number}/{step.seq:03}-{step.kind}.json"
