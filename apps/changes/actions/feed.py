"""`record()`: append what an action did to the streams and to the outbox, inside the action's transaction.

The number of an entry is taken by raising the stream's counter row, so the order of numbers is the order of commits on
SQLite and PostgreSQL alike: a reader's cursor cannot step over a row that commits later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils import timezone

from apps.changes.actions.relay import wake
from apps.changes.models import Change, Entry
from apps.changes.rules import DIGEST_MASK, row_digest
from apps.common.actor import Actor


@dataclass(frozen=True)
class Item:
    """One record that an action changed.

    `streams` receive `body` at `rev`; `leaves` are streams that must lose the record. `data` is for the tasks that
    react to the change (ids and dates, JSON types only), never for phones.
    """

    change: str
    kind: str
    oid: UUID
    rev: int
    body: Mapping[str, Any] = field(default_factory=dict)
    streams: Sequence[str] = ()
    leaves: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Placement:
    stream: str
    kind: str
    oid: UUID
    op: str
    rev: int
    body: str


def record(actor: Actor, *items: Item) -> None:
    """Append the items to their streams and to the outbox; call once, last, in the action's transaction.

    All streams are raised in sorted order, so two actions cannot wait for each other. Raises RuntimeError outside a
    transaction: an entry without its domain row, or the reverse, must be impossible.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("changes.record() needs the transaction of the action")
    now = timezone.now()
    placements = [p for item in items for p in _placements(item)]
    if placements:
        _place(placements, now)
    Change.objects.bulk_create(
        [
            Change(
                kind=item.change,
                record_kind=item.kind,
                oid=item.oid,
                rev=item.rev,
                actor_id=actor.officer_id,
                data=dict(item.data),
                at=now,
            )
            for item in items
        ]
    )
    transaction.on_commit(wake, robust=True)


def _placements(item: Item) -> list[_Placement]:
    body = orjson.dumps(item.body).decode() if item.streams else ""
    puts = [_Placement(s, item.kind, item.oid, "put", item.rev, body) for s in item.streams]
    gone = [_Placement(s, item.kind, item.oid, "del", item.rev, "{}") for s in item.leaves]
    return puts + gone


def _place(placements: list[_Placement], now: datetime) -> None:
    by_stream: dict[str, dict[tuple[str, UUID], _Placement]] = {}
    for p in placements:
        by_stream.setdefault(p.stream, {})[(p.kind, p.oid)] = p
    # A put at revision 1 is a new record: no stream can hold it yet.
    known = {p.oid for p in placements if p.op == "del" or p.rev > 1}
    held = _held(by_stream, known) if known else {}
    with connection.cursor() as cursor:
        for stream in sorted(by_stream):
            rows = [
                p
                for key, p in sorted(by_stream[stream].items(), key=lambda row: str(row[0]))
                if p.op == "put" or (stream, *key) in held
            ]
            if rows:
                seq = _raise_stream(cursor, stream, rows, held)
                _upsert(cursor, rows, seq - len(rows), now)


def _held(
    by_stream: Mapping[str, Mapping[tuple[str, UUID], _Placement]], oids: set[UUID]
) -> dict[tuple[str, str, UUID], int]:
    """Give the revision of each live row, by (stream, kind, id); the action has locked the records themselves."""
    rows = Entry.objects.filter(stream_id__in=list(by_stream), oid__in=oids, op="put")
    return {(s, k, o): rev for s, k, o, rev in rows.values_list("stream_id", "kind", "oid", "rev")}


def _raise_stream(
    cursor: Any, stream: str, rows: Sequence[_Placement], held: Mapping[tuple[str, str, UUID], int]
) -> int:
    live = digest = 0
    for p in rows:
        old = held.get((stream, p.kind, p.oid))
        if old is not None:
            live -= 1
            digest -= row_digest(p.kind, p.oid, old)
        if p.op == "put":
            live += 1
            digest += row_digest(p.kind, p.oid, p.rev)
    digest &= DIGEST_MASK
    cursor.execute(
        f"""
        INSERT INTO changes_stream (id, seq, floor, n, h) VALUES (%s, %s, 0, %s, %s)
        ON CONFLICT (id) DO UPDATE SET
            seq = changes_stream.seq + excluded.seq,
            n = changes_stream.n + %s,
            h = (changes_stream.h + excluded.h) & {DIGEST_MASK}
        RETURNING seq
        """,  # noqa: S608  a constant mask, no input
        [stream, len(rows), max(live, 0), digest, live],
    )
    return int(cursor.fetchone()[0])


def _upsert(cursor: Any, rows: Sequence[_Placement], base: int, now: datetime) -> None:
    Entry.objects.bulk_create(
        [
            Entry(
                stream_id=p.stream,
                kind=p.kind,
                oid=p.oid,
                seq=base + i,
                op=p.op,
                rev=p.rev,
                body=p.body,
                changed_at=now,
            )
            for i, p in enumerate(rows, start=1)
        ],
        update_conflicts=True,
        unique_fields=["stream", "kind", "oid"],
        update_fields=["seq", "op", "rev", "body", "changed_at"],
    )
