"""What phones are given of snapshots. Who does not hold the stream gets what nobody gets."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
TOGETHER = 2_000_000
MOST_NAMES = 64
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
    return _lengths(actor, stream, [sha256])[sha256]


def read_parts(actor: Actor, stream: str, names: Sequence[str]) -> bytes:
    """Give several parts one after the other, in the order asked for, until 2 MB are full; at least the first.

    Raises NotFound when one of them is not there for this person.
    """
    lengths = _lengths(actor, stream, names)
    data: list[bytes] = []
    size = 0
    for sha256 in names:
        size += lengths[sha256]
        if data and size > TOGETHER:
            break
        data.append(read_part(stream, sha256))
    return b"".join(data)


def _lengths(actor: Actor, stream: str, names: Sequence[str]) -> dict[str, int]:
    is_sound = 0 < len(names) <= MOST_NAMES and all(_SHA256.fullmatch(name) for name in names)
    if not is_sound or not is_subscribed(actor, stream):
        raise NotFound
    places = ", ".join(["%s"] * len(names))
    found = execute(
        f"SELECT sha256, bytes FROM sync_snapshotpart WHERE stream = %s AND sha256 IN ({places})",  # noqa: S608  places
        [stream, *names],
    )
    lengths: dict[str, int] = dict(found.fetchall())
    if len(lengths) != len(set(names)):
        raise NotFound
    return lengths


def read_part(stream: str, sha256: str) -> bytes:
    """Read a part that was found. Raises NotFound when the storage has lost it: the next build makes it again."""
    try:
        return storage.read(part_name(storage.folder(stream), sha256))
    except FileNotFoundError:
        log.error("snapshot.part_lost", stream=stream, sha256=sha256)  # noqa: TRY400  the trace says nothing
        raise NotFound from None
