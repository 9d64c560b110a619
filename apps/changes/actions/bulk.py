"""`record_rows()`: append thousands of rows of one kind to one stream, as sets; the guarantees of `record()`.

The stream's counter row is locked first and raised last, in the caller's transaction, so the order of numbers is the
order of commits here too. For imports: a batch is one transaction, one raise, one statement for the rows and one
change in the outbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils import timezone

from apps.changes.actions.relay import wake
from apps.changes.models import Change
from apps.changes.rules import DIGEST_MASK, row_digest
from apps.common.actor import Actor
from apps.common.sql import adapted


@dataclass(frozen=True)
class Rows:
    """What a batch did to one stream: `puts` are (id, revision, ready JSON), `leaves` are (id, revision).

    `change` and `oid` name what happened to which record for the outbox; `data` is for the tasks that react.
    """

    change: str
    record_kind: str
    oid: UUID
    stream: str
    kind: str
    puts: Sequence[tuple[UUID, int, str]] = ()
    leaves: Sequence[tuple[UUID, int]] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def record_rows(actor: Actor, rows: Rows) -> None:
    """Append the rows to their stream and one change to the outbox; call once, last, in the action's transaction.

    An id may stand in the batch once. What leaves without being there writes nothing. Raises RuntimeError outside a
    transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("changes.record_rows() needs the transaction of the action")
    now = timezone.now()
    if rows.puts or rows.leaves:
        with connection.cursor() as cursor:
            _place(cursor, rows, now)
    Change.objects.create(
        kind=rows.change,
        record_kind=rows.record_kind,
        oid=rows.oid,
        rev=1,
        actor_id=actor.officer_id,
        data=dict(rows.data),
        at=now,
    )
    transaction.on_commit(wake, robust=True)


def _place(cursor: Any, rows: Rows, now: datetime) -> None:
    seq = _locked_seq(cursor, rows.stream)
    held = _held(cursor, rows)
    placed = [(oid, "put", rev, body) for oid, rev, body in rows.puts]
    placed += [(oid, "del", rev, "{}") for oid, rev in rows.leaves if oid in held]
    if not placed:
        return
    live = digest = 0
    for oid, op, rev, _ in placed:
        old = held.get(oid)
        if old is not None:
            live -= 1
            digest -= row_digest(rows.kind, oid, old)
        if op == "put":
            live += 1
            digest += row_digest(rows.kind, oid, rev)
    _write(cursor, rows, placed, seq, now)
    cursor.execute(
        f"UPDATE changes_stream SET seq = seq + %s, n = n + %s, h = (h + %s) & {DIGEST_MASK} WHERE id = %s",  # noqa: S608  a constant
        [len(placed), live, digest & DIGEST_MASK, rows.stream],
    )


def _locked_seq(cursor: Any, stream: str) -> int:
    """Lock the stream's row until the commit, making it when it is new; gives its number."""
    cursor.execute(
        "INSERT INTO changes_stream (id, seq, floor, n, h) VALUES (%s, 0, 0, 0, 0) "
        "ON CONFLICT (id) DO UPDATE SET seq = changes_stream.seq RETURNING seq",
        [stream],
    )
    return int(cursor.fetchone()[0])


def _held(cursor: Any, rows: Rows) -> dict[UUID, int]:
    """Give the revision of each row of the batch that is live in the stream."""
    ids = [adapted(oid) for oid, *_ in (*rows.puts, *rows.leaves)]
    is_postgresql = connection.vendor == "postgresql"
    among = "= ANY(%s)" if is_postgresql else "IN (SELECT value FROM json_each(%s))"
    cursor.execute(
        f"SELECT oid, rev FROM changes_entry WHERE stream_id = %s AND kind = %s AND op = 'put' AND oid {among}",  # noqa: S608  names alone
        [rows.stream, rows.kind, ids if is_postgresql else json.dumps(ids)],
    )
    return {o if isinstance(o, UUID) else UUID(o): rev for o, rev in cursor.fetchall()}


def _write(
    cursor: Any, rows: Rows, placed: Sequence[tuple[UUID, str, int, str]], seq: int, now: datetime
) -> None:
    if connection.vendor == "postgresql":
        # One JSON text: arrays of texts would be quoted value by value in Python.
        values = [(oid, seq + i, op, rev, body) for i, (oid, op, rev, body) in enumerate(placed, start=1)]
        told = orjson.dumps([dict(zip(_TOLD, value, strict=True)) for value in values]).decode()
        cursor.execute(
            f"{_INTO} SELECT %s, %s, u.oid, u.seq, u.op, u.rev, u.body, %s FROM json_to_recordset(%s::json) "  # noqa: S608  names alone
            f"AS u(oid uuid, seq bigint, op text, rev int, body text) {_MOVE_FORWARD}",
            [rows.stream, rows.kind, now, told],
        )
        return
    at = adapted(now)
    cursor.executemany(
        f"{_INTO} VALUES (%s, %s, %s, %s, %s, %s, %s, %s) {_MOVE_FORWARD}",
        [
            (rows.stream, rows.kind, oid.hex, seq + i, op, rev, body, at)
            for i, (oid, op, rev, body) in enumerate(placed, start=1)
        ],
    )


_TOLD = ("oid", "seq", "op", "rev", "body")
_INTO = "INSERT INTO changes_entry (stream_id, kind, oid, seq, op, rev, body, changed_at)"
_MOVE_FORWARD = (
    "ON CONFLICT (stream_id, kind, oid) DO UPDATE SET "
    "seq = excluded.seq, op = excluded.op, rev = excluded.rev, body = excluded.body, changed_at = excluded.changed_at"
)
