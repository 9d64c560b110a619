"""Each event is sealed as it is written; those that are here already are sealed as they stand."""

from __future__ import annotations

import os

import orjson
from django.db import migrations, models

from apps.audit.rules.sealing import SALT_BYTES, leaf_hash
from apps.common.insert_only import protect, release

FIELDS = ("id", "at", "actor_id", "device_id", "request_id", "action", "record_kind", "oid", "note", "data")
BATCH = 1000


def seal(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    events = apps.get_model("audit", "Event").objects.filter(body=None).order_by("id")
    while rows := list(events[:BATCH]):
        for event in rows:
            event.body = orjson.dumps({name: getattr(event, name) for name in FIELDS})
            event.salt = os.urandom(SALT_BYTES)
            event.leaf_hash = leaf_hash(event.salt, event.body)
        apps.get_model("audit", "Event").objects.bulk_update(rows, ["body", "salt", "leaf_hash"])


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        release("audit_event"),
        *(
            migrations.AddField("event", name, models.BinaryField(null=True))
            for name in ("body", "salt", "leaf_hash")
        ),
        migrations.RunPython(seal, migrations.RunPython.noop),
        *(
            migrations.AlterField("event", name, models.BinaryField())
            for name in ("body", "salt", "leaf_hash")
        ),
        protect("audit_event"),
    ]
