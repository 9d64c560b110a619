"""What phones are given of snapshots. Who does not hold the stream gets what nobody gets."""

from __future__ import annotations

import re

import structlog

from apps.changes.models import Stream
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.common.sql import execute
from apps.sync.models import Epoch, Snapshot
from apps.sync.queries import is_subscribed
from apps.sync.snapshots import storage
from apps.sync.snapshots.rules import part_name

log = structlog.get_logger(__name__)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def manifest_of(actor: Actor, stream: str) -> bytes:
    """Give the manifest of a stream as JSON. Raises NotFound; also when phones must page, because it is out of date."""
    if not is_subscribed(actor, stream):
        raise NotFound
    row = Snapshot.objects.filter(stream=stream, epoch__in=Epoch.objects.values("value")).first()
    head = Stream.objects.filter(pk=stream).first()
    if row is None or head is None or not head.floor <= row.seq <= head.seq:
        raise NotFound
    return row.manifest.encode()


def part_of(actor: Actor, stream: str, sha256: str) -> int:
    """Find a part, of this manifest or of one of the last seven days, and give its length. Raises NotFound."""
    if not _SHA256.fullmatch(sha256) or not is_subscribed(actor, stream):
        raise NotFound
    row = execute(
        "SELECT bytes FROM sync_snapshotpart WHERE stream = %s AND sha256 = %s", [stream, sha256]
    ).fetchone()
    if row is None:
        raise NotFound
    return int(row[0])


def read_part(stream: str, sha256: str) -> bytes:
    """Read a part that was found. Raises NotFound when the storage has lost it: the next build makes it again."""
    try:
        return storage.read(part_name(storage.folder(stream), sha256))
    except FileNotFoundError:
        log.error("snapshot.part_lost", stream=stream, sha256=sha256)  # noqa: TRY400  the trace says nothing
        raise NotFound from None
