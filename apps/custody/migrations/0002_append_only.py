"""Events, seals and counts are written once."""

from __future__ import annotations

from django.db import migrations

from apps.common.insert_only import protect


class Migration(migrations.Migration):
    dependencies = [("custody", "0001_initial")]

    operations = [protect("custody_custodyevent", "custody_seal", "custody_storecount")]
