"""A stream at one moment: its head, what has changed in it, and its rows part by part, all of one database snapshot.

On a connection of its own: REPEATABLE READ on PostgreSQL, one read transaction on SQLite, so that neither writers wait
nor the parts written meanwhile disturb it. Inside a transaction (tests) it reads through that one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection

from apps.sync.snapshots.rules import bucket_of, bytes_of
from apps.sync.sql import id_text, last_byte

FETCH = 2000
_BEGIN = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "sqlite": "BEGIN"}


@dataclass(frozen=True)
class StreamHead:
    """The epoch, and how far the stream has come."""

    epoch: UUID
    seq: int
    floor: int
    n: int
    h: int


class Reader:
    """Reads of one moment."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def head(self, stream: str) -> StreamHead:
        """Give the head; a stream that is not there is empty."""
        with self._database.cursor() as cursor:
            cursor.execute(
                "SELECT e.value, s.seq, s.floor, s.n, s.h FROM sync_epoch e "
                "LEFT JOIN changes_stream s ON s.id = %s WHERE e.id = 1",
                [stream],
            )
            value, *numbers = cursor.fetchone()
        return StreamHead(UUID(str(value)), *(number or 0 for number in numbers))

    def changed(self, stream: str, after: int, split: int) -> dict[int, int]:
        """Give the highest number of each part in which something happened after a number, deletions too."""
        byte = last_byte(connection.vendor, "oid")
        with self._database.cursor() as cursor:
            cursor.execute(
                f"SELECT {byte}, max(seq) FROM changes_entry WHERE stream_id = %s AND seq > %s GROUP BY 1",  # noqa: S608  names alone
                [stream, after],
            )
            found: dict[int, int] = {}
            for digits, seq in cursor.fetchall():
                bucket = bucket_of(digits, split)
                found[bucket] = max(found.get(bucket, 0), seq)
        return found

    def parts(self, stream: str, split: int, buckets: Sequence[int]) -> Iterator[tuple[int, bytes, int]]:
        """Give (part, compressed lines, rows), one part after another; memory holds one."""
        wanted = [digits for bucket in buckets for digits in bytes_of(bucket, split)]
        byte = last_byte(connection.vendor, "oid")
        sql = (
            f"""SELECT {byte}, '{{"k":"' || kind || '","id":"' || {id_text(connection.vendor, "oid")} || """  # noqa: S608  names alone
            """'","rev":' || rev || ',"body":' || body || '}' FROM changes_entry """
            f"WHERE stream_id = %s AND op = 'put' AND {byte} IN ({', '.join(['%s'] * len(wanted))}) "
            "ORDER BY 1, kind, oid"
        )
        rows = self._streamed(sql, [stream, *wanted])
        for bucket, lines in groupby(rows, key=lambda row: bucket_of(row[0], split)):
            yield (bucket, *_packed(line for _, line in lines))

    def _streamed(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[str, str]]:
        """Fetch some thousand rows at a time, on PostgreSQL from a cursor of the server."""
        if connection.vendor == "postgresql":
            cursor = self._database.connection.cursor(name="snapshot")
        else:
            cursor = self._database.cursor()
        with cursor:
            cursor.execute(sql, values)
            while rows := cursor.fetchmany(FETCH):
                yield from rows


@contextmanager
def one_moment() -> Iterator[Reader]:
    """Open the reads of one moment."""
    if connection.in_atomic_block:
        yield Reader(connection)
        return
    database = connection.copy()
    try:
        with database.cursor() as cursor:
            cursor.execute(_BEGIN[connection.vendor])
        yield Reader(database)
    finally:
        if database.connection is not None:
            with database.cursor() as cursor:
                cursor.execute("ROLLBACK")
        database.close()


def _packed(lines: Iterator[str]) -> tuple[bytes, int]:
    """Compress lines as gzip without a time in it: the same rows give the same bytes."""
    packer, pieces, count = zlib.compressobj(6, zlib.DEFLATED, 31), [], 0
    for line in lines:
        pieces.append(packer.compress(line.encode() + b"\n"))
        count += 1
    pieces.append(packer.flush())
    return b"".join(pieces), count
