"""Measures, periods and comparisons, with plain data."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.reporting.rules import (
    MEASURES,
    PERIODS,
    STEPS,
    CutOff,
    Figures,
    Period,
    compare,
    comparisons,
    period_of,
)

DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2030, 12, 31))
SERVICE = (CutOff(dt.date(2022, 12, 1), 15), CutOff(dt.date(2025, 1, 1), 14))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def test_every_measure_says_what_it_is_in_both_languages() -> None:
    assert [m.code for m in MEASURES] == [
        "inspections",
        "inspections_with_finding",
        "hit_rate",
        "checklist_compliance",
    ]
    assert all(
        m.vi and m.en and m.definition_vi.endswith(".") and m.definition_en.endswith(".") for m in MEASURES
    )


def test_rates_come_from_sums_and_are_missing_without_a_base() -> None:
    assert Figures(40, 1, 400, 380).hit_rate == 1 / 40
    assert Figures(40, 1, 400, 380).checklist_compliance == 0.95
    assert Figures().hit_rate is None
    assert Figures().checklist_compliance is None


@pytest.mark.parametrize(
    ("now", "before", "base", "difference", "percent"),
    [
        (12, 10, 10, 2, 20.0),
        (3, 0, 0, 3, None),
        (6, 4, 4, 2, None),
        (5, 10, 10, -5, -50.0),
        (None, 0.5, 8, None, None),
        (0.5, None, 0, None, None),
    ],
)
def test_a_percentage_needs_a_base_that_can_carry_it(
    now: float | None, before: float | None, base: int, difference: float | None, percent: float | None
) -> None:
    result = compare(now, before, base)
    assert (result.before, result.difference, result.percent) == (before, difference, percent)


def test_all_measures_are_compared() -> None:
    assert set(comparisons(Figures(1), Figures())) == {m.code for m in MEASURES}


def test_a_period_is_compared_with_the_days_just_before_it() -> None:
    period = Period(day("2024-08-01"), day("2024-08-20"))
    assert period.previous == Period(day("2024-07-12"), day("2024-07-31"))
    assert period.previous.days == period.days == 20
    assert Period(day("2024-02-29"), day("2024-02-29")).year_before.last == day("2023-02-28")


@pytest.mark.parametrize(
    ("kind", "today", "first"),
    [
        ("day", "2024-08-20", "2024-08-20"),
        ("week", "2024-08-20", "2024-08-19"),
        ("month", "2024-08-20", "2024-08-01"),
        ("quarter", "2024-08-20", "2024-07-01"),
        ("year", "2024-08-20", "2024-01-01"),
        ("reporting_month", "2023-08-15", "2023-07-16"),
        ("reporting_month", "2023-08-16", "2023-08-16"),
        ("reporting_year", "2023-08-15", "2022-12-16"),
        ("reporting_year", "2023-12-16", "2023-12-16"),
        ("reporting_month", "2026-02-14", "2026-01-15"),
        ("reporting_year", "2026-02-14", "2025-12-15"),
        ("reporting_month", "2025-01-10", "2024-12-16"),
        ("reporting_month", "2020-05-20", "2020-05-01"),
    ],
)
def test_named_periods_reach_up_to_today(kind: str, today: str, first: str) -> None:
    assert period_of(kind, day(today), SERVICE) == Period(day(first), day(today))


@given(DAYS, st.sampled_from(PERIODS))
def test_reporting_months_leave_no_gap(today: dt.date, kind: str) -> None:
    period = period_of(kind, today, SERVICE)
    assert period.last == today
    before = period_of(kind, period.first - dt.timedelta(days=1), SERVICE)
    assert before.first < period.first


@given(DAYS, st.integers(0, 500), st.sampled_from(STEPS))
def test_steps_cover_the_period_once(first: dt.date, length: int, step: str) -> None:
    period = Period(first, first + dt.timedelta(days=length))
    parts = period.steps(step)
    assert sum(p.days for p in parts) == period.days
    assert (parts[0].first, parts[-1].last) == (period.first, period.last)
