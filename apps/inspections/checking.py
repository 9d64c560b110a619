"""Are reports and their submitted versions what the ledger says? For `verify_evidence`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from uuid import UUID

import orjson

from apps.audit.checking import check_events
from apps.audit.models import Event
from apps.audit.rules.findings import Finding
from apps.evidence.checking import Bench, check_files, check_receipts, gone_receipts, tells_of_row
from apps.evidence.models import Attachment, Capture, Receipt
from apps.inspections.models import InspectionReport, NumberSeries, ReportVersion, ReviewNote
from apps.inspections.queries import KIND, body, fingerprint

DISCARDED = "inspection.discarded"
SUBMITTED = "inspection.submitted"
BATCH = 200
# What the server goes on to change after a submission; the rest of a body stays as it was submitted.
_MOVES_ON = frozenset({"state", "reviewed_at", "review_note", "notes"})
_OPEN = frozenset({"local_draft", "returned"})


def check_all(bench: Bench) -> Iterator[Finding]:
    """Check every report and every file, and name what the events tell of that is not here."""
    ids = sorted(set(_told("inspection")) | set(InspectionReport.objects.values_list("pk", flat=True)))
    for start in range(0, len(ids), BATCH):
        yield from _check_reports(bench, ids[start : start + BATCH])
    files = set(_told("attachment")) | set(Attachment.objects.values_list("pk", flat=True))
    photos = sorted(files | set(Capture.objects.values_list("pk", flat=True)))
    for start in range(0, len(photos), BATCH):
        yield from check_files(bench, photos[start : start + BATCH])
    yield from check_receipts(bench, Receipt.objects.order_by("pk").iterator(chunk_size=BATCH))
    yield from gone_receipts()


def check_report(bench: Bench, report_id: UUID) -> Iterator[Finding]:
    """Check one report with everything that belongs to it, and each of its events against the newest head."""
    yield from _check_reports(bench, [report_id])
    rows = (
        Attachment.objects.filter(owner_id=report_id).values_list("pk", flat=True),
        Capture.objects.filter(owner_id=report_id).values_list("pk", flat=True),
        Event.objects.filter(
            record_kind="attachment", action="attachment.declared", data__owner_id=str(report_id)
        ).values_list("oid", flat=True),
    )
    photos = sorted({pk for ids in rows for pk in ids if pk is not None})
    yield from check_files(bench, photos)
    receipts = list(Receipt.objects.filter(owner_id=report_id).order_by("version"))
    yield from check_receipts(bench, receipts)
    yield from gone_receipts([report_id])
    about = [report_id, *photos, *(receipt.pk for receipt in receipts)]
    yield from check_events(Event.objects.filter(oid__in=about).order_by("id"))


def check_series(numbers: Iterable[str]) -> Iterator[Finding]:
    """Compare the counters behind human numbers with all the numbers that were given: each once, none left out.

    Reports come meanwhile. So the counters are read before the numbers, for what must be there, and again after them.
    """
    before = _counters()
    given: dict[str, set[int]] = {}
    for number in numbers:
        series, _, counted = number.rpartition("-")
        if counted.isdecimal():  # what is no number differs from its own event
            given.setdefault(series, set()).add(int(counted))
    after = _counters()
    for series in sorted(given.keys() | before.keys()):
        found, last = given.get(series, set()), after.get(series, 0)
        odd = sorted(
            {n for n in range(1, before.get(series, 0) + 1) if n not in found}
            | {n for n in found if n > last}
        )
        if odd:
            yield Finding("series-differs", f"series {series}", f"counter at {last}, numbers {_some(odd)}")


def _counters() -> dict[str, int]:
    return dict(NumberSeries.objects.values_list("series", "last"))


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:3])
    return f"{shown} …" if len(numbers) > 3 else shown


def _told(kind: str) -> Iterator[UUID]:
    rows = Event.objects.filter(record_kind=kind).order_by("oid").values_list("oid", flat=True).distinct()
    return (pk for pk in rows.iterator() if pk is not None)


def _check_reports(bench: Bench, ids: Collection[UUID]) -> Iterator[Finding]:
    reports = {row.pk: row for row in InspectionReport.objects.filter(pk__in=list(ids))}
    events: dict[UUID | None, list[Event]] = {}
    for event in Event.objects.filter(record_kind=KIND, oid__in=list(ids)).order_by("id"):
        events.setdefault(event.oid, []).append(event)
    versions: dict[UUID, list[ReportVersion]] = {}
    for version in ReportVersion.objects.filter(report__in=list(ids)).order_by("version"):
        versions.setdefault(version.report_id, []).append(version)
    for pk in ids:
        own = events.get(pk, [])
        bench.records += 1
        report = reports.get(pk)
        if report is not None:
            yield from _check_row(bench, report, own, versions.get(pk, []))
        elif own and own[-1].action != DISCARDED:
            yield Finding("record-missing", f"{KIND} {pk}")
        yield from _check_versions(pk, own, versions.get(pk, []))


def _check_row(
    bench: Bench, report: InspectionReport, events: Sequence[Event], versions: Sequence[ReportVersion]
) -> Iterator[Finding]:
    place = f"{KIND} {report.number or report.pk}"
    kept = [event for event in events if tells_of_row(event)]
    if events and not kept:
        bench.older += 1
        return
    first = kept[0].data["rev"] if kept else 1
    revs = {event.data["rev"] for event in kept}
    for rev in sorted(set(range(first, report.rev + 1)) - revs):
        yield Finding("event-missing", place, f"revision {rev}")
    yield from _check_notes(report, events, place)
    if kept and kept[-1].data["sha256"] != fingerprint(report, body(report)):
        yield Finding(
            "record-differs", place, ", ".join(_differing(report, versions)) or "the server's own fields"
        )


def _check_notes(report: InspectionReport, events: Sequence[Event], place: str) -> Iterator[Finding]:
    """Check who wrote the notes: whoever returned the version. What they say is in the report's own hash."""
    version, authors = 0, {}
    for event in events:
        version = event.data.get("version", version) if event.action == SUBMITTED else version
        if event.action == "inspection.returned":
            authors[version] = event.actor_id
    for note in ReviewNote.objects.filter(report=report):
        if authors.get(note.version) != note.author_id:
            yield Finding("record-differs", place, f"author of a note on version {note.version}")


def _differing(report: InspectionReport, versions: Sequence[ReportVersion]) -> list[str]:
    """Name the fields that differ from the version last submitted, while none may."""
    if not versions or report.state in _OPEN:
        return []
    now, then = orjson.loads(orjson.dumps(body(report))), versions[-1].body
    return sorted(name for name in now if name not in _MOVES_ON and now[name] != then.get(name))


def _check_versions(
    pk: UUID, events: Sequence[Event], versions: Sequence[ReportVersion]
) -> Iterator[Finding]:
    here = {version.version: version for version in versions}
    for event in events:
        if event.action != SUBMITTED or "content_sha256" not in event.data:
            continue
        number = event.data["version"]
        place = f"{KIND} {pk} version {number}"
        version = here.pop(number, None)
        if version is None:
            yield Finding("version-missing", place)
            continue
        if hashlib.sha256(bytes(version.content)).hexdigest() != event.data["content_sha256"]:
            yield Finding("version-differs", place, "content")
        elif version.body["submitted_at"] != version.submitted_at.isoformat():
            yield Finding("version-differs", place, "submitted_at")
        if version.device_id != event.device_id:
            yield Finding("version-differs", place, "device")
    if any("content_sha256" in event.data for event in events):
        yield from (Finding("event-missing", f"{KIND} {pk} version {number}", SUBMITTED) for number in here)
