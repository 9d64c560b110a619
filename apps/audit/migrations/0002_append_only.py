"""Refuse UPDATE, DELETE and TRUNCATE on the audit table in the database itself."""

from __future__ import annotations

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit_event is append-only'; END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_refuse();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();
"""
SQLITE = (
    (
        "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event "
        "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
    ),
    (
        "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event "
        "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
    ),
)
POSTGRESQL_UNDO = """
DROP TRIGGER audit_event_append_only ON audit_event;
DROP TRIGGER audit_event_no_truncate ON audit_event;
DROP FUNCTION audit_event_refuse();
"""
SQLITE_UNDO = ("DROP TRIGGER audit_event_no_update", "DROP TRIGGER audit_event_no_delete")


def protect(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    for statement in [POSTGRESQL] if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def release(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    undo = [POSTGRESQL_UNDO] if schema_editor.connection.vendor == "postgresql" else SQLITE_UNDO
    for statement in undo:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    """Triggers, both databases."""

    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(protect, release)]
