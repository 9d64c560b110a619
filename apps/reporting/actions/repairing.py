"""Comparing what is kept with what the rows say, batch by batch, and putting right what differs: one way for both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import transaction

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.reporting.actions.inspections import may_count

Found = TypeVar("Found")


@dataclass(frozen=True)
class Kept(Generic[Found]):
    """Entries of one kind: what they should be, what is kept, and how it is put right, each for a batch of keys."""

    kind: str
    fresh: Callable[[Collection[UUID]], set[Found]]
    kept: Callable[[Collection[UUID]], Mapping[Found, Any]]
    count: Callable[[Collection[UUID]], None]


def repair(
    *, actor: Actor, entries: Kept[Found], batches: Iterable[Collection[UUID]], dry_run: bool
) -> tuple[set[Found], set[Found]]:
    """Count all batches; give what is missing among the kept entries and what should not be there.

    Unless it is a dry run, what differs is put right, each batch in a transaction of its own.
    """
    may_count(actor)
    missing: set[Found] = set()
    extra: set[Found] = set()
    for batch in batches:
        with transaction.atomic():
            fresh, kept = entries.fresh(batch), entries.kept(batch).keys()
            missing |= fresh - kept
            extra |= kept - fresh
            if fresh != kept and not dry_run:
                entries.count(batch)
    if (missing or extra) and not dry_run:
        log(actor, "figures.recounted", entries.kind, data={"missing": len(missing), "extra": len(extra)})
    return missing, extra
