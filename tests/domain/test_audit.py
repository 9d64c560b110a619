"""The audit table refuses to be rewritten, whoever asks."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from apps.audit.actions import log
from apps.audit.models import Event
from apps.common.actor import SYSTEM
from apps.common.records import new_id

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET note = 'x'", "DELETE FROM audit_event"])
def test_an_event_can_neither_be_changed_nor_deleted(statement: str) -> None:
    about = new_id()
    log(SYSTEM, "thing.done", "thing", about, {"a": 1})
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Event.objects.get(oid=about).note == ""


@pytest.mark.postgres
def test_the_table_cannot_be_emptied() -> None:
    log(SYSTEM, "thing.done", "thing", new_id())
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE audit_event")
