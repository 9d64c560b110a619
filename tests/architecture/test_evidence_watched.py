"""No table of evidence escapes: each is tampered with column by column; what is written once is refused again."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from apps.common.insert_only import InsertOnly
from tests import tampering

# The apps whose tables hold evidence or what it rests on.
APPS = ("audit", "custody", "evidence", "inspections", "seizures")
WATCHED = {
    *(*tampering.LEDGER, *tampering.RECORDS, *tampering.SAID, *tampering.CUSTODY, *tampering.STAMPS),
}
WRITTEN_ONCE = sorted(m._meta.db_table for m in apps.get_models() if issubclass(m, InsertOnly))
# Tables of the ledger, of custody and of originals that go on changing, and what holds them to the ledger instead.
CHANGING = {
    "audit_pending": "a queue, by trigger",
    "custody_exhibit": "repeats its newest step",
    "custody_handover": "its hash stands in an event after each change",
    "evidence_attachment": "what was declared may not be updated by the application's role",
    "evidence_upload": "bytes on their way",
    "evidence_piece": "bytes on their way",
}


def test_every_table_is_tampered_with_or_said_to_be_no_evidence() -> None:
    every = {model for app in APPS for model in apps.get_app_config(app).get_models()}
    assert every - WATCHED == set(tampering.NOT_EVIDENCE)


def test_ledger_custody_and_originals_are_written_once_or_said_to_change() -> None:
    tables = {
        model._meta.db_table
        for app in ("audit", "custody", "evidence")
        for model in apps.get_app_config(app).get_models()
    }
    assert tables - set(WRITTEN_ONCE) == set(CHANGING)


@pytest.mark.django_db
@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_the_database_itself_refuses(table: str) -> None:
    """Whoever asks, by triggers: that a model says so and its migration forgot `protect` is found here."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled <> 'D'", [table]
            )
            wanted = {f"{table}_append_only", f"{table}_no_truncate"}
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            wanted = {f"{table}_no_update", f"{table}_no_delete"}
        assert wanted <= {name for (name,) in cursor.fetchall()}
