"""What leaves the database in time: tombstones, payloads, old receipts, the settled outbox. In small transactions.

Each batch is one transaction that may be lost: a run that is killed has done less, and the next one goes on. Nothing is
locked but the rows of the batch and, for tombstones, their stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.accounts.models import Device
from apps.audit.actions import log
from apps.changes.models import Change, Entry, Reaction, Stream
from apps.common.actor import Actor
from apps.sync.models import Mutation
from apps.sync.rules import Keep

BATCH = 1000
APPLIED = "applied"
# A discarded draft is known as such by its change: a late edit of it must find it deleted, not absent.
KEPT_CHANGES = ("inspection.discarded",)


@dataclass
class Removed:
    """How many of what one run removed; `is_done` is False when its time ran out first."""

    tombstones: int = 0
    payloads: int = 0
    receipts: int = 0
    changes: int = 0
    is_done: bool = True
    floors: dict[str, int] = field(default_factory=dict)


def retain(*, actor: Actor, keep: Keep, now: datetime | None = None, seconds: float = 200.0) -> Removed:
    """Remove what is older than it must be kept, as far as the time allows; repeated, it finds nothing."""
    moment, end = now or timezone.now(), time.monotonic() + seconds
    removed = Removed()
    removed.tombstones = _repeat(lambda: _bury(moment - timedelta(days=keep.tombstone_days), removed), end)
    removed.payloads = _repeat(lambda: _empty(moment - timedelta(days=keep.payload_days)), end)
    for device in Device.objects.order_by("pk").values_list("pk", flat=True):
        removed.receipts += _repeat(partial(_forget, device, moment - timedelta(days=keep.receipt_days)), end)
    removed.changes = _repeat(lambda: _clear(moment - timedelta(days=keep.outbox_days)), end)
    removed.is_done = time.monotonic() < end
    if removed.tombstones or removed.payloads or removed.receipts or removed.changes:
        with transaction.atomic():
            log(actor, "sync.retained", "retention", None, asdict(removed))
    return removed


def _repeat(batch: Callable[[], int], end: float) -> int:
    """Run batches until one finds nothing or the time is up."""
    total = 0
    while time.monotonic() < end and (removed := batch()):
        total += removed
    return total


@transaction.atomic
def _bury(before: datetime, removed: Removed) -> int:
    """Remove the oldest tombstones of one stream and raise its floor to the highest of them."""
    old = Entry.objects.filter(op="del", changed_at__lt=before)
    name = old.values_list("stream_id", flat=True).first()
    if name is None:
        return 0
    stream = Stream.objects.select_for_update().get(pk=name)
    seqs = list(
        old.filter(stream_id=name, seq__lte=stream.seq).order_by("seq").values_list("seq", flat=True)[:BATCH]
    )
    if not seqs:
        return 0
    Entry.objects.filter(stream_id=name, op="del", seq__in=seqs).delete()
    stream.floor = max(stream.floor, seqs[-1])
    stream.save(update_fields=["floor"])
    removed.floors[name] = stream.floor
    return len(seqs)


def _empty(before: datetime) -> int:
    """Drop the payloads of mutations that were applied: what they said is in the record. The receipt stays.

    What was refused keeps its payload until somebody has decided.
    """
    rows = Mutation.objects.exclude(payload="").filter(status=APPLIED, received_at__lt=before)
    ids = list(rows.order_by("received_at").values_list("pk", flat=True)[:BATCH])
    return Mutation.objects.filter(pk__in=ids).update(payload="") if ids else 0


def _forget(device: UUID, before: datetime) -> int:
    """Remove a device's receipts of applied mutations that it can no longer repeat: its journal is two weeks long.

    One that comes after all is judged anew, and finds its record as it left it.
    """
    rows = Mutation.objects.filter(device_id=device, received_at__lt=before, status=APPLIED)
    ids = list(rows.values_list("pk", flat=True)[:BATCH])
    return Mutation.objects.filter(pk__in=ids).delete()[0] if ids else 0


@transaction.atomic
def _clear(before: datetime) -> int:
    """Remove the oldest changes when they were relayed long ago and their tasks are all done, with those tasks.

    Only the oldest are looked at, so that a run with nothing to do reads little.
    """
    oldest = Change.objects.exclude(kind__in=KEPT_CHANGES).order_by("pk")
    settled = Reaction.objects.filter(change_id=OuterRef("pk"), done_at__isnull=True)
    rows = oldest.annotate(is_owed=Exists(settled)).values_list("pk", "relayed_at", "is_owed")[:BATCH]
    ids = [pk for pk, relayed_at, is_owed in rows if relayed_at and relayed_at < before and not is_owed]
    if not ids:
        return 0
    Reaction.objects.filter(change_id__in=ids).delete()
    Change.objects.filter(pk__in=ids).delete()
    return len(ids)
