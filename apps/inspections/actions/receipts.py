"""The receipt of a report: signed once the version that was submitted has all its photos."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.audit.queries import newest_events
from apps.common.actor import Actor
from apps.evidence import actions as evidence
from apps.evidence.actions import Complete
from apps.inspections.models import InspectionReport, ReportVersion, State
from apps.inspections.queries import KIND, named_photos

_NOT_YET = (State.LOCAL_DRAFT, State.MEDIA_PENDING, State.RETURNED)
_SAID = ("inspection.submitted", "inspection.completed")


def issue_receipts(*, actor: Actor, report_ids: Iterable[UUID]) -> int:
    """Sign for those of the reports that are complete and have no receipt yet; gives how many.

    Raises StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    rows = InspectionReport.objects.filter(pk__in=list(report_ids)).exclude(state__in=_NOT_YET)
    reports = list(rows.only("posting_id", "version", "photos", "number").order_by("pk"))
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
    return evidence.issue_receipts(actor=actor, versions=versions, confirm=_confirmed)


def _confirmed(versions: Sequence[Complete]) -> list[Complete]:
    """Lock the reports; what one has become that moved on meanwhile is told by another change."""
    ids = [version.owner_id for version in versions]
    locked = InspectionReport.objects.select_for_update().filter(pk__in=ids).exclude(state__in=_NOT_YET)
    rows = locked.only("version", "photos").order_by("pk")
    now = {report.pk: (report.version, tuple(named_photos(report))) for report in rows}
    return [v for v in versions if now.get(v.owner_id) == (v.version, v.photos)]
