"""Time stamps of an outside authority on signed heads, written once."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import apps.common.records
from apps.common.insert_only import protect


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_drop_unread_actor_index")]

    operations = [
        migrations.CreateModel(
            name="Stamp",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.common.records.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("token", models.BinaryField()),
                (
                    "head",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="stamp", to="audit.head"
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        protect("audit_stamp"),
    ]
