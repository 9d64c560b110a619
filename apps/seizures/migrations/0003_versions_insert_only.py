"""Versions refuse to be rewritten: receipts are signed for them."""

from __future__ import annotations

from django.db import migrations

from apps.common.insert_only import protect


class Migration(migrations.Migration):
    dependencies = [("seizures", "0002_merging_and_agreement")]

    operations = [protect("seizures_reportversion")]
