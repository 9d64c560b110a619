"""The board: totals of a unit, one row per unit directly below it, for a period and the one before it.

Every sum is taken from `RollUp.objects.visible_to(actor)`. A unit's figures are rolled up to the unit that stood above
it on the day of the inspection; `restate=True` uses today's tree for all days instead.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Max, Q, QuerySet, Sum

from apps.checklists.models import AppliesTo
from apps.common.actor import Actor
from apps.inspections.models import InspectionReport, Mode, Outcome, SelectionReason
from apps.organisation.queries import subtrees, today
from apps.reporting.models import CountedDay, ReportingCalendar, RollUp, counted
from apps.reporting.queries.tree import Part, UnitRef, chosen_unit, parts_of, path_to, refs
from apps.reporting.queries.truth import uncounted_since
from apps.reporting.rules import FINDING, SUPPORT_TYPES, Comparison, CutOff, Figures, Period, comparisons

LABELS = {"type": AppliesTo, "outcome": Outcome, "selection_reason": SelectionReason, "mode": Mode}


@dataclass(frozen=True)
class BoardRow:
    """A unit below the chosen one with everything below it, or (`is_self`) what the chosen unit did itself."""

    unit: UnitRef
    is_self: bool
    has_below: bool
    figures: Figures
    before: Figures

    @property
    def changes(self) -> dict[str, Comparison]:
        """Compare each measure with the previous period, by code."""
        return comparisons(self.figures, self.before)


@dataclass(frozen=True)
class Board:
    """What the board shows; the exact periods and how fresh the count is belong to the figures.

    `counted_at` is the latest count among these units and days. `uncounted_since` is set while changes wait to be
    counted: then the figures hold everything up to that moment, otherwise everything up to now.
    """

    unit: UnitRef
    path: tuple[UnitRef, ...]
    period: Period
    previous: Period
    restated: bool
    total: Figures
    total_before: Figures
    rows: tuple[BoardRow, ...]
    counted_at: dt.datetime | None
    uncounted_since: dt.datetime | None

    @property
    def changes(self) -> dict[str, Comparison]:
        """Compare each measure of the total with the previous period, by code."""
        return comparisons(self.total, self.total_before)


@dataclass(frozen=True)
class Point:
    """One step of a series."""

    period: Period
    figures: Figures


@dataclass(frozen=True)
class Share:
    """One value of a dimension, with its label in the language of the request."""

    code: str
    label: str
    figures: Figures
    before: Figures

    @property
    def changes(self) -> dict[str, Comparison]:
        """Compare each measure with the previous period, by code."""
        return comparisons(self.figures, self.before)


def cut_offs() -> list[CutOff]:
    """Give the dated cut-offs of reporting months, for `rules.period_of`."""
    return [
        CutOff(row.valid_from, row.cutoff_day) for row in ReportingCalendar.objects.order_by("valid_from")
    ]


def board(actor: Actor, period: Period, unit_id: UUID | None = None, *, restate: bool = False) -> Board:
    """Give the board of a unit (the actor's top unit when none is named) for a period.

    Raises NotFound for a unit whose figures this person may not read, as for one that does not exist.
    """
    unit = chosen_unit(actor, unit_id)
    now, below = _by_row(actor, unit, period, restate=restate)
    before, below_before = _by_row(actor, unit, period.previous, restate=restate)
    day = today() if restate else period.last
    units = {unit} | below | below_before
    called = refs({*units, *path_to(actor, unit, day)}, day)
    parents = subtrees(units, day)
    rows = [
        BoardRow(called[u], u == unit, u != unit and len(parents[u]) > 1, now[u], before[u])
        for u in sorted(units, key=lambda u: (u != unit, called[u].code))
    ]
    seen = subtrees([unit], day)[unit]
    return Board(
        unit=called[unit],
        path=tuple(called[u] for u in path_to(actor, unit, day)),
        period=period,
        previous=period.previous,
        restated=restate,
        total=sum(now.values(), Figures()),
        total_before=sum(before.values(), Figures()),
        rows=tuple(rows),
        counted_at=_counted_at(actor, seen, period),
        uncounted_since=uncounted_since(seen),
    )


def series(
    actor: Actor, period: Period, unit_id: UUID | None = None, *, step: str = "day", restate: bool = False
) -> list[Point]:
    """Give the figures of a unit and all below it per day, week or month, empty steps included. Raises NotFound."""
    parts = parts_of(chosen_unit(actor, unit_id), period, restate=restate)
    by_day: dict[dt.date, Figures] = defaultdict(Figures)
    for part in parts:
        for row in _sums(actor, part, "day"):
            by_day[row["day"]] += _figures(row)
    days = sorted(by_day)
    return [
        Point(p, sum((by_day[d] for d in days if p.first <= d <= p.last), Figures()))
        for p in period.steps(step)
    ]


def breakdown(
    actor: Actor, period: Period, dimension: str, unit_id: UUID | None = None, *, restate: bool = False
) -> list[Share]:
    """Split the figures of a unit and all below it by `type`, `outcome`, `selection_reason` or `mode`.

    Largest first; values with nothing in either period are left out. Raises NotFound, KeyError for another dimension.
    """
    labels: dict[str, Any] = dict(LABELS[dimension].choices)
    unit = chosen_unit(actor, unit_id)
    now = _by_value(actor, unit, period, dimension, restate=restate)
    before = _by_value(actor, unit, period.previous, dimension, restate=restate)
    shares = [
        Share(code, str(labels.get(code, code)), now.get(code, Figures()), before.get(code, Figures()))
        for code in {*now, *before}
    ]
    return sorted(shares, key=lambda s: (-s.figures.inspections, s.code))


def reports_behind(
    actor: Actor, period: Period, unit_id: UUID | None = None, *, restate: bool = False
) -> QuerySet[InspectionReport]:
    """Give the counted reports behind a board's total that this person may read; filter it further by dimension."""
    parts = parts_of(chosen_unit(actor, unit_id), period, restate=restate)
    days = [Q(occurred_on__range=(p.period.first, p.period.last), unit_id__in=list(p.row_of)) for p in parts]
    reports = InspectionReport.objects.visible_to(actor).filter(Q(*days, _connector=Q.OR))
    return counted(reports).exclude(type__in=SUPPORT_TYPES)


def _by_row(
    actor: Actor, unit: UUID, period: Period, *, restate: bool
) -> tuple[dict[UUID, Figures], set[UUID]]:
    """Give the figures by row, and the units directly below during any part of the period."""
    figures: dict[UUID, Figures] = defaultdict(Figures)
    below: set[UUID] = set()
    for part in parts_of(unit, period, restate=restate):
        below |= set(part.row_of.values()) - {unit}
        for row in _sums(actor, part, "unit_id"):
            figures[part.row_of[row["unit_id"]]] += _figures(row)
    return figures, below


def _by_value(
    actor: Actor, unit: UUID, period: Period, dimension: str, *, restate: bool
) -> dict[str, Figures]:
    figures: dict[str, Figures] = defaultdict(Figures)
    for part in parts_of(unit, period, restate=restate):
        for row in _sums(actor, part, dimension):
            figures[row[dimension]] += _figures(row)
    return figures


def _sums(actor: Actor, part: Part, by: str) -> Iterable[Mapping[str, Any]]:
    cells = (
        RollUp.objects.visible_to(actor)
        .filter(day__range=(part.period.first, part.period.last), unit_id__in=list(part.row_of))
        .exclude(type__in=SUPPORT_TYPES)
    )
    rows: Iterable[Mapping[str, Any]] = (
        cells.order_by()
        .values(by)
        .annotate(
            n=Sum("inspections"),
            hits=Sum("inspections", filter=Q(outcome=FINDING), default=0),
            required=Sum("required_steps"),
            answered=Sum("answered_steps"),
        )
    )
    return rows


def _figures(row: Mapping[str, Any]) -> Figures:
    return Figures(row["n"], row["hits"], row["required"], row["answered"])


def _counted_at(actor: Actor, units: Iterable[UUID], period: Period) -> dt.datetime | None:
    days = CountedDay.objects.visible_to(actor).filter(
        unit_id__in=list(units), day__range=(period.first, period.last)
    )
    latest: dt.datetime | None = days.aggregate(at=Max("counted_at"))["at"]
    return latest
