"""Drop indexes that another index of the table already serves: each is written with every push."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("changes", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reaction",
            name="change",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, to="changes.change"
            ),
        ),
    ]
