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
from apps.changes.rules import DIGEST_MASK, row_digest
from apps.common.actor import Actor
from apps.common.postgresql.waiting import Statement
from apps.common.sql import as_uuid, execute, insert, places, write


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


def record(actor: Actor, *items: Item, held: Any = None) -> None:
    """Append the items to their streams and to the outbox; call once, last, in the action's transaction.

    All streams are raised in sorted order, so two actions cannot wait for each other. `held` is the answer to
    `ask_held` from an action that sent it with statements of its own, after the one that locks its records. Raises
    RuntimeError outside a transaction: an entry without its domain row, or the reverse, must be impossible.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("changes.record() needs the transaction of the action")
    now = timezone.now()
    placements = [p for item in items for p in _placements(item)]
    if placements:
        _place(placements, now, held)
    for item in items:
        insert(
            "changes_change",
            {
                "kind": item.change,
                "record_kind": item.kind,
                "oid": item.oid,
                "rev": item.rev,
                "actor_id": actor.officer_id,
                "data": dict(item.data),
                "at": now,
            },
        )
    transaction.on_commit(wake, robust=True)


def _placements(item: Item) -> list[_Placement]:
    body = orjson.dumps(item.body).decode() if item.streams else ""
    puts = [_Placement(s, item.kind, item.oid, "put", item.rev, body) for s in item.streams]
    gone = [_Placement(s, item.kind, item.oid, "del", item.rev, "{}") for s in item.leaves]
    return puts + gone


def _place(placements: list[_Placement], now: datetime, answer: Any) -> None:
    by_stream: dict[str, dict[tuple[str, UUID], _Placement]] = {}
    for p in placements:
        by_stream.setdefault(p.stream, {})[(p.kind, p.oid)] = p
    # A put at revision 1 is a new record: no stream can hold it yet.
    known = {p.oid for p in placements if p.op == "del" or p.rev > 1}
    if known and answer is None:
        answer = execute(*ask_held(list(by_stream), list(known)))
    held = _held(answer) if known else {}
    for stream in sorted(by_stream):
        rows = [
            p
            for key, p in sorted(by_stream[stream].items(), key=lambda row: str(row[0]))
            if p.op == "put" or (stream, *key) in held
        ]
        if rows:
            _raise_stream(stream, rows, held)
            for behind, p in enumerate(reversed(rows)):
                write(_MOVE_FORWARD, [stream, p.kind, p.oid, p.op, p.rev, p.body, now, behind, stream])


def ask_held(streams: Sequence[str], oids: Sequence[UUID]) -> Statement:
    """Give the statement that asks what streams hold of records; the action has locked the records themselves."""
    sql = (
        "SELECT stream_id, kind, oid, rev FROM changes_entry WHERE op = 'put' "  # noqa: S608  only places, no input
        f"AND stream_id IN ({places(streams)}) AND oid IN ({places(oids)})"
    )
    return sql, [*streams, *oids]


def _held(answer: Any) -> dict[tuple[str, str, UUID], int]:
    """Give the revision of each live row, by (stream, kind, id)."""
    return {(s, k, as_uuid(o)): rev for s, k, o, rev in answer.fetchall()}


def _raise_stream(stream: str, rows: Sequence[_Placement], held: Mapping[tuple[str, str, UUID], int]) -> None:
    live = digest = 0
    for p in rows:
        old = held.get((stream, p.kind, p.oid))
        if old is not None:
            live -= 1
            digest -= row_digest(p.kind, p.oid, old)
        if p.op == "put":
            live += 1
            digest += row_digest(p.kind, p.oid, p.rev)
    write(_RAISE, [stream, len(rows), max(live, 0), digest & DIGEST_MASK, live])


_RAISE = f"""
    INSERT INTO changes_stream (id, seq, floor, n, h) VALUES (%s, %s, 0, %s, %s)
    ON CONFLICT (id) DO UPDATE SET
        seq = changes_stream.seq + excluded.seq,
        n = changes_stream.n + %s,
        h = (changes_stream.h + excluded.h) & {DIGEST_MASK}
"""  # noqa: S608  a constant mask, no input
# The stream's row, raised just before in this transaction, says which number is the row's own.
_MOVE_FORWARD = """
    INSERT INTO changes_entry (stream_id, kind, oid, op, rev, body, changed_at, seq)
    SELECT %s, %s, %s, %s, %s, %s, %s, s.seq - %s FROM changes_stream s WHERE s.id = %s
    ON CONFLICT (stream_id, kind, oid) DO UPDATE SET
        seq = excluded.seq, op = excluded.op, rev = excluded.rev, body = excluded.body,
        changed_at = excluded.changed_at
"""
