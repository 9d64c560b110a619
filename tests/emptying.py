"""Empties the database after a test with real transactions, in a tenth of the time that Django's `flush` takes.

Only tables with rows are emptied, also those that refuse it otherwise. What migrations have written stays (content
types, permissions) or is written again (the first epoch).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.apps import apps
from django.db import connection, transaction
from django.test import TransactionTestCase

from apps.common.insert_only import InsertOnly, protecting, releasing

KEPT = frozenset({"django_content_type", "auth_permission"})


def empty_database() -> None:
    """Delete every row but those that migrations have written."""
    protected = {model._meta.db_table for model in apps.get_models() if issubclass(model, InsertOnly)}
    with _unguarded(), connection.cursor() as cursor:
        for table in _with_rows():
            is_refusing = connection.vendor == "sqlite" and table in protected
            for statement in releasing(table, "sqlite") if is_refusing else ():
                cursor.execute(statement)
            cursor.execute(f'DELETE FROM "{table}"')
            for statement in protecting(table, "sqlite") if is_refusing else ():
                cursor.execute(statement)
    import_module("apps.sync.migrations.0002_first_epoch").begin(apps, None)


@contextmanager
def committed() -> Iterator[None]:
    """Commit what is made inside, for several tests to look at; what it owes is worked off by nobody."""
    with transaction.atomic():
        yield
        connection.run_on_commit.clear()


@contextmanager
def _unguarded() -> Iterator[None]:
    """Open a transaction in which foreign keys and, on PostgreSQL, triggers keep silent."""
    with connection.constraint_checks_disabled(), transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
        yield


def _with_rows() -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    asked = [
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in sorted(set(tables) - KEPT)
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [name for (name,) in cursor.fetchall()]


def install() -> None:
    """Take the place of Django's way."""

    def emptied(_case: TransactionTestCase) -> None:
        empty_database()

    TransactionTestCase._fixture_teardown = emptied  # type: ignore[attr-defined]  # the stubs leave it out
