"""Exhibits from before the figures of custody are owed to the worker, which works them out once it runs.

Where there are none, or all are worked out, nothing is written. Works in batches and locks nothing.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

# A kind of change that owes nothing but this count.
OWED, BATCH = "exhibit.recorded", 1000


def owe(apps: Any, _editor: Any) -> None:
    """Write one change for each exhibit of which nothing is kept."""
    exhibit = apps.get_model("custody", "Exhibit")
    change = apps.get_model("changes", "Change")
    kept = apps.get_model("reporting", "CustodyEntry").objects.values("exhibit_id")
    waiting = change.objects.filter(record_kind="exhibit", relayed_at=None).values("oid")
    rows = exhibit.objects.exclude(pk__in=kept).exclude(pk__in=waiting).order_by("pk")
    owed = (
        change(
            kind=OWED,
            record_kind="exhibit",
            oid=pk,
            rev=rev,
            data={"unit": str(unit), "report": str(report)},
            at=timezone.now(),
        )
        for pk, rev, unit, report in list(rows.values_list("pk", "rev", "unit_id", "report_id"))
    )
    change.objects.bulk_create(owed, batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("changes", "0001_initial"),
        ("custody", "0001_initial"),
        ("reporting", "0005_custody_entries"),
    ]

    operations = [migrations.RunPython(owe, migrations.RunPython.noop)]
