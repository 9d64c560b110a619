"""What reports of seizures say, read for counting; and how the kept entries stand against it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import Handling
from apps.changes.models import Change
from apps.organisation.models import Force
from apps.reference.rules.folding import fold
from apps.reporting.models import SeizureEntry
from apps.reporting.queries.truth import uncounted
from apps.reporting.rules import Entry, entries_of, joined
from apps.reporting.rules.seizures import (
    CIRCUMSTANCES,
    CO_LEAD,
    LEAD,
    Circumstances,
    Line,
    Person,
    Told,
)
from apps.seizures.models import Merge, Participation, ReportNumber, SeizureLine, SeizureReport
from apps.seizures.queries import KIND
from apps.seizures.rules.duplicates import PAPERS, is_telling
from apps.seizures.rules.stages import EXCLUDED

COUNT_SEIZURES = "reporting.count_seizures"
# Fields of an entry as they stand in its row; `amount` comes from the database with all its decimals.
FIELDS = tuple(name for name in Entry.__dataclass_fields__)
_COLUMNS = tuple(f"{name}_id" if name in {"incident", "report", "unit"} else name for name in FIELDS)


def incidents_with(reports: Iterable[UUID]) -> set[UUID]:
    """Give the incidents of these reports and all that were ever one with them: what a change of one may move."""
    rows = SeizureReport.objects.filter(pk__in=list(reports))
    wanted = set(rows.values_list("incident_id", flat=True))
    while True:
        touching = Q(report__incident__in=wanted) | Q(survivor__incident__in=wanted)
        pairs = Merge.objects.filter(touching).values_list("report__incident_id", "survivor__incident_id")
        more = {incident for pair in pairs for incident in pair}
        if more <= wanted:
            return wanted
        wanted |= more


def together() -> list[set[UUID]]:
    """Give all incidents, those that were ever one in one set."""
    rows = SeizureReport.objects.filter(is_draft=False).values_list("incident_id", flat=True)
    pairs = Merge.objects.values_list("report__incident_id", "survivor__incident_id")
    return joined(set(rows), pairs)


def counted_entries(incidents: Collection[UUID]) -> set[Entry]:
    """Count these incidents from the rows of their reports."""
    merged = Merge.objects.filter(report__incident__in=incidents, undone_at__isnull=True)
    return entries_of(_told(incidents), merged.values_list("report__incident_id", "survivor__incident_id"))


def kept_entries(incidents: Collection[UUID]) -> dict[Entry, int]:
    """Give what is kept of these incidents now, with the keys of the rows."""
    rows = SeizureEntry.objects.at(None).filter(incident__in=incidents)
    return {Entry(*row[1:]): row[0] for row in rows.values_list("pk", *_COLUMNS)}


def entry(row: SeizureEntry) -> Entry:
    """Give a row as the rules know it."""
    return Entry(*(getattr(row, column) for column in _COLUMNS))


def row_of(found: Entry, since: dt.datetime) -> SeizureEntry:
    """Give the row for an entry that is counted from a moment on."""
    values: dict[str, Any] = {c: getattr(found, n) for n, c in zip(FIELDS, _COLUMNS, strict=True)}
    return SeizureEntry(**values, since=since)


def seizures_uncounted_since(units: Collection[UUID] | None = None) -> dt.datetime | None:
    """Tell since when changes of seizures wait to be counted; with units, of those that report or took part."""
    for change in uncounted(KIND, COUNT_SEIZURES):
        if units is None or _units(change) & {str(unit) for unit in units}:
            return change.at
    return None


def _units(change: Change) -> set[str]:
    parts = Participation.objects.filter(report_id=change.oid, unit__isnull=False)
    return {str(change.data.get("unit")), *(str(u) for u in parts.values_list("unit_id", flat=True))}


def _told(incidents: Collection[UUID]) -> Iterator[Told]:
    reports = SeizureReport.objects.filter(incident__in=incidents, is_draft=False)
    reports = reports.only(*_REPORT, "persons").order_by("pk")
    lines = _by_report(
        SeizureLine.objects.filter(report__in=reports.values("pk"), excluded=""),
        ("mark", "substance", "report_group", "form", "basis", "mass_g", "volume_ml", "count", "count_unit"),
    )
    parts = _by_report(
        Participation.objects.filter(report__in=reports.values("pk")).order_by("position"),
        ("unit_id", "unit__force", "role"),
    )
    papers = _by_report(
        ReportNumber.objects.filter(report__in=reports.values("pk"), part="persons", kind__in=PAPERS),
        ("mark", "kind", "normalised"),
    )
    for report in reports:
        several = parts[report.pk]
        leading = [unit for unit, force, role in several if role == LEAD and force == Force.CUSTOMS]
        yield Told(
            report=report.pk,
            incident=report.incident_id,
            unit=report.unit_id,
            day=_day(report),
            received_at=_received(report),
            status=report.statistic_status,
            is_counted=report.statistic_status != EXCLUDED and report.handling != Handling.COMPARTMENT,
            lead_force=report.lead_force,
            mode=report.mode,
            how=_circumstances(report.fields),
            leads=leading[0] if leading else None,
            is_co_led=any(role == CO_LEAD for _, _, role in several),
            parts=tuple((unit, role) for unit, _, role in several if unit),
            lines=tuple(Line(*row) for row in sorted(lines[report.pk])),
            persons=tuple(_persons(report, papers[report.pk])),
        )


_REPORT = (
    "incident_id",
    "unit_id",
    "occurred_on",
    "received_at",
    "statistic_status",
    "handling",
    "lead_force",
    "mode",
    "fields",
)


def _circumstances(fields: Mapping[str, Any]) -> Circumstances:
    """Read how things were found and hidden; what a form does not name stays empty."""
    lists = {"places": "concealment_places", "techniques": "concealment_techniques", "means": "means"}
    several = {name: " ".join(sorted(fields.get(source) or ())) for name, source in lists.items()}
    single = {name: str(fields.get(name) or "") for name in CIRCUMSTANCES if name not in lists}
    return Circumstances(**several, **single)


def _persons(report: SeizureReport, papers: list[tuple[Any, ...]]) -> Iterator[Person]:
    telling = {mark: f"{kind} {number}" for mark, kind, number in papers if is_telling(kind, number)}
    for mark, columns in sorted(report.persons.items()):
        if not columns.get("removed"):
            yield Person(
                mark,
                str(columns.get("status") or ""),
                telling.get(mark, ""),
                fold(str(columns.get("full_name") or "")),
                str(columns.get("birth_date") or ""),
            )


def _by_report(rows: QuerySet[Any], columns: tuple[str, ...]) -> dict[UUID, list[tuple[Any, ...]]]:
    found: dict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
    for report, *values in rows.values_list("report_id", *columns):
        found[report].append(tuple(values))
    return found


def _day(report: SeizureReport) -> dt.date:
    """A report that was sent has its day (a constraint says so)."""
    if report.occurred_on is None:
        raise ValueError(f"no day: {report.pk}")
    return report.occurred_on


def _received(report: SeizureReport) -> dt.datetime:
    if report.received_at is None:
        raise ValueError(f"never received: {report.pk}")
    return report.received_at
