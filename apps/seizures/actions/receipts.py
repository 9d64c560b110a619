"""The receipts of a report: one for each version, signed once all photos that it names are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from apps.audit.models import Event
from apps.common.actor import Actor
from apps.evidence import actions as evidence
from apps.evidence.actions import Complete
from apps.seizures.models import ReportVersion, SeizureReport
from apps.seizures.queries import KIND, content_of, named_photos


def issue_receipts(*, actor: Actor, report_ids: Iterable[UUID]) -> int:
    """Sign for those versions of the reports whose photos are all stored and which have no receipt yet; gives how many.

    A version never changes, so also one that later ones followed gets its receipt when its photos have come. Raises
    StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    rows = ReportVersion.objects.filter(report__in=list(report_ids)).select_related("report")
    written = list(rows.order_by("report", "version"))
    told = _telling(version.report_id for version in written)
    versions = [
        Complete(
            owner_kind=KIND,
            owner_id=version.report_id,
            number=version.report.number or "",
            version=version.version,
            content_sha256=hashlib.sha256(content_of(version)).hexdigest(),
            posting_id=version.report.posting_id,
            photos=tuple(named_photos(version)),
            event_id=told[version.report_id, version.version],
        )
        for version in written
        if (version.report_id, version.version) in told
    ]
    return evidence.issue_receipts(actor=actor, versions=versions, confirm=_locked)


def _telling(report_ids: Iterable[UUID]) -> Mapping[tuple[UUID, int], UUID]:
    """Give the event that first told of each version."""
    told: dict[tuple[UUID, int], UUID] = {}
    rows = Event.objects.filter(record_kind=KIND, oid__in=set(report_ids)).order_by("id")
    for pk, oid, data in rows.values_list("id", "oid", "data"):
        if oid is not None and "content_sha256" in data:
            told.setdefault((oid, data["version"]), pk)
    return told


def _locked(versions: Sequence[Complete]) -> Sequence[Complete]:
    """Lock the reports, so that a twin of this task waits; their versions are as they were."""
    ids = [version.owner_id for version in versions]
    list(SeizureReport.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))
    return versions
