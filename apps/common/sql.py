"""Plain SQL for what every push does: Django's query compiler and cursors would cost more than the database.

On PostgreSQL the statements are prepared once per connection and their values travel beside them. Whatever records or
forbids statements (tests, debugging) sees these too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models


def execute(sql: str, values: Sequence[Any] = ()) -> Any:
    """Run one statement in Django's connection and transaction; gives a cursor (`rowcount`, `fetchone`, `fetchall`).

    Values are given as `adapted` takes them. Raises Django's database errors.
    """
    adapted_values = [adapted(value) for value in values]
    if connection.vendor != "postgresql" or connection.queries_logged or connection.execute_wrappers:
        cursor = connection.cursor()
        cursor.execute(sql, adapted_values)
        return cursor
    from psycopg import Cursor  # noqa: PLC0415  the embedded default has no PostgreSQL

    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        return Cursor(connection.connection).execute(sql, adapted_values, prepare=True)


@contextmanager
def together() -> Iterator[None]:
    """Send the statements inside without waiting for each answer, where the database can; a failure may show later.

    Whoever fetches waits for what was sent so far. The block ends when everything sent has been answered.
    """
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def insert(table: str, row: Mapping[str, Any], *, suffix: str = "") -> Any:
    """Insert one row given by column; `suffix` is SQL such as `ON CONFLICT …`, never input. Gives the cursor."""
    return execute(_statement(table, tuple(row), suffix), list(row.values()))


def insert_record(record: models.Model) -> None:
    """Insert a new row of a model as its fields stand, with what `auto_now` and the like put there."""
    options = type(record)._meta  # noqa: SLF001  the documented name of a model's options
    row: dict[str, Any] = {}
    for field in options.concrete_fields:
        value = field.pre_save(record, add=True)
        is_json = isinstance(field, models.JSONField)
        row[field.column] = _Json(value) if is_json else field.get_db_prep_save(value, connection)
    insert(options.db_table, row)
    record._state.adding = False  # noqa: SLF001  documented as part of the model API
    record._state.db = connection.alias  # noqa: SLF001


class _Json:
    """A value for a JSON column, whatever its type."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def adapted(value: Any) -> Any:
    """Give a value as the database at hand takes it: UUIDs, moments, and JSON objects."""
    if isinstance(value, (str, int)) or value is None:
        return value
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, _Json):
        return _json(value.value)
    return _json(value) if isinstance(value, (dict, list)) else value


def as_uuid(value: Any) -> UUID:
    """Read an id that `execute` fetched: SQLite gives text."""
    return value if isinstance(value, UUID) else UUID(value)


def as_moment(value: Any) -> datetime:
    """Read a moment that `execute` fetched: SQLite gives text in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(value: Any) -> Any:
    if connection.vendor != "postgresql":
        return orjson.dumps(value).decode()
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    return Jsonb(value, dumps=orjson.dumps)


@lru_cache(maxsize=64)
def _statement(table: str, columns: tuple[str, ...], suffix: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)  # `offset` and the like are words of SQL
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places}) {suffix}"  # noqa: S608  names from the code alone
