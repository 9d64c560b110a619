"""Pure decisions about snapshots: into how many parts, which part a record is in, when a new one is due."""

from __future__ import annotations

from datetime import datetime, timedelta

THRESHOLD = 20_000
TOO_SMALL = 10_000
FEWEST, MOST = 32, 256
ROWS_AIM, ROWS_FEW, ROWS_MANY = 4000, 500, 8000
DRIFT = 0.05
OLDEST = timedelta(hours=24)
KEEP = timedelta(days=7)
LEASE = timedelta(minutes=5)


def split_for(rows: int, before: int = 0) -> int:
    """Give the number of parts, a power of two from 32 to 256; the one before stays while its parts are fair."""
    if before and ROWS_FEW <= rows / before <= ROWS_MANY:
        return before
    split = FEWEST
    while split < MOST and rows / split > ROWS_AIM:
        split *= 2
    return split


def bucket_of(last_byte: str, split: int) -> int:
    """Give the part that a record is in by the last two digits of its id.

    The last byte, because the first bytes of a UUIDv7 are its time: whole years would share one part.
    """
    return int(last_byte, 16) * split // 256


def bytes_of(bucket: int, split: int) -> list[str]:
    """Give the last two digits of the ids in a part."""
    width = 256 // split
    return [f"{byte:02x}" for byte in range(bucket * width, (bucket + 1) * width)]


def is_due(*, n: int, seq: int, at: int | None, made_at: datetime | None, now: datetime) -> bool:
    """Tell whether a snapshot is due: there is none, 5 % has changed since, or something has and it is a day old."""
    if n < THRESHOLD:
        return False
    if at is None or made_at is None or at > seq:
        return True
    return seq - at > DRIFT * n or (seq != at and now - made_at >= OLDEST)


def part_name(stream_key: str, sha256: str) -> str:
    """Name the place of a part in the storage: each stream has a folder of its own."""
    return f"{stream_key}/{sha256}.gz"


def may_be_cached(stream: str) -> bool:
    """Tell whether a phone's HTTP cache may keep parts: lists hold nothing that is not in every office."""
    return stream.startswith("list:")
