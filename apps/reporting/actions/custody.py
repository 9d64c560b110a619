"""Keeping the figures of custody: the exhibits that changed are worked out again from their events, or all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction

from apps.common.actor import Actor
from apps.custody.models import Exhibit
from apps.reporting.actions.inspections import BATCH, may_count
from apps.reporting.actions.repairing import Kept, repair
from apps.reporting.models import CustodyEntry
from apps.reporting.queries.custody_rows import counted_spans, held_exhibits, kept_spans
from apps.reporting.rules import Held


@transaction.atomic
def count_custody(*, actor: Actor, exhibit_ids: Iterable[UUID]) -> None:
    """Work out again when these exhibits were in custody, and keep that.

    The exhibits are locked first, in one order: a step that comes meanwhile has a change of its own, whose count
    waits for the lock and sees both.
    """
    may_count(actor)
    wanted = sorted(set(exhibit_ids))
    for start in range(0, len(wanted), BATCH):
        _count(wanted[start : start + BATCH])


def recount_custody(*, actor: Actor, dry_run: bool = False) -> tuple[set[Held], set[Held]]:
    """Work out all exhibits; give what is missing among the kept entries and what should not be there (`repair`)."""
    entries = Kept("custody_entry", counted_spans, kept_spans, _count)
    return repair(actor=actor, entries=entries, batches=held_exhibits(BATCH), dry_run=dry_run)


def _count(exhibits: Collection[UUID]) -> None:
    """Replace what differs. In the usual course that is the open entry, which the newest step has ended."""
    list(
        Exhibit.objects.select_for_update(no_key=True)
        .filter(pk__in=exhibits)
        .order_by("pk")
        .values_list("pk")
    )
    fresh, kept = counted_spans(exhibits), kept_spans(exhibits)
    CustodyEntry.objects.filter(pk__in=[pk for span, pk in kept.items() if span not in fresh]).delete()
    added = sorted(fresh - kept.keys(), key=lambda span: (str(span.exhibit), span.since))
    CustodyEntry.objects.bulk_create(
        CustodyEntry(
            exhibit_id=span.exhibit,
            unit_id=span.unit,
            state=span.state,
            stop=span.stop,
            since=span.since,
            until=span.until,
        )
        for span in added
    )
