"""Pull: what has changed in a phone's streams since its cursor, as ready JSON.

One statement tells epoch, streams and heads; a phone with nothing to learn costs no other. Each stream with news is
then read by statements that see one snapshot each: its head, its count and digest, and its rows agree. The database
puts the JSON of a row together from what was written; here rows are joined as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson
from django.db import connection

from apps.common.actor import Actor
from apps.common.sql import execute
from apps.sync.errors import EpochChanged
from apps.sync.queries import Head, standing
from apps.sync.rules import Cursor
from apps.sync.sql import id_text

CHUNK = 500
_BY_SEQ = itemgetter(3)


@dataclass(frozen=True)
class Loads:
    """What a phone says of snapshots: streams it loaded from one, at which number; streams still being loaded."""

    loaded: Mapping[str, int] = field(default_factory=dict)
    later: frozenset[str] = frozenset()


@dataclass
class _Page:
    """One answer being put together."""

    rows_left: int
    bytes_left: int
    seqs: dict[str, int]
    loading: set[str]
    changes: list[bytes] = field(default_factory=list)
    complete: dict[str, Mapping[str, int]] = field(default_factory=dict)
    more: bool = False

    @property
    def is_full(self) -> bool:
        return self.rows_left <= 0 or self.bytes_left <= 0


def pull(
    actor: Actor,
    cursor: Cursor | None,
    *,
    rows: int,
    max_bytes: int,
    reset: Sequence[str] = (),
    loads: Loads | None = None,
) -> dict[str, Any]:
    """Give one page of changes (`changes` is an `orjson.Fragment`, or empty). Raises EpochChanged.

    `reset` names streams the phone asks to load from the start because its own count or digest disagrees.
    """
    now, heads = standing(actor)
    if cursor is not None and cursor.epoch != now:
        raise EpochChanged(current={"epoch": now})
    known, loads = cursor or Cursor(now), loads or Loads()
    # Only beside a cursor, which says of which epoch the number is.
    named = heads.keys() & known.seqs.keys() & loads.loaded.keys()
    loaded = {s: loads.loaded[s] for s in named if heads[s].floor <= loads.loaded[s] <= heads[s].seq}
    fresh = [s for s, head in heads.items() if s not in loaded and _must_load(s, known, head, reset)]
    seqs = {s: 0 if s in fresh else loaded.get(s, known.seqs.get(s, 0)) for s in heads}
    # A phone that knows no snapshots asks again, and then gets pages.
    by_snapshot = [s for s in fresh if heads[s].snapshot is not None]
    page = _Page(
        rows, max_bytes, seqs, {*fresh, *loaded, *(known.loading & heads.keys())}, more=bool(by_snapshot)
    )
    for stream, head in heads.items():
        if stream not in by_snapshot and stream not in loads.later:
            _read(stream, head, page)
    return {
        "epoch": now,
        "cursor": Cursor(now, page.seqs, frozenset(page.loading)).encode(),
        "more": page.more,
        "drop": sorted(set(known.seqs) - heads.keys()),
        "reset": fresh,
        "snapshot": by_snapshot,
        "changes": orjson.Fragment(b"[" + b",".join(page.changes) + b"]") if page.changes else [],
        "complete": page.complete,
    }


def _must_load(stream: str, known: Cursor, head: Head, reset: Sequence[str]) -> bool:
    seq = known.seqs.get(stream)
    if seq is None or stream in reset or seq > head.seq:
        return True
    return seq < head.floor and stream not in known.loading


def _read(stream: str, head: Head, page: _Page) -> None:
    """Add the stream's rows to the page, as far as there is room."""
    if page.seqs[stream] == head.seq:
        _finish(stream, (head.seq, head.n, head.h), page)
        return
    # Only what stands in the very first statement of a load is known to be absent from the phone's new generation.
    skips_deletions = stream in page.loading and page.seqs[stream] == 0
    limit = CHUNK
    while not page.is_full:
        limit = min(page.rows_left, limit)
        rows = _rows(stream, page.seqs[stream], limit, skips_deletions=skips_deletions)
        size = _take(stream, rows, page)
        at = page.seqs[stream]
        if rows[0][3] is None or at == rows[0][0] or (len(rows) < limit and at == rows[-1][3]):
            _finish(stream, rows[0][:3], page)
            return
        skips_deletions = False
        limit = max(1, page.bytes_left * len(rows) // max(1, size))
    page.more = True


def _take(stream: str, rows: Sequence[tuple[Any, ...]], page: _Page) -> int:
    """Put rows into the page until it is full; gives the bytes taken."""
    before, begin = page.bytes_left, b'{"s":' + orjson.dumps(stream) + b","
    left, taken = before, len(page.changes)
    for _, _, _, seq, text in rows:
        if seq is None or left <= 0:
            break
        change = begin + text.encode()
        page.changes.append(change)
        page.seqs[stream] = seq
        left -= len(change)
    page.bytes_left = left
    page.rows_left -= len(page.changes) - taken
    return before - left


def _finish(stream: str, head: tuple[Any, ...], page: _Page) -> None:
    seq, n, h = head
    page.seqs[stream] = seq
    page.loading.discard(stream)
    page.complete[stream] = {"seq": seq, "n": n, "h": h}


def _rows(stream: str, after: int, limit: int, *, skips_deletions: bool) -> list[tuple[Any, ...]]:
    """Read head and rows in one statement; one row without a number when there is nothing after the cursor."""
    statement = _statement(connection.vendor, skips_deletions)
    rows: list[tuple[Any, ...]] = execute(statement, [stream, after, limit, stream]).fetchall()
    if len(rows) > 1:
        rows.sort(key=_BY_SEQ)
    return rows


@lru_cache(maxsize=4)
def _statement(vendor: str, skips_deletions: bool) -> str:  # noqa: FBT001  a key of the cache
    """Compose the statement: the inner part walks the index (stream, seq) and stops at the limit, on both databases."""
    puts = "AND op = 'put'" if skips_deletions else ""
    return (
        "SELECT s.seq, s.n, s.h, e.seq, e.text FROM changes_stream s LEFT JOIN ("  # noqa: S608  names alone
        f"""SELECT seq, '"k":"' || kind || '","id":"' || {id_text(vendor, "oid")} || '","rev":' || rev || """
        """CASE WHEN op = 'put' THEN ',"op":"put","body":' || body || '}' ELSE ',"op":"del"}' END AS text """
        f"FROM changes_entry WHERE stream_id = %s AND seq > %s {puts} ORDER BY seq LIMIT %s"
        ") e ON 1 = 1 WHERE s.id = %s"
    )
