"""Rows that follow from a report, and its incident, against the newest event of it, or against what it says itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from apps.audit.models import Event
from apps.audit.rules.findings import Finding
from apps.common.errors import InvalidFields
from apps.seizures.actions.common import lines_for, numbers_for, participations_for
from apps.seizures.models import Incident, SeizureReport
from apps.seizures.queries import DERIVED, derived_hash

Rows = Mapping[str, Mapping[UUID, Sequence[Any]]]
_NAMES = {
    "lines": "lines that are counted",
    "participations": "units that took part",
    "participants": "people who work on it",
    "numbers": "numbers that are compared",
}
# A migration may write rows anew by better rules: then they are sound when a sound report says the same today.
_ANEW: Mapping[str, Callable[[SeizureReport], Any]] = {
    "lines": lines_for,
    "participations": participations_for,
    "numbers": numbers_for,
}


def rows_of(reports: Collection[UUID]) -> Rows:
    """Load the rows that follow from these reports, by kind and report."""
    found: dict[str, dict[UUID, list[Any]]] = {}
    for kind, (model, _) in DERIVED.items():
        of = found.setdefault(kind, {})
        for row in model.objects.filter(report__in=list(reports)):
            of.setdefault(row.report_id, []).append(row)
    return found


def check_rows(place: str, row: SeizureReport, newest: Event, rows: Rows) -> Iterator[Finding]:
    """Compare the rows of a report that is itself sound with the newest event of it.

    Events from before they named these rows leave the lines, which are compared with the report.
    """
    told = newest.data.get("rows")
    for kind in DERIVED if told else ("lines",):
        own = rows[kind].get(row.pk, ())
        found = derived_hash(kind, own)
        if (told is None or told[kind] != found) and found != _anew(kind, row):
            yield Finding("record-differs", place, _NAMES[kind])


def _anew(kind: str, row: SeizureReport) -> str | None:
    if kind not in _ANEW:
        return None
    try:
        return derived_hash(kind, list(_ANEW[kind](row)))
    except InvalidFields:  # a substance or unit that is not known any more
        return None


def check_incident(row: SeizureReport, newest: Event) -> Iterator[Finding]:
    """Compare the incident of a report with the newest event of the report."""
    said = newest.data.get("incident")
    if said is None:
        return
    incident = row.incident
    place = f"incident {incident}"
    if str(incident.unit_id) != said["unit"]:
        yield Finding("record-differs", place, "unit")
    # A draft was begun before the number was given; then a sent report of the same incident tells it.
    if incident.number != said["number"] and (said["number"] or not _is_sent(incident)):
        yield Finding("record-differs", place, "number")


def _is_sent(incident: Incident) -> bool:
    return incident.reports.filter(is_draft=False).exists()


def check_strays() -> Iterator[Finding]:
    """Name incidents of which no report tells: no action leaves one."""
    for incident in Incident.objects.filter(reports=None):
        yield Finding("event-missing", f"incident {incident}", "no report")
