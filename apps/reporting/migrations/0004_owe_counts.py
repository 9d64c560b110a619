"""What was reported before these figures existed is owed to the worker, which counts it once it runs.

Nobody has to think of it after an upgrade: the changes stand in the outbox like those of any report. Where there is
nothing to count, or all is counted, nothing is written. Works in batches and locks no report.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

# The kind of change that owes nothing but the count.
OWED, BATCH = "seizure.saved", 1000


def owe(apps: Any, _editor: Any) -> None:
    """Write one change for each report that was sent and whose incident has no entry."""
    report = apps.get_model("seizures", "SeizureReport")
    change = apps.get_model("changes", "Change")
    counted = apps.get_model("reporting", "SeizureEntry").objects.values("incident_id")
    waiting = change.objects.filter(kind=OWED, relayed_at=None).values("oid")
    rows = report.objects.filter(is_draft=False).exclude(incident_id__in=counted).exclude(pk__in=waiting)
    owed = (
        change(kind=OWED, record_kind="seizure", oid=pk, rev=rev, data={}, at=timezone.now())
        for pk, rev in list(rows.order_by("pk").values_list("pk", "rev"))
    )
    change.objects.bulk_create(owed, batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("changes", "0001_initial"),
        ("reporting", "0003_seizure_entries"),
        ("seizures", "0002_merging_and_agreement"),
    ]

    operations = [migrations.RunPython(owe, migrations.RunPython.noop)]
