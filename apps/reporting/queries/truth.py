"""How the roll-ups stand against the rows they were counted from: what differs, and what is not counted yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum

from apps.changes.models import Change, Reaction
from apps.inspections.models import InspectionReport
from apps.reporting.models import COUNTS, DIMENSIONS, RollUp, counted

REFRESH = "reporting.refresh"


@dataclass(frozen=True)
class Difference:
    """One cell whose rows and roll-up disagree; the three numbers are rows minus roll-up."""

    unit_id: UUID
    day: dt.date
    type: str
    outcome: str
    selection_reason: str
    mode: str
    inspections: int
    required_steps: int
    answered_steps: int


def differences() -> list[Difference]:
    """Compare every cell with its rows in one statement of one snapshot; equal cells do not leave the database."""
    sums = {f"n{i}": Sum(source) for i, source in enumerate(("required_steps", "answered_steps"), start=1)}
    rows = (
        counted(InspectionReport.objects.all())
        .order_by()
        .annotate(day=F("occurred_on"))
        .values("unit_id", "day", *DIMENSIONS)
        .annotate(n0=Count("pk"), **sums)
    )
    cells = (
        RollUp.objects.order_by()
        .values("unit_id", "day", *DIMENSIONS)
        .annotate(**{f"n{i}": Sum(-F(name)) for i, name in enumerate(COUNTS)})
    )
    columns = ("unit_id", "day", *DIMENSIONS, "n0", "n1", "n2")
    both, parameters = (
        rows.values_list(*columns)
        .union(cells.values_list(*columns), all=True)
        .query.get_compiler(connection=connection)
    ).as_sql()
    names = ", ".join(connection.ops.quote_name(c) for c in ("unit", "day", *DIMENSIONS))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH both_sides (unit, day, type, outcome, selection_reason, mode, n0, n1, n2) AS ({both})
            SELECT {names}, SUM(n0), SUM(n1), SUM(n2) FROM both_sides GROUP BY {names}
            HAVING SUM(n0) <> 0 OR SUM(n1) <> 0 OR SUM(n2) <> 0
            """,  # noqa: S608  composed of column names and Django's own SQL; values stay parameters
            parameters,
        )
        return [
            Difference(UUID(str(row[0])), _day(row[1]), *row[2:6], *(int(n) for n in row[6:]))
            for row in cursor.fetchall()
        ]


def uncounted_since(units: Collection[UUID] | None = None) -> dt.datetime | None:
    """Tell since when changes of these units wait to be counted; nothing waits when the worker keeps up."""
    for change in uncounted("inspection", REFRESH):
        if units is None or change.data.get("unit") in {str(u) for u in units}:
            return change.at
    return None


def uncounted(kind: str, task: str, named: str = "days") -> QuerySet[Change]:
    """Give, oldest first, changes of figures that the relay has not seen or whose task is owed.

    A change that moves figures says so by what its data names.
    """
    owed = Reaction.objects.filter(task=task, done_at__isnull=True).values("change_id")
    waiting = Q(relayed_at__isnull=True, record_kind=kind, data__has_key=named) | Q(pk__in=owed)
    return Change.objects.filter(waiting).order_by("pk").only("at", "oid", "data")


def _day(value: object) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
