from typing import Any

from django.db import migrations, models

from apps.reference.rules.folding import fold


def fill(apps: Any, schema_editor: Any) -> None:
    """Write what is searched for the entries that are there."""
    entries = apps.get_model("reference", "ReferenceEntry").objects
    batch = []
    for entry in entries.only("pk", "key", "label_vi", "label_en", "data").iterator(chunk_size=2000):
        entry.search = fold(" ".join((entry.key, entry.label_vi, entry.label_en, *entry.data.values())))
        batch.append(entry)
        if len(batch) == 2000:
            entries.bulk_update(batch, ["search"])
            batch = []
    if batch:
        entries.bulk_update(batch, ["search"])


class Migration(migrations.Migration):
    dependencies = [("reference", "0001_initial")]

    operations = [
        migrations.AddField("referencelist", "is_shipped", models.BooleanField(default=False)),
        migrations.AddField("referenceentry", "search", models.TextField(default="")),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
