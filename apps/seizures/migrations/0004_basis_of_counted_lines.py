"""Lines without any mass were said to be weighed gross though the report says net: their basis is the report's again.

Figures bear the basis, too: the worker counts these reports once more.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

# The kind of change that owes nothing but the count.
OWED = "seizure.saved"


def restore(apps: Any, _schema_editor: Any) -> None:
    """Give each line that has no mass the basis that its report names."""
    lines = apps.get_model("seizures", "SeizureLine").objects
    change = apps.get_model("changes", "Change")
    changed = {}
    for line in lines.filter(mass_g=None, basis="scale_gross").select_related("report"):
        if line.report.lines.get(line.mark, {}).get("measure_basis") == "scale_net":
            lines.filter(pk=line.pk).update(basis="scale_net")
            changed[line.report_id] = line.report
    change.objects.bulk_create(
        change(kind=OWED, record_kind="seizure", oid=pk, rev=report.rev, data={}, at=timezone.now())
        for pk, report in changed.items()
        if not report.is_draft
    )


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial"), ("seizures", "0003_versions_insert_only")]

    operations = [migrations.RunPython(restore, migrations.RunPython.noop)]
