"""The units of the service as a list that phones hold: their codes, what they are called today, of which force.

The tree of units is the truth; this list follows it within the hour and is edited by nobody. A list `units` that the
service has imported itself is its own and is left alone.
"""

from __future__ import annotations

import csv
import io

from apps.common.actor import Actor
from apps.organisation.models import Unit, UnitName, UnitParent, valid_on
from apps.organisation.queries import today
from apps.reference.actions.importing import import_list
from apps.reference.models import ReferenceEntry, ReferenceList

UNITS = "units"
NAMES = ("Đơn vị, cơ quan phối hợp", "Units and partner agencies")
Row = tuple[str, str, str, str, str]


def publish_units(*, actor: Actor) -> int:
    """Make the list equal to the units of today, where it differs; gives how many there are.

    Dissolved units stay known and are no longer offered. Not to be called inside a transaction of one's own. Raises
    ImportSuperseded when another import of the list begins meanwhile.
    """
    rows = _units()
    if not rows or _is_own() or rows == _published():
        return len(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("key", "label_vi", "label_en", "force", "valid"))
    writer.writerows(rows)
    lines = out.getvalue().encode().splitlines(keepends=True)
    import_list(actor=actor, slug=UNITS, lines=lines, names=NAMES, is_shipped=True)
    return len(rows)


def _units() -> list[Row]:
    """Give each unit that has a name today; what once stood in the tree and stands there no more is not valid."""
    day = today()
    names = UnitName.objects.filter(valid_on(day)).values_list("unit_id", "vi", "en")
    called = {unit: (vi, en) for unit, vi, en in names}
    parents = UnitParent.objects.order_by()
    once = set(parents.values_list("unit_id", flat=True))
    now = set(parents.filter(valid_on(day)).values_list("unit_id", flat=True))
    rows = Unit.objects.values_list("pk", "code", "force")
    return sorted(
        (code, *called[pk], force, "0" if pk in once - now else "1")
        for pk, code, force in rows
        if pk in called
    )


def _is_own() -> bool:
    return ReferenceList.objects.filter(slug=UNITS, is_shipped=False, imported_at__isnull=False).exists()


def _published() -> list[Row]:
    """Give what the list says."""
    rows = ReferenceEntry.objects.filter(list__slug=UNITS, is_listed=True)
    found = rows.values_list("key", "label_vi", "label_en", "data", "valid")
    return sorted(
        (key, vi, en, str(data.get("force", "")), "1" if valid else "0") for key, vi, en, data, valid in found
    )
