"""An attachment no longer repeats what its capture holds."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("evidence", "0006_captures_of_old")]

    operations = [
        migrations.RemoveField("attachment", "manifest"),
        migrations.RemoveField("attachment", "signature"),
    ]
