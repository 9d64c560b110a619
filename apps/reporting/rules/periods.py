"""Pure: the days a figure is for, the service's reporting calendar, and how two figures are compared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PERIODS = ("day", "week", "month", "quarter", "year", "reporting_month", "reporting_year")
STEPS = ("day", "week", "month")
# Below this base a percentage says more than the numbers can carry (dictionary 6.3).
SMALLEST_BASE = 5


@dataclass(frozen=True)
class Comparison:
    """How a figure stands against its base: `percent` is missing where the base is zero or too small to carry one."""

    before: float | None
    difference: float | None
    percent: float | None


def compare(now: float | None, before: float | None, base: int) -> Comparison:
    """Compare two values; `base` is the number of inspections (or findings) that the earlier value stands on."""
    if now is None or before is None:
        return Comparison(before, None, None)
    percent = (now - before) / before * 100 if before and base >= SMALLEST_BASE else None
    return Comparison(before, now - before, percent)


@dataclass(frozen=True, order=True)
class Period:
    """A range of days in Vietnam, both ends included; printed beside every figure."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a period ends on or after the day it starts")

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> Period:
        """Give the period of the same length that ends the day before this one starts."""
        length = dt.timedelta(days=self.days)
        return Period(self.first - length, self.last - length)

    @property
    def year_before(self) -> Period:
        """Give the same days of the year before; 29 February becomes the 28th."""
        return Period(_year_back(self.first), _year_back(self.last))

    def cut_at(self, starts: Sequence[dt.date]) -> list[Period]:
        """Split into consecutive parts so that each of the days that lies inside starts a part."""
        firsts = sorted({self.first, *(day for day in starts if self.first < day <= self.last)})
        lasts = [day - dt.timedelta(days=1) for day in firsts[1:]] + [self.last]
        return [Period(first, last) for first, last in zip(firsts, lasts, strict=True)]

    def steps(self, step: str) -> list[Period]:
        """Split into days, weeks (from Monday) or calendar months; the outer ones may be incomplete."""
        return self.cut_at([day for day in self._each_day() if _starts_step(day, step)])

    def _each_day(self) -> Iterator[dt.date]:
        return (self.first + dt.timedelta(days=i) for i in range(self.days))


@dataclass(frozen=True)
class CutOff:
    """From `valid_from` on, a reporting month ends on `day` and the next one starts the day after (dictionary 6.2)."""

    valid_from: dt.date
    day: int


def period_of(kind: str, today: dt.date, cut_offs: Sequence[CutOff] = ()) -> Period:
    """Give the period of this kind that holds `today`, up to today.

    `reporting_month` and `reporting_year` follow the service's calendar: a month from one cut-off to the next, a year
    from the start of its January. Without a cut-off in force they are calendar months and years.
    """
    month = today.replace(day=1)
    first = {
        "day": lambda: today,
        "week": lambda: today - dt.timedelta(days=today.weekday()),
        "month": lambda: month,
        "quarter": lambda: month.replace(month=(today.month - 1) // 3 * 3 + 1),
        "year": lambda: month.replace(month=1),
        "reporting_month": lambda: _month_start(_reporting_month(today, cut_offs), cut_offs),
        "reporting_year": lambda: _month_start(_reporting_month(today, cut_offs).replace(month=1), cut_offs),
    }[kind]()
    return Period(first, today)


def _starts_step(day: dt.date, step: str) -> bool:
    return step == "day" or (step == "week" and day.weekday() == 0) or (step == "month" and day.day == 1)


def _year_back(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _next_month(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=32)).replace(day=1)


def _month_end(month: dt.date, cut_offs: Sequence[CutOff]) -> dt.date:
    """Give the last day of the reporting month named after the calendar month that starts on `month`."""
    last = _next_month(month) - dt.timedelta(days=1)
    in_force = max((c for c in cut_offs if c.valid_from <= month), key=lambda c: c.valid_from, default=None)
    return last if in_force is None else last.replace(day=min(in_force.day, last.day))


def _month_start(month: dt.date, cut_offs: Sequence[CutOff]) -> dt.date:
    before = (month - dt.timedelta(days=1)).replace(day=1)
    return _month_end(before, cut_offs) + dt.timedelta(days=1)


def _reporting_month(today: dt.date, cut_offs: Sequence[CutOff]) -> dt.date:
    month = today.replace(day=1)
    return month if today <= _month_end(month, cut_offs) else _next_month(month)
