"""Are seizure reports, their versions and decisions what the ledger says? For `verify_evidence`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from apps.audit.models import Event
from apps.audit.rules.findings import Finding
from apps.evidence.checking import Bench
from apps.seizures.actions.deciding import CHANGES
from apps.seizures.models import Decision, ReportVersion, SeizureLine, SeizureReport
from apps.seizures.queries import DISCARDED, KIND, content_hash, fingerprint

BATCH = 200
_VERBS = {
    **{change: verb for verb, change in CHANGES.items()},
    "seizure.merged": "merge",
    "seizure.parted": "part",
}


def check_seizures(bench: Bench, report_id: UUID | None = None) -> Iterator[Finding]:
    """Check every seizure report, or one."""
    if report_id is not None:
        yield from _check(bench, [report_id])
        return
    told = Event.objects.filter(record_kind=KIND).order_by().values_list("oid", flat=True).distinct()
    ids = {pk for pk in told if pk is not None} | set(SeizureReport.objects.values_list("pk", flat=True))
    every = sorted(ids)
    for start in range(0, len(every), BATCH):
        yield from _check(bench, every[start : start + BATCH])


def _check(bench: Bench, ids: Collection[UUID]) -> Iterator[Finding]:
    rows = {row.pk: row for row in SeizureReport.objects.filter(pk__in=list(ids))}
    events: dict[UUID | None, list[Event]] = {}
    for event in Event.objects.filter(record_kind=KIND, oid__in=list(ids)).order_by("id"):
        events.setdefault(event.oid, []).append(event)
    versions: dict[UUID, list[ReportVersion]] = {}
    for version in ReportVersion.objects.filter(report__in=list(ids)).order_by("version"):
        versions.setdefault(version.report_id, []).append(version)
    decisions: dict[UUID, list[Decision]] = {}
    for decision in Decision.objects.filter(report__in=list(ids)).order_by("at", "id"):
        decisions.setdefault(decision.report_id, []).append(decision)
    lines: dict[UUID, list[SeizureLine]] = {}
    for line in SeizureLine.objects.filter(report__in=list(ids)):
        lines.setdefault(line.report_id, []).append(line)
    for pk in ids:
        own, row = events.get(pk, []), rows.get(pk)
        place = f"{KIND} {row.number or pk}" if row else f"{KIND} {pk}"
        kept = [event for event in own if "sha256" in event.data]
        if row is None:
            if own and own[-1].action != DISCARDED:
                yield Finding("record-missing", place)
            continue
        bench.records += 1
        if own and not kept:
            bench.older += 1
            continue
        yield from _check_row(place, row, kept, lines.get(pk, []))
        yield from _check_versions(place, kept, versions.get(pk, []))
        yield from _check_decisions(place, own, decisions.get(pk, []))


def _check_row(
    place: str, row: SeizureReport, kept: Sequence[Event], lines: Sequence[SeizureLine]
) -> Iterator[Finding]:
    revs = {event.data["rev"] for event in kept}
    for rev in sorted(set(range(min(revs, default=1), row.rev + 1)) - revs):
        yield Finding("event-missing", place, f"revision {rev}")
    if kept and kept[-1].data["sha256"] != fingerprint(row):
        yield Finding("record-differs", place)
    else:
        yield from _check_lines(place, row, lines)


def _check_lines(place: str, row: SeizureReport, lines: Sequence[SeizureLine]) -> Iterator[Finding]:
    """Compare the lines that are counted with what the report says."""
    counted = sorted(tuple(getattr(line, name) for name in _COUNTED) for line in lines)
    measured = sorted(tuple(getattr(measure, name) for name in _COUNTED) for measure in row.measured)
    if counted != measured:
        yield Finding("record-differs", place, "lines that are counted")


_COUNTED = "mark substance form mass_g volume_ml count count_unit basis id_basis excluded".split()


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
        elif version.reason[:500] != event.data.get("reason", ""):
            yield Finding("version-differs", f"{place} version {number}", "reason")
        elif event.data.get("saved_at", version.at.isoformat()) != version.at.isoformat():
            yield Finding("version-differs", f"{place} version {number}", "time")
    if kept and min(first) <= 1:
        yield from (Finding("event-missing", f"{place} version {number}") for number in here)


def _check_decisions(place: str, own: Sequence[Event], decisions: Sequence[Decision]) -> Iterator[Finding]:
    told = [(_VERBS[event.action], event.actor_id) for event in own if event.action in _VERBS]
    if sorted(told, key=str) != sorted(((d.verb, d.officer_id) for d in decisions), key=str):
        yield Finding("record-differs", place, "decisions")
