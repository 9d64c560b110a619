"""Making snapshots, and forgetting parts that no manifest names.

A part remembers the number at which it was true. One in which nothing has happened since is true still, whoever built
it: so an unchanged part is reused, and a build that was killed goes on where it ended.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.changes.models import Stream
from apps.sync.models import Epoch, Snapshot, SnapshotPart
from apps.sync.snapshots import rules, storage
from apps.sync.snapshots.reading import Reader, StreamHead, one_moment

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Another builder has taken the stream over."""


@dataclass
class _Lease:
    """The claim of one builder on a stream; it runs out by itself."""

    stream: str
    until: datetime

    def renew(self) -> None:
        """Hold on. Raises LeaseLost."""
        until = timezone.now() + rules.LEASE
        held = Snapshot.objects.filter(stream=self.stream, claimed_until=self.until)
        if not held.update(claimed_until=until):
            raise LeaseLost
        self.until = until

    def release(self) -> None:
        """Let go."""
        Snapshot.objects.filter(stream=self.stream, claimed_until=self.until).update(claimed_until=None)


def build_due(streams: Sequence[str] = (), *, now: datetime | None = None) -> list[str]:
    """Build the snapshots that are due, of the named streams or of all; gives the streams built."""
    now = now or timezone.now()
    large = Stream.objects.filter(n__gte=rules.THRESHOLD).order_by("id")
    if streams:
        large = large.filter(pk__in=streams)
    _forget_small()
    epoch = Epoch.objects.values_list("value", flat=True).get(pk=1)
    made = {row.stream: row for row in Snapshot.objects.filter(epoch=epoch)}
    built = []
    for stream in large:
        row = made.get(stream.pk)
        at, made_at = (row.seq, row.made_at) if row and row.seq >= stream.floor else (None, None)
        due = rules.is_due(n=stream.n, seq=stream.seq, at=at, made_at=made_at, now=now)
        if due and build_snapshot(stream.pk):
            built.append(stream.pk)
    return built


@transaction.atomic
def _forget_small() -> None:
    """Take back the manifests of streams that have become small; their phones load by pages again."""
    small = Stream.objects.filter(n__lt=rules.TOO_SMALL).values("pk")
    rows = list(Snapshot.objects.select_for_update().filter(stream__in=small, epoch__isnull=False))
    for row in rows:
        row.epoch, row.manifest = None, ""
        row.save(update_fields=["epoch", "manifest"])
        named = SnapshotPart.objects.filter(stream=row.stream, unnamed_at__isnull=True)
        named.update(unnamed_at=timezone.now())


def build_snapshot(stream: str) -> bool:
    """Build the snapshot of one stream; False when somebody else is at it, or the epoch changed meanwhile."""
    lease = _claim(stream)
    if lease is None:
        return False
    try:
        with one_moment() as reader:
            head = reader.head(stream)
            before = Snapshot.objects.get(stream=stream)
            split = rules.split_for(head.n, before.split)
            parts = _parts(stream, split, head, reader, lease)
        return _publish(stream, split, head, parts)
    except LeaseLost:
        log.warning("snapshot.lease_lost", stream=stream)
        return False
    finally:
        lease.release()


def collect_parts(*, now: datetime | None = None) -> int:
    """Forget parts that no manifest has named for seven days, and files without a row; gives how many went."""
    now = now or timezone.now()
    gone = 0
    for stream in Snapshot.objects.values_list("stream", flat=True):
        lease = _claim(stream)
        if lease is None:
            continue
        try:
            gone += _collect(stream, now - rules.KEEP)
        finally:
            lease.release()
    return gone


def _claim(stream: str) -> _Lease | None:
    now = timezone.now()
    until = now + rules.LEASE
    Snapshot.objects.get_or_create(stream=stream)
    free = Snapshot.objects.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=now), stream=stream)
    return _Lease(stream, until) if free.update(claimed_until=until) else None


def _parts(
    stream: str, split: int, head: StreamHead, reader: Reader, lease: _Lease
) -> dict[int, SnapshotPart]:
    """Give every part as it stands at the head, building those in which something has happened.

    A part older than the floor is not trusted: the deletions that would tell may be gone. Neither are parts that do
    not add up to the count of the stream.
    """
    known = SnapshotPart.objects.filter(
        stream=stream, epoch=head.epoch, split=split, as_of__gte=head.floor, as_of__lte=head.seq
    )
    parts = {part.bucket: part for part in known.order_by("as_of")}  # of each the newest
    changed = reader.changed(stream, min((part.as_of for part in parts.values()), default=0), split)
    sound = {
        bucket: part
        for bucket, part in parts.items()
        if changed.get(bucket, 0) <= part.as_of and storage.has(_name(stream, part.sha256))
    }
    built = _build(
        stream, [bucket for bucket in range(split) if bucket not in sound], split, head, reader, lease
    )
    if sum(part.rows for part in (sound | built).values()) != head.n:
        log.error("snapshot.parts_differ", stream=stream, reused=len(sound))
        sound, built = {}, _build(stream, list(range(split)), split, head, reader, lease)
    log.info("snapshot.parts", stream=stream, built=len(built), reused=len(sound))
    return sound | built


def _build(
    stream: str, buckets: Sequence[int], split: int, head: StreamHead, reader: Reader, lease: _Lease
) -> dict[int, SnapshotPart]:
    built = {}
    for bucket, data, rows in reader.parts(stream, split, buckets) if buckets else ():
        lease.renew()
        facts = {"epoch": head.epoch, "split": split, "bucket": bucket, "as_of": head.seq, "rows": rows}
        built[bucket] = _store(stream, data, **facts)
    return built


def _store(stream: str, data: bytes, **facts: object) -> SnapshotPart:
    """Keep a part: the row first, so that a file never lies there that nobody will ever remove."""
    sha256 = hashlib.sha256(data).hexdigest()
    told = {**facts, "bytes": len(data)}
    part, _ = SnapshotPart.objects.update_or_create(
        stream=stream, sha256=sha256, defaults=told, create_defaults={**told, "unnamed_at": timezone.now()}
    )
    name = _name(stream, sha256)
    if not storage.has(name):
        storage.put(name, data)
    return part


def _name(stream: str, sha256: str) -> str:
    return rules.part_name(storage.folder(stream), sha256)


@transaction.atomic
def _publish(stream: str, split: int, head: StreamHead, parts: dict[int, SnapshotPart]) -> bool:
    """Make this the manifest: its parts are true at the head; what it does not name begins to age."""
    row = Snapshot.objects.select_for_update().get(stream=stream)
    if Epoch.objects.get(pk=1).value != head.epoch or (row.epoch == head.epoch and row.seq > head.seq):
        return False
    now = timezone.now()
    named = [parts[bucket] for bucket in sorted(parts)]
    row.epoch, row.seq, row.n, row.h = head.epoch, head.seq, head.n, head.h
    row.split, row.made_at = split, now
    row.manifest = _manifest(stream, head, named, now)
    row.save(update_fields=["epoch", "seq", "n", "h", "split", "made_at", "manifest"])
    ours = SnapshotPart.objects.filter(stream=stream)
    hashes = [part.sha256 for part in named]
    ours.filter(sha256__in=hashes).update(unnamed_at=None, as_of=head.seq)
    ours.filter(unnamed_at__isnull=True).exclude(sha256__in=hashes).update(unnamed_at=now)
    return True


def _manifest(stream: str, head: StreamHead, parts: Sequence[SnapshotPart], now: datetime) -> str:
    told = {
        "stream": stream,
        "epoch": head.epoch,
        "seq": head.seq,
        "n": head.n,
        "h": head.h,
        "made_at": now,
        "parts": [
            {
                "byte": part.bucket * (256 // part.split),
                "sha256": part.sha256,
                "bytes": part.bytes,
                "rows": part.rows,
            }
            for part in parts
        ],
    }
    return orjson.dumps(told, option=orjson.OPT_UTC_Z).decode()


def _collect(stream: str, before: datetime) -> int:
    """Remove file, then row: what is left after a crash between the two is found again."""
    old = SnapshotPart.objects.filter(stream=stream, unnamed_at__lt=before)
    doomed = list(old.values_list("sha256", flat=True))
    for sha256 in doomed:
        storage.remove(_name(stream, sha256))
    old.filter(sha256__in=doomed).delete()
    rows = {
        _name(stream, sha)
        for sha in SnapshotPart.objects.filter(stream=stream).values_list("sha256", flat=True)
    }
    strays = [name for name, at in storage.names(storage.folder(stream)) if name not in rows and at < before]
    for name in strays:
        storage.remove(name)
    return len(doomed) + len(strays)
