"""Plain SQL for the rows that every action writes: Django's query compiler would cost more than the database does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection


def insert(cursor: Any, table: str, row: Mapping[str, Any], *, suffix: str = "") -> None:
    """Insert one row given by column; `suffix` is SQL such as `ON CONFLICT …`, never input."""
    cursor.execute(_statement(table, tuple(row), suffix), [adapted(value) for value in row.values()])


def adapted(value: Any) -> Any:
    """Give a value as the database at hand takes it: UUIDs, moments, and JSON objects."""
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, (dict, list)):
        return connection.ops.adapt_json_value(value, None)
    return value


@lru_cache(maxsize=64)
def _statement(table: str, columns: tuple[str, ...], suffix: str) -> str:
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places}) {suffix}"  # noqa: S608  names from the code alone
