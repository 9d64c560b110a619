"""Entries that hold today get what their reports say of form, cue, means, concealment and route, where they stand.

Otherwise the next count would close each of them and open it anew, and every report would look as if it had changed after
its period. Entries that hold no more keep nothing of it: what was shown then had no such split.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

BATCH = 500
SINGLE = ("first_cue", "direction", "departure", "destination", "place_type")
SEVERAL = {"places": "concealment_places", "techniques": "concealment_techniques", "means": "means"}


def fill(apps: Any, _editor: Any) -> None:
    """Fill the entries of incidents and amounts, report by report."""
    entry = apps.get_model("reporting", "SeizureEntry")
    report = apps.get_model("seizures", "SeizureReport")
    line = apps.get_model("seizures", "SeizureLine")
    standing = entry.objects.filter(until=None, measure__in=["incident", "mass", "volume", "count"])
    ids = sorted(set(standing.values_list("report_id", flat=True)))
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        said = dict(report.objects.filter(pk__in=some).values_list("pk", "fields"))
        rows = line.objects.filter(report__in=some).values_list("report_id", "mark", "form")
        forms = {(pk, mark): form for pk, mark, form in rows}
        changed = list(standing.filter(report__in=some))
        for row in changed:
            fields = said[row.report_id]
            row.form = "" if row.measure == "incident" else forms.get((row.report_id, row.mark), "")
            for name in SINGLE:
                setattr(row, name, str(fields.get(name) or ""))
            for name, source in SEVERAL.items():
                setattr(row, name, " ".join(sorted(fields.get(source) or ())))
        entry.objects.bulk_update(changed, ["form", *SINGLE, *SEVERAL], batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0007_seizure_dimensions"),
        ("seizures", "0002_merging_and_agreement"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
