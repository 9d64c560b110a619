"""Prepared statements through libpq itself, several in one piece: psycopg's adaptation without its cursors.

A cursor costs more than the statement it carries: here a value is adapted by psycopg, the statement prepared once per
connection, and one call of libpq waits for the answer.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from psycopg import Connection, errors
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from apps.common.postgresql.waiting import Statement

_ROWS, _DONE = int(ExecStatus.TUPLES_OK), int(ExecStatus.COMMAND_OK)
_SOUND = frozenset({_ROWS, _DONE})
_END = int(ExecStatus.PIPELINE_SYNC)
_KEPT_AS = "channel"  # among the attributes of the connection: they live and end together


BEGIN: Statement = ("BEGIN", ())
COMMIT: Statement = ("COMMIT", ())


class Rows:
    """What a statement gave, with the part of a cursor's interface that is used."""

    __slots__ = ("_next", "_rows", "rowcount")

    def __init__(self, rows: list[tuple[Any, ...]], rowcount: int) -> None:
        self._rows, self._next, self.rowcount = rows, 0, rowcount

    def fetchone(self) -> tuple[Any, ...] | None:
        """Give the next row, None after the last."""
        if self._next >= len(self._rows):
            return None
        self._next += 1
        return self._rows[self._next - 1]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Give the rows that are left."""
        rows = self._rows[self._next :]
        self._next = len(self._rows)
        return rows


class _Adaptation:
    """Values as the connection adapts them; moments by psycopg's own loader, for Django's takes ten times as long."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection
        self.adapters = AdaptersMap(connection.adapters)
        self.adapters.register_loader("timestamptz", TimestamptzLoader)


class Channel:
    """The direct way of one connection."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection
        self._pgconn = connection.pgconn
        self._adapter = Transformer(_Adaptation(connection))
        self._names: dict[tuple[str, tuple[int, ...] | None], bytes] = {}
        self._socket = select.poll()
        self._socket.register(self._pgconn.socket, select.POLLIN)

    @classmethod
    def of(cls, connection: Connection[Any]) -> Channel:
        """Give the channel of a connection, the same each time: it knows what has been prepared."""
        found: Channel | None = vars(connection).get(_KEPT_AS)
        if found is None:
            found = vars(connection)[_KEPT_AS] = cls(connection)
        return found

    def is_silent(self) -> bool:
        """Tell whether the connection is at rest and its server has neither said anything nor closed it."""
        self._socket.modify(self._pgconn.socket, select.POLLIN)
        return self._pgconn.transaction_status == TransactionStatus.IDLE and not self._socket.poll(0)

    def run(self, statements: Sequence[Statement], *, is_autocommit: bool) -> list[Rows]:
        """Send the statements in one piece and give the rows of each, after a BEGIN where a transaction is to begin.

        Raises psycopg's errors, the first that the server told; nothing after it was done.
        """
        if not is_autocommit and self._pgconn.transaction_status == TransactionStatus.IDLE:
            return self._run_together([BEGIN, *statements])[1:]
        if len(statements) == 1:
            name, params, formats = self._prepared(statements[0])
            result = self._pgconn.exec_prepared(name, params, formats)
            return [self._rows(result, statements[0])]
        return self._run_together(statements)

    def _run_together(self, statements: Sequence[Statement]) -> list[Rows]:
        ready = [None if s is BEGIN or s is COMMIT else self._prepared(s) for s in statements]
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        try:
            for statement, prepared in zip(statements, ready, strict=True):
                if prepared is None:
                    pgconn.send_query_params(statement[0].encode(), None)
                else:
                    pgconn.send_query_prepared(*prepared)
            pgconn.pipeline_sync()
            results = self._receive()
        finally:
            pgconn.exit_pipeline_mode()
        return [self._rows(result, statement) for statement, result in zip(statements, results, strict=False)]

    def _prepared(self, statement: Statement) -> tuple[bytes, Sequence[Any], Sequence[int] | None]:
        """Adapt the values and prepare the statement for their types; gives what libpq takes."""
        adapter, (sql, values) = self._adapter, statement
        params = adapter.dump_sequence(values, _auto(len(values)))
        key = (sql, adapter.types)
        name = self._names.get(key)
        if name is None:
            name = b"h%d" % len(self._names)
            self._check(self._pgconn.prepare(name, numbered(sql), adapter.types))
            self._names[key] = name
        return name, params, adapter.formats

    def _receive(self) -> list[Any]:
        """Wait for the answers up to the end of the pipeline."""
        pgconn = self._pgconn
        results: list[Any] = []
        while pgconn.flush():  # more than the socket takes: the server may have something to say first
            self._wait(select.POLLIN | select.POLLOUT)
            pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                self._wait(select.POLLIN)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                continue
            if result.status == _END:
                return results
            results.append(result)

    def _wait(self, events: int) -> None:
        self._socket.modify(self._pgconn.socket, events)
        self._socket.poll()

    def _rows(self, result: Any, statement: Statement) -> Rows:
        """Read an answer. Raises the error that it tells, or that a COMMIT has become a rollback."""
        self._check(result)
        if result.status != _ROWS:
            if statement is COMMIT and result.command_status != b"COMMIT":
                raise errors.InFailedSqlTransaction("the transaction had failed and was rolled back")
            return Rows([], result.command_tuples or 0)
        self._adapter.set_pgresult(result)
        return Rows(self._adapter.load_rows(0, result.ntuples, tuple), result.ntuples)

    def _check(self, result: Any) -> None:
        if result.status not in _SOUND:
            raise errors.error_from_result(result)


@lru_cache(maxsize=256)
def _auto(count: int) -> tuple[PyFormat, ...]:
    return (PyFormat.AUTO,) * count


@lru_cache(maxsize=512)
def numbered(sql: str) -> bytes:
    """Write `%s` as PostgreSQL has it, `$1`; done once for each statement."""
    first, *rest = sql.split("%s")
    return "".join([first, *(f"${i}{part}" for i, part in enumerate(rest, start=1))]).encode()
