"""The domain's tables against entries, and entries against the streams' heads, counts and digests.

Bounded memory at any size: records go by in batches, entries as one streamed statement. Each batch is read in one
snapshot of the database, so that what changes meanwhile is never taken for a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.changes.models import Entry, Stream
from apps.changes.rules import DIGEST_MASK, row_digest
from apps.common.sql import as_uuid, execute
from apps.sync.placements import SOURCES, Placed, Source

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be: `what` is a word of the table in docs/operations.md."""

    what: str
    kind: str
    stream: str
    oid: UUID | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """What a stream says of itself minus what its entries say; `head` is a number that the stream has not reached."""

    stream: str
    n: int
    h: int
    head: int | None

    def differences(self) -> Iterator[Difference]:
        """Name what differs."""
        found = {"wrong-count": self.n, "wrong-digest": self.h, "wrong-head": self.head is not None}
        return (Difference(what, "", self.stream) for what, differs in found.items() if differs)


def compare_records(
    batch: int = BATCH, kinds: Collection[str] = SOURCES.keys()
) -> Iterator[list[Difference]]:
    """Compare every record of the kinds with its entries; gives the differences of each batch."""
    for kind in kinds:
        source = SOURCES[kind]
        for after, to in source.batches(batch):
            with one_snapshot():
                found = compare_batch(kind, source.between(after, to))
            yield found


def compare_batch(kind: str, placed: dict[UUID, Placed]) -> list[Difference]:
    """Compare some records of a kind with their live entries."""
    found: dict[UUID, list[tuple[str, int, str]]] = defaultdict(list)
    rows = Entry.objects.filter(kind=kind, op="put", oid__in=list(placed))
    for oid, *entry in rows.values_list("oid", "stream_id", "rev", "body"):
        found[oid].append(tuple(entry))  # type: ignore[arg-type]  # three columns
    return [d for record in placed.values() for d in compare_record(kind, record, found[record.oid])]


def compare_record(kind: str, record: Placed, entries: Sequence[tuple[str, int, str]]) -> list[Difference]:
    """Compare one record with its live entries, given as (stream, revision, body)."""
    held = {stream for stream, _, _ in entries}
    found = [
        Difference("missing", kind, stream, record.oid) for stream in record.streams if stream not in held
    ]
    for stream, rev, body in entries:
        if stream not in record.streams:
            found.append(Difference("misplaced", kind, stream, record.oid))
        elif not record.agrees(rev, body):
            found.append(Difference("stale", kind, stream, record.oid))
    return found


def orphans(batch: int = BATCH) -> Iterator[list[Difference]]:
    """Give live entries without a record, and those of a kind that nothing knows."""
    last: tuple[str, str, UUID] = ("", "", UUID(int=0))
    while True:
        with one_snapshot():
            rows = execute(
                "SELECT stream_id, kind, oid FROM changes_entry WHERE op = 'put' AND (stream_id, kind, oid) > "
                "(%s, %s, %s) ORDER BY stream_id, kind, oid LIMIT %s",
                [*last, batch],
            ).fetchall()
            entries = [(stream, kind, as_uuid(oid)) for stream, kind, oid in rows]
            found = _without_record(entries)
        yield found
        if len(entries) < batch:
            return
        last = entries[-1]


def _without_record(entries: Sequence[tuple[str, str, UUID]]) -> list[Difference]:
    found: list[Difference] = []
    for kind in sorted({kind for _, kind, _ in entries}):
        own = [(stream, oid) for stream, of_kind, oid in entries if of_kind == kind]
        source = SOURCES.get(kind)
        known = source.known({oid for _, oid in own}) if source else set()
        what = "orphan" if source else "unknown-kind"
        found += [Difference(what, kind, stream, oid) for stream, oid in own if oid not in known]
    return found


def wrong_sums(batch: int = BATCH) -> Iterator[Sums]:
    """Compare each stream's head, count and digest with its entries."""
    statement = (
        "SELECT s.id, s.seq, s.n, s.h, e.kind, e.oid, e.rev, e.seq, e.op FROM changes_stream s "
        "LEFT JOIN changes_entry e ON e.stream_id = s.id ORDER BY s.id"
    )
    rows = (row for rows in streamed(statement, batch) for row in rows)
    for (stream, seq, n, h), entries in groupby(rows, key=lambda row: row[:4]):
        count = digest = top = 0
        for _, _, _, _, kind, oid, rev, number, op in entries:
            top = max(top, number or 0)
            if op == "put":
                count += 1
                digest += row_digest(kind, as_uuid(oid), rev)
        sums = Sums(stream, n - count, (h - digest) & DIGEST_MASK, top if top > seq else None)
        if sums.n or sums.h or sums.head is not None:
            yield sums


def still_differs(difference: Difference, source: Source) -> tuple[Placed | None, list[tuple[str, int, str]]]:
    """Lock the record and read it and its live entries anew; for a repair."""
    if difference.oid is None:
        raise ValueError(difference)
    record = source.locked(difference.oid)
    if record is None and Stream.objects.select_for_update().filter(pk=difference.stream).exists():
        record = source.locked(difference.oid)  # it may have been made before the stream was ours
    rows = Entry.objects.filter(kind=difference.kind, op="put", oid=difference.oid)
    return record, list(rows.values_list("stream_id", "rev", "body"))


def streamed(statement: str, batch: int) -> Iterator[list[tuple[Any, ...]]]:
    """Give the rows of one statement, which sees one snapshot, in batches; the database keeps the rest."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(batch):
            yield rows


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let all statements inside see the same moment, unless a transaction is open already."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield
