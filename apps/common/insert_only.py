"""Tables whose rows are written once: the base of their models, and the triggers by which databases refuse the rest.

An app's migration ends with `protect("the_table")`. `manage.py database_roles` takes the same rights from the
application's role; the triggers also bind the owner, who would have to drop them first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import migrations, models


class InsertOnly(models.Model):
    """A row that is never updated or deleted, whoever asks."""

    class Meta:
        abstract = True


def protecting(table: str, vendor: str) -> Sequence[str]:
    """Give the statements that make a table refuse UPDATE, DELETE and TRUNCATE."""
    if vendor == "postgresql":
        refuse = f"{table}_refuse"
        return (
            (
                f"CREATE OR REPLACE FUNCTION {refuse}() RETURNS trigger LANGUAGE plpgsql AS $$ "
                f"BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
            ),
            (
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {refuse}()"
            ),
            (
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {refuse}()"
            ),
        )
    return tuple(
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    )


def releasing(table: str, vendor: str) -> Sequence[str]:
    """Give the statements that undo `protecting`."""
    if vendor == "postgresql":
        return (
            f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}",
            f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
            f"DROP FUNCTION IF EXISTS {table}_refuse()",
        )
    return tuple(f"DROP TRIGGER IF EXISTS {table}_no_{verb}" for verb in ("update", "delete"))


def protect(*tables: str) -> migrations.RunPython:
    """Give the migration's operation that protects tables."""
    return migrations.RunPython(_running(protecting, tables), _running(releasing, tables))


def release(*tables: str) -> migrations.RunPython:
    """Give the migration's operation that releases tables, for a migration that ends with `protect`."""
    return migrations.RunPython(_running(releasing, tables), _running(protecting, tables))


def _running(statements: Any, tables: Sequence[str]) -> Any:
    def run(_apps: Any, schema_editor: Any) -> None:
        for table in tables:
            for statement in statements(table, schema_editor.connection.vendor):
                schema_editor.execute(statement, params=None)

    return run
