"""Pull: what has changed in a phone's streams since its cursor, as ready JSON.

Each stream is read by one statement, which sees one snapshot: its head, its count and digest, and its rows agree.
Bodies were serialised when they were written; here they are joined as text.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.changes.models import Stream
from apps.common.actor import Actor
from apps.sync.errors import EpochChanged
from apps.sync.queries import epoch, subscriptions
from apps.sync.rules import Cursor

POLL_SECONDS = 0.5
CHUNK = 500


@dataclass
class _Page:
    """One answer being put together."""

    rows_left: int
    bytes_left: int
    seqs: dict[str, int]
    loading: set[str]
    changes: list[Any] = field(default_factory=list)
    complete: dict[str, Mapping[str, int]] = field(default_factory=dict)
    more: bool = False


@dataclass(frozen=True)
class _Head:
    seq: int
    floor: int
    n: int
    h: int


_EMPTY = _Head(0, 0, 0, 0)


def pull(
    actor: Actor, cursor: Cursor | None, *, rows: int, max_bytes: int, reset: Sequence[str] = ()
) -> dict[str, Any]:
    """Give one page of changes (`orjson.Fragment` bodies). Raises EpochChanged.

    `reset` names streams the phone asks to load from the start because its own count or digest disagrees.
    """
    now = epoch()
    if cursor is not None and cursor.epoch != now:
        raise EpochChanged(current={"epoch": now})
    known = cursor or Cursor(now)
    streams = subscriptions(actor)
    heads = _heads(streams)
    fresh = [s for s in streams if _must_load(s, known, heads.get(s, _EMPTY), reset)]
    seqs = {s: 0 if s in fresh else known.seqs[s] for s in streams}
    page = _Page(rows, max_bytes, seqs, set(fresh) | (known.loading & set(streams)))
    for stream in streams:
        _read(stream, heads.get(stream, _EMPTY), page)
    return {
        "epoch": now,
        "cursor": Cursor(now, page.seqs, frozenset(page.loading)).encode(),
        "more": page.more,
        "drop": sorted(set(known.seqs) - set(streams)),
        "reset": fresh,
        "snapshot": [],
        "changes": page.changes,
        "complete": page.complete,
    }


def wait_for_change(actor: Actor, cursor: Cursor | None, seconds: float) -> None:
    """Return when there is something to tell beyond the phone's cursor, or after `seconds`."""
    if cursor is None or cursor.epoch != epoch():
        return
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        streams = subscriptions(actor)
        heads = _heads(streams)
        if set(streams) != set(cursor.seqs):
            return
        if any(head.seq > cursor.seqs[s] for s, head in heads.items()):
            return
        time.sleep(min(POLL_SECONDS, max(0.0, end - time.monotonic())))


def _heads(streams: Sequence[str]) -> dict[str, _Head]:
    rows = Stream.objects.filter(pk__in=list(streams)).values_list("id", "seq", "floor", "n", "h")
    return {pk: _Head(seq, floor, n, h) for pk, seq, floor, n, h in rows}


def _must_load(stream: str, known: Cursor, head: _Head, reset: Sequence[str]) -> bool:
    seq = known.seqs.get(stream)
    if seq is None or stream in reset or seq > head.seq:
        return True
    return seq < head.floor and stream not in known.loading


def _read(stream: str, head: _Head, page: _Page) -> None:
    """Add the stream's rows to the page, as far as there is room."""
    if page.seqs[stream] == head.seq:
        page.loading.discard(stream)
        page.complete[stream] = {"seq": head.seq, "n": head.n, "h": head.h}
        return
    # Only what stands in the very first statement of a load is known to be absent from the phone's new generation.
    skips_deletions = stream in page.loading and page.seqs[stream] == 0
    while page.rows_left > 0 and page.bytes_left > 0:
        rows = _rows(stream, page.seqs[stream], min(page.rows_left, CHUNK))
        for row in rows:
            if row.seq is None or page.bytes_left <= 0:
                break
            page.seqs[stream] = row.seq
            if row.op == "put" or not skips_deletions:
                page.changes.append(_change(stream, row))
                page.rows_left -= 1
                page.bytes_left -= len(row.body) + 120
        skips_deletions = False
        last = rows[-1]
        if last.seq is None or page.seqs[stream] == last.head_seq:
            page.seqs[stream] = last.head_seq
            page.loading.discard(stream)
            page.complete[stream] = {"seq": last.head_seq, "n": last.n, "h": last.h}
            return
    page.more = True


@dataclass(frozen=True, slots=True)
class _Row:
    head_seq: int
    n: int
    h: int
    kind: str
    oid: Any
    seq: int | None
    op: str
    rev: int
    body: str


def _rows(stream: str, after: int, limit: int) -> list[_Row]:
    """Read head and rows in one statement; one row with `seq` None when there is nothing after the cursor."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.seq, s.n, s.h, e.kind, e.oid, e.seq, e.op, e.rev, e.body FROM changes_stream s "
            "LEFT JOIN changes_entry e ON e.stream_id = s.id AND e.seq > %s "
            "WHERE s.id = %s ORDER BY e.seq LIMIT %s",
            [after, stream, limit],
        )
        return [_Row(*row) for row in cursor.fetchall()]


def _change(stream: str, row: _Row) -> dict[str, Any]:
    oid = row.oid if isinstance(row.oid, UUID) else UUID(row.oid)
    change = {"s": stream, "k": row.kind, "id": str(oid), "rev": row.rev, "op": row.op}
    if row.op == "put":
        change["body"] = orjson.Fragment(row.body)
    return change
