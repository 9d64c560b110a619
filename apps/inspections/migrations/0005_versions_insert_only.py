"""Submitted versions refuse to be rewritten."""

from __future__ import annotations

from django.db import migrations, models

from apps.common.insert_only import protect


class Migration(migrations.Migration):
    dependencies = [("inspections", "0004_version_content")]

    operations = [
        migrations.AlterField("reportversion", "content", models.BinaryField()),
        protect("inspections_reportversion"),
    ]
