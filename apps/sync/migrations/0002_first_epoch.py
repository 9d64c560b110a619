"""Give a new database its first epoch."""

from __future__ import annotations

import uuid

from django.db import migrations
from django.utils import timezone


def begin(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's own signature
    apps.get_model("sync", "Epoch").objects.get_or_create(
        pk=1, defaults={"value": uuid.uuid4(), "since": timezone.now()}
    )


class Migration(migrations.Migration):
    """One row, once."""

    dependencies = [("sync", "0001_initial")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
