"""Plain SQL for what every push does: Django's query compiler and cursors would cost more than the database.

On PostgreSQL the statements are prepared once per connection and their values travel beside them. Whatever records or
forbids statements (tests, debugging) sees these too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, connection, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from apps.common.postgresql.channel import Rows
from apps.common.postgresql.waiting import Statement, Waiting

_direct: ContextVar[Any] = ContextVar("direct", default=None)
"""Inside `with_commit` on PostgreSQL the connection, which need not be looked for at each statement."""


def execute(sql: str, values: Sequence[Any] = ()) -> Any:
    """Run one statement in Django's connection and transaction; gives a cursor (`rowcount`, `fetchone`, `fetchall`).

    Takes UUIDs, moments, days, and JSON as dict or list, beside plain values. Raises Django's database errors.
    """
    wrapper: Any = _direct.get() or connections[DEFAULT_DB_ALIAS]
    if not _is_direct(wrapper):
        return _run_by_cursor(wrapper, sql, values)
    return _run(wrapper, [(sql, values)])[0]


def _run_by_cursor(wrapper: Any, sql: str, values: Sequence[Any]) -> Rows:
    """Fetch everything at once: a question that SQLite has not finished answering holds the connection to the past.

    An error's traceback may keep a half-read cursor alive for long, and every write on its connection would be refused
    as locked as soon as somebody else had written.
    """
    with wrapper.cursor() as cursor:
        cursor.execute(sql, list(map(_adapters[wrapper.vendor == "postgresql"], values)))
        return Rows(cursor.fetchall() if cursor.description else [], cursor.rowcount)


def execute_all(statements: Sequence[Statement]) -> list[Any]:
    """Run statements in their order, where possible with one wait for all of them; gives a cursor for each.

    Each sees what those before it did and waited for. Raises what `execute` raises.
    """
    wrapper: Any = _direct.get() or connections[DEFAULT_DB_ALIAS]
    if not _is_direct(wrapper):
        return [execute(sql, values) for sql, values in statements]
    return _run(wrapper, statements)


def _run(wrapper: Any, statements: Sequence[Statement]) -> list[Any]:
    """Send what waits and then the statements, all in one piece."""
    before = wrapper.waiting.taken() if wrapper.waiting else []
    sent = wrapper.run([*before, *((sql, _plain(values)) for sql, values in statements)])
    return cast("list[Any]", sent[len(before) :])


def write(sql: str, values: Sequence[Any]) -> None:
    """Run a statement whose outcome nobody reads; inside `with_commit` it may wait until something is read."""
    wrapper = _direct.get()
    if wrapper is not None and _is_direct(wrapper):
        wrapper.waiting.statements.append((sql, _plain(values)))
    else:
        execute(sql, values)


def insert(table: str, row: Mapping[str, Any]) -> None:
    """Insert one row given by column, as `write` does; rows that wait go before other writes."""
    wrapper = _direct.get()
    sql = _insertion(table, tuple(row))
    if wrapper is not None and _is_direct(wrapper):
        wrapper.waiting.insertions.append((sql, _plain(row.values())))
    else:
        execute(sql, list(row.values()))


@contextmanager
def with_commit() -> Iterator[None]:
    """Open a transaction whose last writes travel together with its commit: one wait for all of them, where possible.

    What comes in between sees every write before it. A failed write may show only at the commit, which then fails.
    """
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    if wrapper.in_atomic_block or not _is_direct(wrapper):
        with transaction.atomic():
            yield
        return
    wrapper.waiting = Waiting()
    mark = _direct.set(wrapper)
    try:
        with transaction.atomic(), wrapper.execute_wrapper(_send_waiting_first):
            yield
    finally:
        wrapper.waiting = None
        _direct.reset(mark)


def _is_direct(wrapper: BaseDatabaseWrapper) -> bool:
    """Tell whether statements may go past Django's cursor: on PostgreSQL, when nobody else watches them."""
    if wrapper.vendor != "postgresql" or wrapper.queries_logged:
        return False
    return all(watcher is _send_waiting_first for watcher in wrapper.execute_wrappers)


def _send_waiting_first(
    run: Callable[..., Any],
    sql: str,
    values: Any,
    many: bool,  # noqa: FBT001  Django's shape
    context: dict[str, Any],
) -> Any:
    wrapper: Any = context["connection"]
    if wrapper.waiting and (statements := wrapper.waiting.taken()):
        wrapper.run(statements)
    return run(sql, values, many, context)


def insert_record(record: models.Model) -> None:
    """Insert a new row of a model as its fields stand, with what `auto_now` and the like put there."""
    row = {column: read(record) for column, read in _columns(type(record)).items()}
    insert(type(record)._meta.db_table, row)  # noqa: SLF001  the documented name of a model's options
    record._state.adding = False  # noqa: SLF001  documented as part of the model API
    record._state.db = DEFAULT_DB_ALIAS  # noqa: SLF001


@lru_cache(maxsize=64)
def _columns(model: type[models.Model]) -> dict[str, Callable[[models.Model], Any]]:
    """Give how each column of a model is read from a record."""
    return {field.column: _reader(field) for field in model._meta.concrete_fields}  # noqa: SLF001


def _reader(field: models.Field[Any, Any]) -> Callable[[models.Model], Any]:
    name = field.attname
    if isinstance(field, models.JSONField):
        return lambda record: _Json(getattr(record, name))
    if type(field).pre_save is not models.Field.pre_save:
        return lambda record: field.pre_save(record, add=True)
    return attrgetter(name)


class _Json:
    """The text of a JSON column, whatever the type of its value."""

    __slots__ = ("text",)

    def __init__(self, value: Any) -> None:
        self.text = _json(value)


def adapted(value: Any) -> Any:
    """Give a value as the database at hand takes it: UUIDs, moments, days; JSON as text."""
    return _adapters[connection.vendor == "postgresql"](value)


def _plain(values: Iterable[Any]) -> list[Any]:
    """Give the values as PostgreSQL takes them; few are JSON, and what is not goes as it is."""
    return [_for_postgresql(value) if type(value) in _JSON_TYPES else value for value in values]


def _for_postgresql(value: Any) -> Any:
    kind = type(value)
    if kind is _Json:
        return value.text
    return _json(value) if kind is dict or kind is list else value


_JSON_TYPES = frozenset({_Json, dict, list})


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.isoformat() if isinstance(value, date) else _for_postgresql(value)


_adapters = (_for_sqlite, _for_postgresql)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def as_uuid(value: Any) -> UUID:
    """Read an id that `execute` fetched: SQLite gives text."""
    return value if isinstance(value, UUID) else UUID(value)


def as_moment(value: Any) -> datetime:
    """Read a moment that `execute` fetched: SQLite gives text in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=64)
def _insertion(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{column}"' for column in columns)  # `offset` and the like are words of SQL
    return f"INSERT INTO {table} ({names}) VALUES ({places(columns)})"  # noqa: S608  names from the code alone


def places(values: Collection[object]) -> str:
    """Give a place for each value, for `IN (…)` and the like."""
    return ", ".join(["%s"] * len(values))
