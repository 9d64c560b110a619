"""The ledger's tables refuse to be rewritten, and each event waits to be numbered from the moment it is committed."""

from __future__ import annotations

from django.db import migrations

from apps.common.insert_only import protect

POSTGRESQL = (
    (
        "CREATE FUNCTION audit_event_wait() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN INSERT INTO audit_pending (event_id) VALUES (NEW.id); RETURN NULL; END $$"
    ),
    "CREATE TRIGGER audit_event_waits AFTER INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION audit_event_wait()",
)
SQLITE = (
    (
        "CREATE TRIGGER audit_event_waits AFTER INSERT ON audit_event "
        "BEGIN INSERT INTO audit_pending (event_id) VALUES (NEW.id); END"
    ),
)
UNDO = {
    "postgresql": ("DROP TRIGGER audit_event_waits ON audit_event", "DROP FUNCTION audit_event_wait()"),
    "sqlite": ("DROP TRIGGER audit_event_waits",),
}


def begin(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)
    schema_editor.execute("INSERT INTO audit_pending (event_id) SELECT id FROM audit_event", params=None)


def end(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    for statement in UNDO[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_ledger")]

    operations = [
        protect("audit_leaf", "audit_tile", "audit_head", "audit_keystatement"),
        migrations.RunPython(begin, end),
    ]
