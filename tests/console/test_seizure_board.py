"""The board of seizures: figures by level for who may read them, with definitions, late changes, and as they stood."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.utils import timezone

from apps.common.actor import SYSTEM
from apps.console.seizure_board import choose_as_of
from apps.organisation.queries import today
from apps.reporting.actions import recount_custody, recount_seizures
from apps.reporting.models import SeizureEntry
from apps.reporting.rules import SEIZURE_MEASURES
from apps.seizures import actions
from tests.cast import Cast
from tests.holding import Holding
from tests.seizing import Seizing, line

HOME = "/console/board/seizures/"
THINGS = {
    "1": line(net_mass_g="1200.5"),
    "2": line(substance="mdma", net_mass_g=None, gross_mass_g=None, count=1830, count_unit="tablet"),
    "3": line(substance="etomidate", net_mass_g=None, gross_mass_g=None, volume_ml="750"),
    "4": line(substance="pseudoephedrine", net_mass_g="18000", gross_mass_g="18100"),
}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()


def test_every_level_shows_its_figures_with_their_definitions(seizing: Seizing, cast: Cast) -> None:
    seizing.submitted(lines=THINGS)
    recount_seizures(actor=SYSTEM)
    client = cast.hq_reviewer.console()
    answer = client.get(HOME)
    page = answer.context["page"]
    shown = {figure.measure.code: figure.value for figure in page.totals}
    assert shown["incidents"] == "1"
    assert (shown["drug_mass_kg"], shown["drug_count_tablet"]) == ("1,20 kg", "1.830")
    assert (shown["drug_volume_ml"], shown["precursor_mass_kg"]) == ("750 ml", "18,00 kg")
    assert page.drugs_total.kilograms == "1,201", "three decimals in the table"
    assert page.precursors_total.kilograms == "18,000"
    text = answer.content.decode()
    for measure in SEIZURE_MEASURES:
        assert measure.definition_vi in text
    below = client.get(f"/console/board/{cast.region.pk}/seizures/")
    assert {row.code: row.figures[0].value for row in below.context["page"].rows} == {"CPN": "0", "NBA": "1"}
    gate = client.get(f"/console/board/{cast.noi_bai.pk}/seizures/").context["page"]
    assert [unit.code for unit in gate.board.path] == ["TCHQ", "KV01", "NBA"]


def test_yields_by_means_concealment_and_route_are_said_in_words(seizing: Seizing, cast: Cast) -> None:
    seizing.submitted(lines=THINGS, concealment_places=["parcel", "cargo_goods"])
    seizing.submitted(first_cue="canine", means=["canine"], departure="UNK", place_type="icd")
    recount_seizures(actor=SYSTEM)
    page = cast.hq_reviewer.console().get(HOME).context["page"]
    cue, means, hidden, route, place = [
        [(row.name, row.incidents, row.kilograms) for row in split.rows] for split in page.splits
    ]
    assert cue == [("Chó nghiệp vụ", 1, "1,201"), ("Máy soi hành lý", 1, "1,201")]
    assert [name for name, *_ in means] == ["Chó nghiệp vụ", "Kiểm tra thủ công", "Máy soi hành lý"]
    assert hidden[0] == ("Bưu kiện, bưu phẩm · Giả bao bì nhà sản xuất", 2, "2,401")
    assert [name for name, *_ in route] == ["Nhập khẩu: NL → VN", "Nhập khẩu: Chưa rõ → VN"]
    assert place == [("Chưa rõ", 1, "1,201"), ("ICD, cảng cạn", 1, "1,201")]
    assert [(row.name, row.kilograms, row.count) for row in page.drugs_by_form] == [
        ("Bột", "2,401", "1.830 viên")
    ]
    assert {row.name for row in page.drugs_by_group} >= {"Ketamine"}


def test_what_is_in_custody_stands_beside_by_its_state_and_as_it_stood(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    wrong = {"place": "Kệ 2", "seals_read": ["NP-X"]}
    holding.step(exhibit, "stored", wrong)
    recount_custody(actor=SYSTEM)
    page = cast.leader.console().get(HOME).context["page"]
    shown = {figure.measure.code: figure.value for figure in page.totals}
    assert (shown["custody_open"], shown["custody_exceptions"]) == ("1", "1")
    assert (page.held, page.stops) == ((("Trong kho đơn vị", 1),), (("Sai niêm phong", 1),))
    region = cast.hq_reviewer.console().get(f"/console/board/{cast.region.pk}/seizures/").context["page"]
    assert {row.code: [f.value for f in row.custody] for row in region.rows} == {
        "CPN": ["0", "0"],
        "NBA": ["1", "1"],
    }
    yesterday = today() - dt.timedelta(days=1)
    then = cast.leader.console().get(f"{HOME}?as_of={yesterday}").context["page"]
    assert {figure.measure.code: figure.value for figure in then.totals}["custody_open"] == "0"


def test_nobody_reads_figures_of_others_and_statistics_no_reports(seizing: Seizing, cast: Cast) -> None:
    seizing.submitted()
    recount_seizures(actor=SYSTEM)
    assert cast.other_leader.console().get(f"/console/board/{cast.noi_bai.pk}/seizures/").status_code == 404
    assert cast.officer.console().get(HOME).status_code == 404
    page = cast.hq_statistics.console().get(HOME)
    assert page.context["page"].totals[0].value == "1"
    assert "/console/seizures/" not in page.content.decode()
    leader = cast.leader.console().get(HOME)
    assert leader.context["page"].board.unit.code == "NBA"
    assert "/console/seizures/?unit=" in leader.content.decode()


def test_a_late_edit_is_shown_as_an_amendment_and_the_old_figure_can_be_read(
    seizing: Seizing, cast: Cast
) -> None:
    yesterday = today() - dt.timedelta(days=1)
    found = (timezone.now() - dt.timedelta(days=1)).isoformat()
    report = seizing.submitted(detected_on_device_at=found, occurred_on_device_at=found)
    recount_seizures(actor=SYSTEM)
    for row in SeizureEntry.objects.all():
        SeizureEntry.objects.filter(pk=row.pk).update(since=row.since - dt.timedelta(days=1))
    actions.amend_seizure(
        actor=SYSTEM, report_id=report.pk, fields={"lines": {"1": {"net_mass_g": "1000"}}}, reason="Cân lại"
    )
    recount_seizures(actor=SYSTEM)
    client = cast.hq_reviewer.console()
    asked = f"{HOME}?period=custom&from={yesterday}&to={yesterday}"
    page = client.get(asked).context["page"]
    figures = {figure.measure.code: figure for figure in page.totals}
    assert (figures["drug_mass_kg"].value, figures["drug_mass_kg"].late) == ("1,00 kg", "−0,20 kg")
    (late,) = page.late
    assert late.number == report.number
    assert late.changes == ("Ma túy, khối lượng: 1,20 kg → 1,00 kg",)
    then = client.get(f"{asked}&as_of={yesterday}")
    assert {f.measure.code: f.value for f in then.context["page"].totals}["drug_mass_kg"] == "1,20 kg"
    assert "chưa gồm bổ sung sau này" in then.content.decode()


def test_an_amount_that_waits_to_be_counted_is_said(seizing: Seizing, cast: Cast) -> None:
    seizing.submitted()
    assert "còn báo cáo mới đang được cộng" in cast.hq_reviewer.console().get(HOME).content.decode()


@pytest.mark.parametrize("text", ["tomorrow", "0001-01-01", "9999-12-31", ""])
def test_a_day_that_cannot_be_read_shows_now(text: str) -> None:
    asked = choose_as_of(QueryDict(f"as_of={text}"))
    assert asked.moment is None
    assert bool(asked.fault) == (text in {"tomorrow", "0001-01-01"})
