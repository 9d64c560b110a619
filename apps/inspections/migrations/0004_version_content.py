"""A submitted version is kept as bytes, whose hash can be signed; what is here already keeps what it says."""

from __future__ import annotations

import orjson
from django.db import migrations, models


def to_bytes(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    versions = apps.get_model("inspections", "ReportVersion").objects
    while rows := list(versions.filter(content=None).order_by("id")[:500]):
        for row in rows:
            row.content = orjson.dumps(row.body)
        versions.bulk_update(rows, ["content"])


def to_json(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    for row in apps.get_model("inspections", "ReportVersion").objects.iterator():
        row.body = orjson.loads(bytes(row.content))
        row.save(update_fields=["body"])


class Migration(migrations.Migration):
    dependencies = [("inspections", "0004_drop_repeated_indexes")]

    operations = [
        migrations.AddField("reportversion", "content", models.BinaryField(null=True)),
        migrations.AlterField("reportversion", "body", models.JSONField(null=True)),
        migrations.RunPython(to_bytes, to_json),
        migrations.RemoveField("reportversion", "body"),
    ]
