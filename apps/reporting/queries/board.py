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

from apps.accounts.models import FIGURE_READERS
from apps.checklists.models import AppliesTo
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.inspections.models import InspectionReport, Mode, Outcome, SelectionReason
from apps.organisation.models import Unit
from apps.organisation.queries import children, lines_of_command, names, roots, subtrees, today, tree_changes
from apps.reporting.models import CountedDay, ReportingCalendar, RollUp, counted
from apps.reporting.queries.truth import uncounted_since
from apps.reporting.rules import FINDING, SUPPORT_TYPES, Comparison, CutOff, Figures, Period, comparisons

LABELS = {"type": AppliesTo, "outcome": Outcome, "selection_reason": SelectionReason, "mode": Mode}


@dataclass(frozen=True)
class UnitRef:
    """A unit with its name as of the last day of the period (today's when restated)."""

    id: UUID
    code: str
    level: str
    name: str


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


@dataclass(frozen=True)
class _Part:
    """Days with one and the same tree; `row_of` says in which row of the board each unit's figures stand."""

    period: Period
    row_of: Mapping[UUID, UUID]


def top_unit(actor: Actor) -> UUID:
    """Give the unit at which the actor's board opens: the one that reaches furthest. Raises NotFound."""
    if actor.is_system:
        tops = roots()
        if tops:
            return tops[0]
        raise NotFound
    posts = [post for post in actor.posts if post.role in FIGURE_READERS]
    if not posts:
        raise NotFound
    return max(posts, key=lambda post: len(post.reach)).unit_id


def cut_offs() -> list[CutOff]:
    """Give the dated cut-offs of reporting months, for `rules.period_of`."""
    return [
        CutOff(row.valid_from, row.cutoff_day) for row in ReportingCalendar.objects.order_by("valid_from")
    ]


def board(actor: Actor, period: Period, unit_id: UUID | None = None, *, restate: bool = False) -> Board:
    """Give the board of a unit (the actor's top unit when none is named) for a period.

    Raises NotFound for a unit whose figures this person may not read, as for one that does not exist.
    """
    unit = _chosen(actor, unit_id)
    now, below = _by_row(actor, unit, period, restate=restate)
    before, below_before = _by_row(actor, unit, period.previous, restate=restate)
    day = today() if restate else period.last
    units = {unit} | below | below_before
    refs = _refs({*units, *_path(actor, unit, day)}, day)
    parents = subtrees(units, day)
    rows = [
        BoardRow(refs[u], u == unit, u != unit and len(parents[u]) > 1, now[u], before[u])
        for u in sorted(units, key=lambda u: (u != unit, refs[u].code))
    ]
    seen = subtrees([unit], day)[unit]
    return Board(
        unit=refs[unit],
        path=tuple(refs[u] for u in _path(actor, unit, day)),
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
    parts = _parts(_chosen(actor, unit_id), period, restate=restate)
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
    unit = _chosen(actor, unit_id)
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
    parts = _parts(_chosen(actor, unit_id), period, restate=restate)
    days = [Q(occurred_on__range=(p.period.first, p.period.last), unit_id__in=list(p.row_of)) for p in parts]
    reports = InspectionReport.objects.visible_to(actor).filter(Q(*days, _connector=Q.OR))
    return counted(reports).exclude(type__in=SUPPORT_TYPES)


def _chosen(actor: Actor, unit_id: UUID | None) -> UUID:
    if unit_id is None:
        return top_unit(actor)
    may = actor.is_system or unit_id in actor.reach_of(*FIGURE_READERS)
    if not (may and Unit.objects.visible_to(actor).filter(pk=unit_id).exists()):
        raise NotFound
    return unit_id


def _parts(unit: UUID, period: Period, *, restate: bool) -> list[_Part]:
    """Cut the period where the tree changes; map each unit of the chosen one's subtree to its row."""
    if restate:
        return [_Part(period, _row_of(unit, today()))]
    cuts = period.cut_at(tree_changes(period.first, period.last))
    return [_Part(part, _row_of(unit, part.first)) for part in cuts]


def _row_of(unit: UUID, day: dt.date) -> dict[UUID, UUID]:
    below = subtrees(children(unit, day), day)
    return {unit: unit} | {member: child for child, members in below.items() for member in members}


def _by_row(
    actor: Actor, unit: UUID, period: Period, *, restate: bool
) -> tuple[dict[UUID, Figures], set[UUID]]:
    """Give the figures by row, and the units directly below during any part of the period."""
    figures: dict[UUID, Figures] = defaultdict(Figures)
    below: set[UUID] = set()
    for part in _parts(unit, period, restate=restate):
        below |= set(part.row_of.values()) - {unit}
        for row in _sums(actor, part, "unit_id"):
            figures[part.row_of[row["unit_id"]]] += _figures(row)
    return figures, below


def _by_value(
    actor: Actor, unit: UUID, period: Period, dimension: str, *, restate: bool
) -> dict[str, Figures]:
    figures: dict[str, Figures] = defaultdict(Figures)
    for part in _parts(unit, period, restate=restate):
        for row in _sums(actor, part, dimension):
            figures[row[dimension]] += _figures(row)
    return figures


def _sums(actor: Actor, part: _Part, by: str) -> Iterable[Mapping[str, Any]]:
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


def _path(actor: Actor, unit: UUID, day: dt.date) -> list[UUID]:
    """Give the line from the actor's furthest readable unit down to the chosen one."""
    line = lines_of_command([unit], day)[unit]
    reach = None if actor.is_system else actor.reach_of(*FIGURE_READERS)
    return [u for u in reversed(line) if reach is None or u in reach]


def _refs(units: Iterable[UUID], day: dt.date) -> dict[UUID, UnitRef]:
    called = names(units, day)
    rows = Unit.objects.filter(pk__in=list(units)).values_list("pk", "code", "level")
    return {pk: UnitRef(pk, code, level, called.get(pk, code)) for pk, code, level in rows}
