"""Drop indexes that another index of the table already serves: each is written with every push."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_device_key_unique"),
        ("sync", "0004_retention_and_pokes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="mutation",
            name="device",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.device",
            ),
        ),
    ]
