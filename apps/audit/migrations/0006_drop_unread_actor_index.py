"""No page and no check looks events up by their actor: an index that every deed paid for and nobody read."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_ledger_triggers")]

    operations = [migrations.RemoveIndex(model_name="event", name="audit_actor")]
