"""Drop indexes that another index of the table already serves: each is written with every push."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inspections", "0003_single_use_values"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="inspectionreport",
            name="inspection_posting",
        ),
        migrations.AlterField(
            model_name="reportversion",
            name="report",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="inspections.inspectionreport",
            ),
        ),
    ]
