"""The board of seizures: sums of a unit and of each below it, for a period, as they stand or as they stood on a day.

Every sum is taken from `SeizureEntry.objects.visible_to(actor)`; what was in custody at the end of the period, from
`CustodyEntry.objects.visible_to(actor)`. Units roll up as on the day of the seizure; `restate`
uses today's tree instead. An entry that was closed is read again for a moment at which it held.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from apps.common.actor import Actor
from apps.organisation.queries import subtrees, today
from apps.reporting.models import CustodyEntry, SeizureEntry, SeizureEntryQuerySet
from apps.reporting.queries.custody_rows import custody_uncounted_since, held_entry
from apps.reporting.queries.seizure_rows import entry, seizures_uncounted_since
from apps.reporting.queries.tree import UnitRef, chosen_unit, parts_of, path_to, refs
from apps.reporting.rules import Comparison, Entry, Period, Seized, seizure_comparisons, sum_up
from apps.seizures.models import SeizureReport


@dataclass(frozen=True)
class SeizureRow:
    """A unit below the chosen one with everything below it, or (`is_self`) what stands under the chosen unit itself."""

    unit: UnitRef
    is_self: bool
    has_below: bool
    figures: Seized
    before: Seized

    @property
    def changes(self) -> dict[str, Comparison]:
        """Compare each measure with the previous period, by code."""
        return seizure_comparisons(self.figures, self.before)


@dataclass(frozen=True)
class SeizureBoard:
    """What the board of seizures shows.

    `as_of` is the moment whose figures these are, None for now. `at_close` and `before_at_close` are what the period
    and the previous one showed when they ended (None when the period has not ended): the difference came in late.
    `uncounted_since` is set while changes wait to be counted.
    """

    unit: UnitRef
    path: tuple[UnitRef, ...]
    period: Period
    restated: bool
    as_of: dt.datetime | None
    total: Seized
    before: Seized
    year_before: Seized
    at_close: Seized | None
    before_at_close: Seized | None
    rows: tuple[SeizureRow, ...]
    uncounted_since: dt.datetime | None


@dataclass(frozen=True)
class Amendment:
    """What a report counted as when the period ended and counts as now; `at` is the latest change of it."""

    report: SeizureReport
    at: dt.datetime
    before: Seized
    after: Seized


def seizure_board(
    actor: Actor,
    period: Period,
    unit_id: UUID | None = None,
    *,
    as_of: dt.datetime | None = None,
    restate: bool = False,
) -> SeizureBoard:
    """Give the figures of seizures of a unit (the actor's top unit when none is named) for a period.

    Raises NotFound for a unit whose figures this person may not read, as for one that does not exist.
    """
    unit = chosen_unit(actor, unit_id)
    read = _Reader(actor, unit, restate=restate)
    now, before = read.by_row(period, as_of), read.by_row(period.previous, as_of)
    day = today() if restate else period.last
    units = {unit, *now, *before}
    path = path_to(actor, unit, day)
    called = refs({*units, *path}, day)
    below = subtrees(units, day)
    rows = [
        SeizureRow(called[u], u == unit, u != unit and len(below[u]) > 1, sum_up(now[u]), sum_up(before[u]))
        for u in sorted(units, key=lambda u: (u != unit, called[u].code))
    ]
    return SeizureBoard(
        unit=called[unit],
        path=tuple(called[u] for u in path),
        period=period,
        restated=restate,
        as_of=as_of,
        total=_whole(now.values()),
        before=_whole(before.values()),
        year_before=_whole(read.by_row(period.year_before, as_of).values()),
        at_close=read.at_close(period, as_of),
        before_at_close=read.at_close(period.previous, as_of),
        rows=tuple(rows),
        uncounted_since=None if as_of else _uncounted_since(below[unit]),
    )


def amendments(
    actor: Actor, period: Period, unit_id: UUID | None = None, *, restate: bool = False
) -> list[Amendment]:
    """Give the reports whose figures of this period changed after it had ended, among those this person may read.

    The latest first. Raises NotFound.
    """
    read = _Reader(actor, chosen_unit(actor, unit_id), restate=restate)
    close = closed_at(period)
    late = read.rows(period).filter(Q(since__gt=close) | Q(until__gt=close))
    reports = SeizureReport.objects.visible_to(actor).filter(pk__in=late.values("report_id"))
    rows: dict[UUID, list[SeizureEntry]] = defaultdict(list)
    for row in read.rows(period).filter(report__in=reports):
        rows[row.report_id].append(row)
    found = []
    for report in reports:
        several = rows[report.pk]
        moments = [at for row in several for at in (row.since, row.until) if at and at > close]
        before = sum_up(
            entry(r) for r in several if r.since <= close and (r.until is None or r.until > close)
        )
        after = sum_up(entry(r) for r in several if r.until is None)
        if before != after:
            found.append(Amendment(report, max(moments), before, after))
    return sorted(found, key=lambda a: a.at, reverse=True)


def closed_at(period: Period) -> dt.datetime:
    """Give the moment at which a period ends: midnight in Vietnam after its last day."""
    return end_of(period.last)


def end_of(day: dt.date) -> dt.datetime:
    """Give the end of a day in Vietnam."""
    following = dt.datetime.combine(day + dt.timedelta(days=1), dt.time())
    return timezone.make_aware(following, timezone.get_default_timezone())


class _Reader:
    """Reads the entries of one unit and all below it, as one person may."""

    def __init__(self, actor: Actor, unit: UUID, *, restate: bool) -> None:
        self.actor, self.unit, self.restate = actor, unit, restate

    def by_row(self, period: Period, moment: dt.datetime | None) -> dict[UUID, list[Entry]]:
        """Give the entries by the row of the board in which they stand; each unit directly below has one."""
        found: dict[UUID, list[Entry]] = defaultdict(list)
        for part in parts_of(self.unit, period, restate=self.restate):
            for below in set(part.row_of.values()) - {self.unit}:
                found[below] += []
            for row in self._of(part.period, part.row_of).at(moment):
                found[part.row_of[row.unit_id]].append(entry(row))
        for unit, held in self._held(period, moment):
            found[unit].append(held)
        return found

    def _held(self, period: Period, moment: dt.datetime | None) -> Iterator[tuple[UUID, Entry]]:
        """Give what was in custody when the period ended (at the moment, if that is earlier), by row."""
        row_of = parts_of(self.unit, Period(period.last, period.last), restate=self.restate)[0].row_of
        then = min(closed_at(period), moment or timezone.now())
        mine = CustodyEntry.objects.visible_to(self.actor).at(then).filter(unit_id__in=list(row_of))
        for row in mine.select_related("exhibit__report"):
            yield row_of[row.unit_id], held_entry(row)

    def rows(self, period: Period) -> SeizureEntryQuerySet:
        """Give all entries of a period, also those that hold no more."""
        parts = parts_of(self.unit, period, restate=self.restate)
        days = [Q(day__range=(p.period.first, p.period.last), unit_id__in=list(p.row_of)) for p in parts]
        return SeizureEntry.objects.visible_to(self.actor).filter(Q(*days, _connector=Q.OR))

    def at_close(self, period: Period, as_of: dt.datetime | None) -> Seized | None:
        """Give what the period showed when it ended; None when it has not."""
        close = closed_at(period)
        if close > (as_of or timezone.now()):
            return None
        return _whole(self.by_row(period, close).values())

    def _of(self, period: Period, units: Iterable[UUID]) -> SeizureEntryQuerySet:
        mine = SeizureEntry.objects.visible_to(self.actor)
        return mine.filter(day__range=(period.first, period.last), unit_id__in=list(units)).order_by("pk")


def _uncounted_since(units: Collection[UUID]) -> dt.datetime | None:
    since = (seizures_uncounted_since(units), custody_uncounted_since(units))
    return min(filter(None, since), default=None)


def _whole(rows: Iterable[Iterable[Entry]]) -> Seized:
    return sum_up(found for row in rows for found in row)
