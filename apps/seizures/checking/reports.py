"""Seizure reports and their versions against their events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from apps.audit.models import Event
from apps.audit.rules.findings import Finding
from apps.evidence.checking import Bench, tells_of_row
from apps.seizures.checking.derived import check_incident, check_rows, check_strays, rows_of
from apps.seizures.checking.words import Words, check_pairs, check_words, is_told
from apps.seizures.models import ReportVersion, SeizureReport
from apps.seizures.queries import DISCARDED, KIND, content_hash, fingerprint

BATCH = 200


def check_seizures(bench: Bench, report_id: UUID | None = None) -> Iterator[Finding]:
    """Check every seizure report, or one."""
    if report_id is not None:
        yield from _check(bench, [report_id])
        yield from check_pairs(report_id)
        return
    told = Event.objects.filter(record_kind=KIND).order_by().values_list("oid", flat=True).distinct()
    ids = {pk for pk in told if pk is not None} | set(SeizureReport.objects.values_list("pk", flat=True))
    every = sorted(ids)
    for start in range(0, len(every), BATCH):
        yield from _check(bench, every[start : start + BATCH])
    yield from check_pairs()
    yield from check_strays()


def _check(bench: Bench, ids: Collection[UUID]) -> Iterator[Finding]:
    rows = {row.pk: row for row in SeizureReport.objects.filter(pk__in=list(ids)).select_related("incident")}
    events: dict[UUID | None, list[Event]] = {}
    for event in Event.objects.filter(record_kind=KIND, oid__in=list(ids)).order_by("id"):
        events.setdefault(event.oid, []).append(event)
    versions: dict[UUID, list[ReportVersion]] = {}
    for version in ReportVersion.objects.filter(report__in=list(ids)).order_by("version"):
        versions.setdefault(version.report_id, []).append(version)
    rows_by_kind, words = rows_of(ids), Words.of(ids)
    for pk in ids:
        own, row = events.get(pk, []), rows.get(pk)
        place = f"{KIND} {row.number or pk}" if row else f"{KIND} {pk}"
        kept = [event for event in own if tells_of_row(event)]
        if row is None:
            if own and own[-1].action != DISCARDED:
                yield Finding("record-missing", place)
            continue
        bench.records += 1
        if own and not kept:
            bench.older += 1
            continue
        found = list(_check_row(place, row, kept))
        yield from found
        if kept and not found:
            yield from check_rows(place, row, kept[-1], rows_by_kind)
        if kept:
            yield from check_incident(row, kept[-1])
        yield from _check_versions(place, kept, versions.get(pk, []))
        yield from check_words(place, row, own, words)


def _check_row(place: str, row: SeizureReport, kept: Sequence[Event]) -> Iterator[Finding]:
    revs = {event.data["rev"] for event in kept}
    for rev in sorted(set(range(min(revs, default=1), row.rev + 1)) - revs):
        yield Finding("event-missing", place, f"revision {rev}")
    if kept and kept[-1].data["sha256"] != fingerprint(row):
        yield Finding("record-differs", place)


def _check_versions(
    place: str, kept: Sequence[Event], versions: Sequence[ReportVersion]
) -> Iterator[Finding]:
    """Compare each version with the event that first told of it."""
    first: dict[int, Event] = {}
    for event in kept:
        first.setdefault(event.data["version"], event)
    here = {version.version: version for version in versions}
    for number, event in sorted(first.items()):
        if not number:
            continue
        version = here.pop(number, None)
        if version is None:
            yield Finding("version-missing", f"{place} version {number}")
        elif event.data["content_sha256"] != content_hash(version.body):
            yield Finding("version-differs", f"{place} version {number}", "content")
        elif (version.stage, version.author_id) != (event.data["stage"], event.actor_id):
            yield Finding("version-differs", f"{place} version {number}", "stage or author")
        elif not is_told(event.data.get("reason", ""), version.reason):
            yield Finding("version-differs", f"{place} version {number}", "reason")
        elif event.data.get("saved_at", version.at.isoformat()) != version.at.isoformat():
            yield Finding("version-differs", f"{place} version {number}", "time")
    if kept and min(first) <= 1:
        yield from (Finding("event-missing", f"{place} version {number}") for number in here)
