"""The board: sums that add up at every level, by the tree of the day or restated, and for nobody else's eyes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import translation

from apps.common.actor import SYSTEM, Actor, Post
from apps.common.errors import NotFound
from apps.common.records import new_id
from apps.organisation.actions import create_unit, end_unit, move_unit, rename_unit
from apps.organisation.models import Unit
from apps.organisation.queries import subtrees
from apps.reporting.actions import set_cut_off
from apps.reporting.models import CountedDay, RollUp
from apps.reporting.queries import Board, board, breakdown, cut_offs, series
from apps.reporting.rules import Figures, Period, period_of

REFORM = dt.date(2025, 3, 1)
OLD_DAYS = Period(dt.date(2025, 2, 1), dt.date(2025, 2, 28))
NEW_DAYS = Period(dt.date(2025, 3, 1), dt.date(2025, 3, 28))
BOTH = Period(dt.date(2025, 2, 15), dt.date(2025, 3, 15))


class Country:
    """HQ over two regions; a border gate moves from one to the other on the day of the reform."""

    def __init__(self) -> None:
        self.units: dict[str, Unit] = {}
        for code, parent in (
            ("HQ", None),
            ("HN", "HQ"),
            ("NBA", "HN"),
            ("QTR", "HQ"),
            ("LBA", "QTR"),
            ("KV9", "HQ"),
        ):
            self.units[code] = create_unit(
                actor=SYSTEM,
                code=code,
                level="region",
                type="hq_dept",
                names=(f"{code} cũ", f"{code} old"),
                valid_from=dt.date(2020, 1, 1),
                parent=self.units[parent].pk if parent else None,
            )
        move_unit(actor=SYSTEM, unit=self.units["LBA"], parent=self.units["KV9"], valid_from=REFORM)
        rename_unit(actor=SYSTEM, unit=self.units["LBA"], names=("LBA mới", "LBA new"), valid_from=REFORM)
        end_unit(actor=SYSTEM, unit=self.units["QTR"], valid_to=REFORM)

    def cell(self, code: str, day: str, inspections: int, outcome: str = "released", **fields: Any) -> None:
        """Put one cell of the roll-up there."""
        values = {"type": "passenger", "selection_reason": "random", "mode": "foot"} | fields
        RollUp.objects.create(
            unit=self.units[code],
            day=dt.date.fromisoformat(day),
            outcome=outcome,
            inspections=inspections,
            required_steps=10 * inspections,
            answered_steps=9 * inspections,
            **values,
        )

    def reader(self, code: str, role: str = "leader") -> Actor:
        """Give someone with a role at a unit, reaching what stands below it today."""
        unit = self.units[code].pk
        return Actor(new_id(), posts=(Post(new_id(), unit, role, subtrees([unit])[unit]),))


@pytest.fixture
def country(db: None) -> Country:
    country = Country()
    country.cell("NBA", "2025-02-20", 10)
    country.cell("NBA", "2025-02-20", 2, "finding")
    country.cell("LBA", "2025-02-20", 5)
    country.cell("LBA", "2025-03-10", 7)
    country.cell("HN", "2025-03-10", 1)
    return country


def rows(shown: Board) -> dict[str, int]:
    return {row.unit.code: row.figures.inspections for row in shown.rows}


def test_every_level_adds_up(country: Country) -> None:
    top = board(SYSTEM, BOTH)
    assert top.unit.code == "HQ"
    assert top.total == Figures(25, 2, 250, 225)
    assert sum(row.figures.inspections for row in top.rows) == 25
    region = board(SYSTEM, BOTH, country.units["HN"].pk)
    assert rows(region) == {"HN": 1, "NBA": 12}
    assert next(row for row in region.rows if row.is_self).unit.code == "HN"
    assert [unit.code for unit in region.path] == ["HQ", "HN"]
    assert rows(board(SYSTEM, BOTH, country.units["NBA"].pk)) == {"NBA": 12}


def test_figures_stand_where_the_unit_stood_on_that_day(country: Country) -> None:
    assert rows(board(SYSTEM, BOTH)) == {"HQ": 0, "HN": 13, "QTR": 5, "KV9": 7}
    assert rows(board(SYSTEM, OLD_DAYS)) == {"HQ": 0, "HN": 12, "QTR": 5, "KV9": 0}


def test_restated_figures_stand_where_the_unit_stands_today(country: Country) -> None:
    restated = board(SYSTEM, BOTH, restate=True)
    assert restated.restated
    assert rows(restated) == {"HQ": 0, "HN": 13, "KV9": 12}
    assert restated.total == board(SYSTEM, BOTH).total


def test_names_are_those_of_the_period(country: Country) -> None:
    with translation.override("en"):
        gate = country.units["LBA"].pk
        assert board(SYSTEM, OLD_DAYS, gate).unit.name == "LBA old"
        assert board(SYSTEM, NEW_DAYS, gate).unit.name == "LBA new"
        assert board(SYSTEM, OLD_DAYS, gate, restate=True).unit.name == "LBA new"


def test_the_period_before_is_the_same_number_of_days(country: Country) -> None:
    shown = board(SYSTEM, NEW_DAYS)
    assert shown.previous == OLD_DAYS
    assert (shown.total.inspections, shown.total_before.inspections) == (8, 17)
    change = shown.changes["inspections"]
    assert (change.before, change.difference, round(change.percent or 0, 1)) == (17, -9, -52.9)


def test_support_is_not_inspection(country: Country) -> None:
    country.cell("NBA", "2025-02-21", 4, type="equipment")
    country.cell("NBA", "2025-02-21", 4, "finding", type="handover")
    assert board(SYSTEM, OLD_DAYS).total == Figures(17, 2, 170, 153)
    assert [share.code for share in breakdown(SYSTEM, OLD_DAYS, "type")] == ["passenger"]


def test_a_reader_opens_at_the_top_of_their_reach_and_sees_nothing_beside_it(country: Country) -> None:
    leader = country.reader("HN")
    shown = board(leader, BOTH)
    assert shown.unit.code == "HN"
    assert [unit.code for unit in shown.path] == ["HN"]
    assert shown.total.inspections == 13
    for beyond in ("HQ", "KV9", "LBA"):
        with pytest.raises(NotFound):
            board(leader, BOTH, country.units[beyond].pk)
    with pytest.raises(NotFound):
        board(leader, BOTH, new_id())


def test_what_a_region_did_not_have_then_is_not_in_its_figures(country: Country) -> None:
    """The new region reads its gate's figures since the reform; before it, they belong to the dissolved one."""
    leader = country.reader("KV9")
    assert board(leader, BOTH).total.inspections == 7
    assert board(leader, BOTH, restate=True).total.inspections == 12
    assert board(leader, BOTH, country.units["LBA"].pk).total.inspections == 12


@pytest.mark.parametrize("role", ["officer", "trainer", "administrator", "auditor", "liaison"])
def test_others_have_no_board(country: Country, role: str) -> None:
    with pytest.raises(NotFound):
        board(country.reader("HQ", role), BOTH)


@pytest.mark.parametrize("role", ["leader", "hq_reviewer", "analyst", "statistics"])
def test_figure_readers_have_one(country: Country, role: str) -> None:
    assert board(country.reader("HQ", role), NEW_DAYS).total.inspections == 8


def test_a_series_has_every_step_and_the_same_total(country: Country) -> None:
    points = series(SYSTEM, BOTH)
    assert len(points) == BOTH.days
    assert sum(p.figures.inspections for p in points) == board(SYSTEM, BOTH).total.inspections
    monthly = series(SYSTEM, BOTH, step="month")
    assert [p.figures.inspections for p in monthly] == [17, 8]
    assert [p.period.first for p in monthly] == [BOTH.first, dt.date(2025, 3, 1)]


@pytest.mark.parametrize("dimension", ["type", "outcome", "selection_reason", "mode"])
def test_a_breakdown_splits_the_total(country: Country, dimension: str) -> None:
    country.cell("NBA", "2025-02-21", 3, "referred", type="vehicle", selection_reason="targeted", mode="rail")
    shares = breakdown(SYSTEM, OLD_DAYS, dimension)
    assert sum((s.figures for s in shares), Figures()) == board(SYSTEM, OLD_DAYS).total
    assert len(shares) > 1
    assert all(share.label != share.code for share in shares)


def test_the_board_says_when_it_was_counted(country: Country) -> None:
    assert board(SYSTEM, BOTH).counted_at is None
    moment = dt.datetime(2025, 3, 11, tzinfo=dt.UTC)
    CountedDay.objects.create(unit=country.units["NBA"], day=dt.date(2025, 2, 20), counted_at=moment)
    assert board(SYSTEM, BOTH).counted_at == moment
    assert board(SYSTEM, NEW_DAYS).counted_at is None
    assert board(SYSTEM, BOTH, country.units["LBA"].pk).counted_at is None


def test_the_reporting_calendar_is_data(country: Country) -> None:
    today = dt.date(2025, 8, 20)
    assert period_of("reporting_month", today, cut_offs()).first == dt.date(2025, 8, 1)
    set_cut_off(actor=SYSTEM, valid_from=dt.date(2023, 1, 1), day=15)
    set_cut_off(actor=SYSTEM, valid_from=dt.date(2025, 1, 1), day=13)
    set_cut_off(actor=SYSTEM, valid_from=dt.date(2025, 1, 1), day=14)
    assert period_of("reporting_month", today, cut_offs()).first == dt.date(2025, 8, 15)


def test_reading_the_board_takes_the_same_statements_however_many_units(
    country: Country, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(20):
        board(SYSTEM, OLD_DAYS)
