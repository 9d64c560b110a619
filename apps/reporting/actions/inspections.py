"""Keeping the roll-ups of inspections: count again the unit-days that changed, or all that differs from the rows.

The rows are the truth and a refresh is a recount of whole unit-days, never an increment. So it does not matter how
often, in which order or how late a refresh runs.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import NotAllowed
from apps.inspections.models import InspectionReport
from apps.reporting.models import COUNTS, DIMENSIONS, CountedDay, ReportingCalendar, RollUp, counted
from apps.reporting.queries import Difference, differences

UnitDay = tuple[UUID, dt.date]
Key = tuple[UUID, dt.date, str, str, str, str]
Sums = tuple[int, int, int]
CELL = ("unit_id", "day", *DIMENSIONS)
BATCH = 500


@transaction.atomic
def refresh_days(*, actor: Actor, cells: Iterable[UnitDay]) -> None:
    """Count the named days of the named units again from their reports and make the roll-ups say so.

    Each unit-day has a row that is locked first, in one order, in a statement of its own. Under READ COMMITTED the
    count is a later statement and so sees every report committed before the lock was had; a report committed after
    that has a change of its own, whose refresh waits for the lock and counts again. (REPEATABLE READ would take its
    snapshot before the lock and lose counts.) On SQLite there is one writer at a time from BEGIN IMMEDIATE on.
    """
    may_count(actor)
    wanted = sorted(set(cells), key=lambda cell: (str(cell[0]), cell[1]))
    for start in range(0, len(wanted), BATCH):
        _refresh(wanted[start : start + BATCH])


def recount(*, actor: Actor, dry_run: bool = False) -> list[Difference]:
    """Compare all roll-ups with the rows, give what differs and, unless it is a dry run, put it right.

    One grouping statement finds the differing cells; only their unit-days are counted again, each batch in a
    transaction of its own, so that a large repair does not hold up the day's work.
    """
    may_count(actor)
    found = differences()
    if found and not dry_run:
        cells = sorted({(d.unit_id, d.day) for d in found}, key=lambda cell: (str(cell[0]), cell[1]))
        for start in range(0, len(cells), BATCH):
            refresh_days(actor=actor, cells=cells[start : start + BATCH])
        log(actor, "figures.recounted", "rollup", data={"cells": len(found), "days": len(cells)})
    return found


@transaction.atomic
def set_cut_off(*, actor: Actor, valid_from: dt.date, day: int) -> ReportingCalendar:
    """Say on which day of the month reporting months end from a date on (dictionary 6.2)."""
    if not (actor.is_system or actor.has_role("administrator")):
        raise NotAllowed
    row, _ = ReportingCalendar.objects.update_or_create(valid_from=valid_from, defaults={"cutoff_day": day})
    log(
        actor,
        "reporting_calendar.set",
        "reporting_calendar",
        data={"from": valid_from.isoformat(), "day": day},
    )
    return row


def may_count(actor: Actor) -> None:
    """Refuse whoever is neither the system nor an administrator."""
    if not (actor.is_system or actor.has_role("administrator")):
        raise NotAllowed


def _refresh(cells: list[UnitDay]) -> None:
    days_of: dict[UUID, list[dt.date]] = defaultdict(list)
    for unit, day in cells:
        days_of[unit].append(day)
    of_these = Q(*(Q(unit_id=unit, day__in=days) for unit, days in days_of.items()), _connector=Q.OR)
    _lock(cells, of_these)
    fresh: dict[Key, Sums] = {}
    for unit, days in days_of.items():
        fresh.update(_count(unit, days))
    _replace(of_these, fresh)
    CountedDay.objects.filter(of_these).update(counted_at=timezone.now())


def _lock(cells: list[UnitDay], of_these: Q) -> None:
    """Make sure that each unit-day has its row, then lock the rows; both in the same order in every transaction."""
    now = timezone.now()
    CountedDay.objects.bulk_create(
        [CountedDay(unit_id=unit, day=day, counted_at=now) for unit, day in cells], ignore_conflicts=True
    )
    rows = CountedDay.objects.select_for_update().filter(of_these).order_by("unit_id", "day")
    list(rows.values_list("pk"))


def _count(unit: UUID, days: list[dt.date]) -> dict[Key, Sums]:
    rows = (
        counted(InspectionReport.objects.filter(unit_id=unit, occurred_on__in=days))
        .annotate(day=F("occurred_on"))
        .values("unit_id", "day", *DIMENSIONS)
        .annotate(n=Count("pk"), required=Sum("required_steps"), answered=Sum("answered_steps"))
        .values_list(*CELL, "n", "required", "answered")
        .order_by()
    )
    return {row[:6]: row[6:] for row in rows}


def _replace(of_these: Q, fresh: Mapping[Key, Sums]) -> None:
    """Write the cells that are new or changed and delete those that no report stands behind any more."""
    stored = {
        row[1:7]: (row[0], row[7:])
        for row in RollUp.objects.filter(of_these).values_list("pk", *CELL, *COUNTS)
    }
    RollUp.objects.bulk_create(
        [
            RollUp(**dict(zip((*CELL, *COUNTS), (*key, *sums), strict=True)))
            for key, sums in fresh.items()
            if key not in stored or stored[key][1] != sums
        ],
        update_conflicts=True,
        unique_fields=["unit", "day", *DIMENSIONS],
        update_fields=list(COUNTS),
    )
    gone = [pk for key, (pk, _) in stored.items() if key not in fresh]
    if gone:
        RollUp.objects.filter(pk__in=gone).delete()
