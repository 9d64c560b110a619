"""Events that stood in the table before they were sealed are sealed by the migration, and wait to be numbered."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.audit.actions import log
from apps.audit.models import Event, Pending
from apps.audit.rules.sealing import leaf_hash
from apps.common.actor import SYSTEM
from apps.common.sql import insert


def test_what_is_written_is_sealed_and_waits(db: None) -> None:
    about = uuid4()
    log(SYSTEM, "thing.done", "thing", about, {"ảnh": [1, 2.5, None]})
    event = Event.objects.get(oid=about)
    assert leaf_hash(bytes(event.salt), bytes(event.body)) == bytes(event.leaf_hash)
    said = orjson.loads(event.body)
    assert (said["id"], said["oid"], said["data"]) == (str(event.pk), str(about), {"ảnh": [1, 2.5, None]})
    assert datetime.fromisoformat(said["at"]) == event.at
    assert Pending.objects.filter(event_id=event.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_old_events_are_sealed_by_the_migration() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("audit", "0002_append_only")])
    pk = uuid4()
    old = {
        "id": pk,
        "at": datetime(2026, 11, 1, 8, tzinfo=UTC),
        "actor_id": None,
        "device_id": uuid4(),
        "request_id": "r",
        "action": "thing.done",
        "record_kind": "thing",
        "oid": uuid4(),
        "note": "ghi chú",
        "data": {"a": [1, None]},
    }
    try:
        insert("audit_event", old)
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes("audit"))
    event = Event.objects.get(pk=pk)
    assert leaf_hash(bytes(event.salt), bytes(event.body)) == bytes(event.leaf_hash)
    assert orjson.loads(event.body) == orjson.loads(orjson.dumps(old))
    assert Pending.objects.filter(event_id=event.pk).exists()
