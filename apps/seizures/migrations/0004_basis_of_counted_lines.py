"""Lines without any mass were said to be weighed gross though the report says net: their basis is the report's again."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def restore(apps: Any, _schema_editor: Any) -> None:
    """Give each line that has no mass the basis that its report names."""
    lines = apps.get_model("seizures", "SeizureLine").objects
    for line in lines.filter(mass_g=None, basis="scale_gross").select_related("report").iterator():
        said = line.report.lines.get(line.mark, {})
        if said.get("measure_basis") == "scale_net":
            lines.filter(pk=line.pk).update(basis="scale_net")


class Migration(migrations.Migration):
    dependencies = [("seizures", "0003_versions_insert_only")]

    operations = [migrations.RunPython(restore, migrations.RunPython.noop)]
