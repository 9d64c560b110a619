"""The staging table of an import: a temporary table of this connection, gone with it: a killed import leaves nothing.

Rows get there in batches; what an import has to do is then found by set operations against the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, Self
from uuid import UUID

from django.db import connection

from apps.common.sql import adapted
from apps.reference.actions.reading import MAX_FAULTS, Row, duplicate
from apps.reference.errors import ListFileInvalid

TABLE = "reference_staged"
LOAD = 5000
WINDOW = 10_000
_COLUMNS = "line, key, label_vi, label_en, data, valid, hash"


class Staging:
    """The rows of one file beside the entries of one list; use as a context manager."""

    def __init__(self, list_id: UUID) -> None:
        self._list = adapted(list_id)
        self.count = 0

    def __enter__(self) -> Self:
        self._run(f"DROP TABLE IF EXISTS {TABLE}")
        self._run(
            f"CREATE TEMPORARY TABLE {TABLE} (line integer, key varchar(80), label_vi text, label_en text, "
            "data text, valid boolean, hash varchar(32))"
        )
        return self

    def __exit__(self, *_: object) -> None:
        if not connection.needs_rollback:
            self._run(f"DROP TABLE IF EXISTS {TABLE}")

    def load(self, rows: Iterable[Row]) -> None:
        """Take in the whole file. Raises ListFileInvalid, also for keys that stand on two lines."""
        several = iter(rows)
        while batch := list(islice(several, LOAD)):
            self._insert(batch)
            self.count += len(batch)
        self._run(f"CREATE INDEX {TABLE}_key ON {TABLE} (key)")
        self._run(f"ANALYZE {TABLE}")
        twice = self._run(
            f"SELECT key, min(line), max(line) FROM {TABLE} GROUP BY key HAVING count(*) > 1 "  # noqa: S608  names alone
            "ORDER BY 3 LIMIT %s",
            [MAX_FAULTS],
        )
        if twice:
            raise ListFileInvalid(errors=[duplicate(*row) for row in twice])

    def changed(self, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Give, in batches by key, rows that are new or differ: (key, labels, data, valid, hash, revision or None)."""
        for after, upto in self._windows(f"SELECT key FROM {TABLE} WHERE key > %s", ()):  # noqa: S608  names alone
            rows = self._run(
                "SELECT s.key, s.label_vi, s.label_en, s.data, s.valid, s.hash, e.rev "  # noqa: S608  names alone
                f"FROM {TABLE} s LEFT JOIN reference_referenceentry e "
                "ON e.list_id = %s AND e.key = s.key AND e.key > %s AND e.key <= %s "
                "WHERE s.key > %s AND s.key <= %s AND (e.id IS NULL OR e.hash <> s.hash OR NOT e.is_listed)",
                [self._list, after, upto, after, upto],
            )
            yield from _batches(rows, size)

    def missing(self, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Give, in batches by key, the entries that stand in the list and not in the file: (key, id, revision)."""
        entries = "SELECT key FROM reference_referenceentry WHERE key > %s AND list_id = %s AND is_listed"
        for after, upto in self._windows(entries, (self._list,)):
            rows = self._run(
                "SELECT e.key, e.id, e.rev FROM reference_referenceentry e "  # noqa: S608  names alone
                "WHERE e.list_id = %s AND e.is_listed AND e.key > %s AND e.key <= %s "
                f"AND NOT EXISTS (SELECT 1 FROM {TABLE} s WHERE s.key = e.key AND s.key > %s AND s.key <= %s)",
                [self._list, after, upto, after, upto],
            )
            yield from _batches(rows, size)

    def _windows(self, keys: str, values: Sequence[Any]) -> Iterator[tuple[str, str]]:
        """Walk along the keys in spans of some thousand: no statement looks at more, whatever the planner believes."""
        after = ""
        while True:
            ((upto,),) = self._run(
                f"SELECT max(key) FROM ({keys} ORDER BY key LIMIT %s) span",  # noqa: S608  names alone
                [after, *values, WINDOW],
            )
            if upto is None:
                return
            yield after, upto
            after = upto

    def _insert(self, rows: Sequence[Row]) -> None:
        values = [(r.line, r.key, r.label_vi, r.label_en, r.data, r.valid, r.hash) for r in rows]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f"COPY {TABLE} ({_COLUMNS}) FROM STDIN") as copy:
                    for value in values:
                        copy.write_row(value)
                return
            places = ", ".join(["%s"] * len(values[0]))
            cursor.executemany(f"INSERT INTO {TABLE} ({_COLUMNS}) VALUES ({places})", values)  # noqa: S608  names alone

    def _run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall()) if cursor.description else []


def _batches(rows: list[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    rows.sort(key=itemgetter(0))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
