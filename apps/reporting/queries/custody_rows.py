"""What the events of exhibits say, read for the figures of custody; and what is kept of it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from uuid import UUID

from django.utils import timezone

from apps.custody.models import CustodyEvent
from apps.custody.queries import KIND
from apps.reporting.models import CustodyEntry
from apps.reporting.queries.truth import uncounted
from apps.reporting.rules import Entry, Held, spans_of
from apps.reporting.rules.seizures import EXHIBIT

COUNT_CUSTODY = "reporting.count_custody"
_COLUMNS = ("exhibit_id", "unit_id", "state", "stop", "since", "until")


def counted_spans(exhibits: Collection[UUID]) -> set[Held]:
    """Work out from their events when these exhibits were in custody."""
    steps: dict[UUID, list[Held]] = defaultdict(list)
    for event in CustodyEvent.objects.filter(exhibit__in=exhibits).order_by("exhibit", "seq"):
        step = Held(event.exhibit_id, event.unit_id, event.state, event.said["stop"], event.at)
        steps[event.exhibit_id].append(step)
    return {span for several in steps.values() for span in spans_of(several)}


def kept_spans(exhibits: Collection[UUID]) -> dict[Held, int]:
    """Give what is kept of these exhibits, with the keys of the rows."""
    rows = CustodyEntry.objects.filter(exhibit__in=exhibits).values_list("pk", *_COLUMNS)
    return {Held(*row[1:]): row[0] for row in rows}


def held_entry(row: CustodyEntry) -> Entry:
    """Give an exhibit that was in custody as sums of seizures know it: its state, and what stopped it as its role."""
    report = row.exhibit.report
    return Entry(
        incident=report.incident_id,
        report=report.pk,
        unit=row.unit_id,
        day=timezone.localdate(row.since),
        measure=EXHIBIT,
        status=row.state,
        role=row.stop,
        key=str(row.exhibit_id),
    )


def held_exhibits(batch: int) -> Iterator[list[UUID]]:
    """Give all exhibits in batches, also those of which something is kept that no event tells."""
    told = CustodyEvent.objects.order_by().values_list("exhibit_id", flat=True)
    known = sorted({*told.distinct(), *CustodyEntry.objects.values_list("exhibit_id", flat=True).distinct()})
    for start in range(0, len(known), batch):
        yield known[start : start + batch]


def custody_uncounted_since(units: Collection[UUID] | None = None) -> dt.datetime | None:
    """Tell since when changes of exhibits wait to be counted; with units, of those that hold them."""
    for change in uncounted(KIND, COUNT_CUSTODY, "report"):
        if units is None or change.data.get("unit") in {str(unit) for unit in units}:
            return change.at
    return None
