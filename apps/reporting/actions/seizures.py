"""Keeping the entries of seizures: count again the incidents that changed, or everything that differs from the rows.

As with inspections the rows are the truth and nothing is ever incremented. What is counted again is an incident with
all that a merge has ever made one with it, since a change of one report may move what another one counts as.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.common.actor import Actor
from apps.reporting.actions.inspections import BATCH, may_count
from apps.reporting.actions.repairing import Kept, repair
from apps.reporting.models import SeizureEntry
from apps.reporting.queries.seizure_rows import (
    counted_entries,
    incidents_with,
    kept_entries,
    row_of,
    together,
)
from apps.reporting.rules import Entry
from apps.seizures.models import Incident


@transaction.atomic
def count_seizures(*, actor: Actor, report_ids: Iterable[UUID]) -> None:
    """Count the incidents of these reports again; what they add from now on replaces what they added, which stays read.

    The incidents are locked first, in one order. A merge that comes meanwhile has a change of its own, whose count
    waits for the lock and sees both.
    """
    may_count(actor)
    _count(incidents_with(report_ids))


def recount_seizures(*, actor: Actor, dry_run: bool = False) -> tuple[set[Entry], set[Entry]]:
    """Count all incidents; give what is missing among the kept entries and what should not be there (`repair`)."""
    entries = Kept("seizure_entry", counted_entries, kept_entries, _count)
    return repair(actor=actor, entries=entries, batches=_batches(together()), dry_run=dry_run)


def _count(incidents: Collection[UUID]) -> None:
    rows = Incident.objects.select_for_update(no_key=True).filter(pk__in=incidents).order_by("pk")
    list(rows.values_list("pk"))
    fresh, kept = counted_entries(incidents), kept_entries(incidents)
    now = timezone.now()
    gone = [pk for found, pk in kept.items() if found not in fresh]
    for start in range(0, len(gone), BATCH):
        SeizureEntry.objects.filter(pk__in=gone[start : start + BATCH]).update(until=now)
    added = sorted(fresh - kept.keys(), key=lambda e: (str(e.report), e.measure, e.mark))
    SeizureEntry.objects.bulk_create([row_of(found, now) for found in added], batch_size=BATCH)


def _batches(sets: Iterable[set[UUID]]) -> Iterable[set[UUID]]:
    """Put sets together to about a batch each; none is torn apart."""
    batch: set[UUID] = set()
    for several in sets:
        batch |= several
        if len(batch) >= BATCH:
            yield batch
            batch = set()
    if batch:
        yield batch
