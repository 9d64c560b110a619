"""The board: figures of one's reach, drill-down, periods, the rule for changes, waiting work, silent phones."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.http import QueryDict
from django.utils import translation

from apps.common.actor import SYSTEM
from apps.console.board import change_text, choose_period
from apps.console.chart import bars
from apps.inspections.actions import approve_inspection
from apps.reporting.actions import recount
from apps.reporting.rules import MEASURES, Comparison
from tests.console.conftest import As
from tests.console.scene import Scene


def test_figures_drill_down_from_headquarters_to_the_gate(scene: Scene, signed_in: As) -> None:
    scene.report()
    scene.report(outcome="finding")
    scene.report(by="other_officer")
    recount(actor=SYSTEM)
    client = signed_in("reviewer")
    page = client.get("/console/?period=7d").context["page"]
    assert [c.value for c in page.totals[:2]] == [3, 1]
    assert {row.code: row.cells[0].value for row in page.rows} == {"HNI": 2, "LBO": 1}
    below = client.get(f"/console/board/{scene.region.pk}/?period=7d").context["page"]
    assert [u.code for u in below.board.path] == ["HQ", "HNI"]
    assert {row.code: row.cells[0].value for row in below.rows} == {"NBA": 2}
    assert sum(p.figures.inspections for p in below.points) == 2


def test_leader_sees_the_own_gate_and_nothing_above_or_beside(scene: Scene, signed_in: As) -> None:
    client = signed_in("leader")
    assert client.get("/console/").context["page"].board.unit.code == "NBA"
    for unit in (scene.hq, scene.region, scene.other_gate):
        assert client.get(f"/console/board/{unit.pk}/").status_code == 404


def test_waiting_and_silent_are_counted_by_unit(scene: Scene, signed_in: As) -> None:
    waiting, done = scene.report(), scene.report()
    approve_inspection(actor=scene.actor("leader"), report_id=done.pk)
    page = signed_in("reviewer").get("/console/").context["page"]
    assert page.waiting.count == 1
    assert page.waiting.oldest == waiting.submitted_at
    assert page.silent == 1
    row = next(r for r in page.rows if r.code == "HNI")
    assert (row.waiting.count, row.silent) == (1, 1)


def test_statistics_sees_figures_without_reports_and_phones(scene: Scene, signed_in: As) -> None:
    scene.report()
    page = signed_in("statistics").get("/console/").context["page"]
    assert page.waiting is None
    assert page.silent is None


@pytest.mark.parametrize(
    ("before", "difference", "percent", "vi", "en"),
    [
        (0, 3, None, "không có kỳ gốc", "no base period"),
        (None, None, None, "không có kỳ gốc", "no base period"),
        (4, 2, None, "+2", "+2"),
        (1000, -1500, -15.0, "−1.500 (−15,0 %)", "−1,500 (−15.0 %)"),
        (10, 0, 0.0, "±0 (±0 %)", "±0 (±0 %)"),
    ],
)
def test_changes_are_said_by_the_rule(
    before: float | None, difference: float | None, percent: float | None, vi: str, en: str
) -> None:
    for language, text in (("vi", vi), ("en", en)):
        with translation.override(language):
            assert change_text(MEASURES[0], Comparison(before, difference, percent)) == text


def test_a_rate_of_nothing_found_is_a_base_too() -> None:
    rate = next(m for m in MEASURES if m.is_rate)
    with translation.override("vi"):
        assert change_text(rate, Comparison(0.0, 0.026, None)) == "+2,6 điểm %"
        assert change_text(rate, Comparison(None, None, None)) == "không có kỳ gốc"


@pytest.mark.parametrize(
    ("query", "days", "is_fault"),
    [
        ("", 7, False),
        ("period=today", 1, False),
        ("period=30d", 30, False),
        ("period=nonsense", 7, False),
        ("period=custom&from=2024-01-01&to=2024-01-31", 31, False),
        ("period=custom&from=2024-02-01&to=2024-01-31", 7, True),
        ("period=custom&from=tomorrow", 7, True),
        ("period=custom&from=1000-01-01&to=2024-01-31", 7, True),
        ("period=custom&from=9999-12-31&to=9999-12-31", 7, True),
    ],
)
def test_periods_of_the_address(query: str, days: int, *, is_fault: bool) -> None:
    chosen = choose_period(QueryDict(query))
    assert chosen.period.days == days
    assert bool(chosen.fault) == is_fault


def test_late_reports_are_said_to_wait_for_the_count(scene: Scene, signed_in: As) -> None:
    scene.report()
    assert "còn báo cáo mới đang được cộng" in signed_in("reviewer").get("/console/").content.decode()


@pytest.mark.parametrize("most", [0, 1, 4, 5, 9, 41, 99, 12345])
def test_chart_stays_inside_its_frame(most: int) -> None:
    chart = bars([("a", most, most // 2), ("b", 0, 0)])
    assert all(bar.y >= 0 and bar.y + bar.height <= chart.floor + 0.2 for bar in chart.bars)
    assert len({tick.text for tick in chart.rows}) == 5
    assert int(chart.rows[-1].text) >= most


def test_day_of_the_stamp_is_exact(scene: Scene, signed_in: As) -> None:
    answer = signed_in("reviewer").get("/console/?period=custom&from=2024-01-01&to=2024-01-31")
    assert "01/01/2024 – 31/01/2024" in answer.content.decode()
    assert "01/12/2023 – 31/12/2023" in answer.content.decode()
    assert answer.context["page"].board.period.last == dt.date(2024, 1, 31)


def test_figure_opens_exactly_the_reports_behind_it(scene: Scene, signed_in: As) -> None:
    scene.report()
    finding = scene.report(outcome="finding")
    scene.report(by="other_officer", outcome="finding")
    scene.report(days_ago=20, outcome="finding")
    recount(actor=SYSTEM)
    client = signed_in("region_leader")
    page = client.get("/console/?period=7d")
    link = re.search(r'id="f-inspections_with_finding" href="([^"]+)"', page.content.decode())
    assert link
    rows = client.get(link[1].replace("&amp;", "&")).context["rows"]
    assert [row["report"].pk for row in rows] == [finding.pk]
    assert page.context["page"].totals[1].value == 1


def test_counted_filter_takes_any_dates(scene: Scene, signed_in: As) -> None:
    scene.report()
    for query in ("", "&since=2030-01-01&until=2020-01-01", "&until=0001-01-01", "&since=9999-12-31"):
        assert signed_in("reviewer").get(f"/console/review/?state=counted{query}").status_code == 200
