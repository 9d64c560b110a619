"""The receipt of a report: signed once the version that was submitted has all its photos."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.audit.queries import newest_events
from apps.common.actor import Actor
from apps.evidence.actions import Complete, are_durable, sign_receipts, signed_versions
from apps.evidence.models import Attachment
from apps.inspections.models import InspectionReport, ReportVersion, State
from apps.inspections.queries import KIND, named_photos

_NOT_YET = (State.LOCAL_DRAFT, State.MEDIA_PENDING, State.RETURNED)
_SAID = ("inspection.submitted", "inspection.completed")
AT_A_TIME = 100


def issue_receipts(*, actor: Actor, report_ids: Iterable[UUID]) -> int:
    """Sign for those of the reports that are complete and have no receipt yet; gives how many.

    Files are read back before anything is locked. A transaction signs for reports of one posting, and so raises one
    stream. Raises StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    count = 0
    for reports in _by_posting(_unsigned(report_ids)):
        photos = _stored_photos(reports)
        durable = [report for report in reports if report.pk in photos and are_durable(photos[report.pk])]
        count += _issue(actor, durable) if durable else 0
    return count


@transaction.atomic
def _issue(actor: Actor, seen: Sequence[InspectionReport]) -> int:
    """Sign for those that have not moved on meanwhile; what a report has become is told by another change."""
    as_seen = {report.pk: (report.version, report.photos) for report in seen}
    locked = InspectionReport.objects.select_for_update().filter(pk__in=as_seen).exclude(state__in=_NOT_YET)
    rows = locked.only("posting_id", "version", "photos", "number").order_by("pk")
    reports = [r for r in rows if (r.version, r.photos) == as_seen[r.pk]]
    said = newest_events(KIND, [report.pk for report in reports], *_SAID)
    written = ReportVersion.objects.filter(report__in=reports).values_list("report_id", "version", "content")
    contents = {(pk, version): hashlib.sha256(content).hexdigest() for pk, version, content in written}
    versions = [
        Complete(
            owner_kind=KIND,
            owner_id=report.pk,
            number=report.number or "",
            version=report.version,
            content_sha256=contents[report.pk, report.version],
            posting_id=report.posting_id,
            photos=tuple(named_photos(report)),
            event_id=said[report.pk],
        )
        for report in reports
        if report.pk in said
    ]
    return len(sign_receipts(actor=actor, versions=versions))


def _unsigned(report_ids: Iterable[UUID]) -> list[InspectionReport]:
    rows = InspectionReport.objects.filter(pk__in=list(report_ids)).exclude(state__in=_NOT_YET)
    reports = list(rows.only("posting_id", "version", "photos").order_by("pk"))
    signed = signed_versions(report.pk for report in reports)
    return [report for report in reports if (KIND, report.pk, report.version) not in signed]


def _by_posting(reports: Iterable[InspectionReport]) -> Iterator[list[InspectionReport]]:
    by_posting: dict[UUID, list[InspectionReport]] = defaultdict(list)
    for report in reports:
        by_posting[report.posting_id].append(report)
    for those in by_posting.values():
        for start in range(0, len(those), AT_A_TIME):
            yield those[start : start + AT_A_TIME]


def _stored_photos(reports: Sequence[InspectionReport]) -> Mapping[UUID, list[Attachment]]:
    """Give the photos that each report names; a report of which one is not stored is missing."""
    named = {report.pk: named_photos(report) for report in reports}
    ids = [photo for photos in named.values() for photo in photos]
    stored = Attachment.objects.filter(state=Attachment.State.STORED).in_bulk(ids)
    found = {
        pk: [stored[photo] for photo in photos if photo in stored and stored[photo].owner_id == pk]
        for pk, photos in named.items()
    }
    return {pk: photos for pk, photos in found.items() if len(photos) == len(named[pk])}
