"""What somebody with the right to decide or correct might do with it, by mistake or not: nothing vanishes quietly."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.common.errors import InvalidFields
from apps.seizures import actions
from apps.seizures.errors import AbsorbsOthers
from apps.seizures.models import ReportVersion, SeizureLine, SeizureReport
from tests.cast import Cast
from tests.seizing import Seizing, flash, line
from tests.work import at_once


def merged(seizing: Seizing, cast: Cast) -> tuple[SeizureReport, SeizureReport]:
    """Give a report and the survivor that it was merged into."""
    report, survivor = seizing.submitted(), seizing.submitted()
    actions.merge_seizures(
        actor=cast.leader.actor(), report_id=report.pk, survivor_id=survivor.pk, reason="Một vụ"
    )
    return report, survivor


def test_a_survivor_is_not_voided_with_what_was_merged_into_it(seizing: Seizing, cast: Cast) -> None:
    report, survivor = merged(seizing, cast)
    with pytest.raises(AbsorbsOthers):
        seizing.decide(survivor, "void", cast.leader, "Nhập nhầm")
    actions.part_seizures(actor=cast.leader.actor(), report_id=report.pk, reason="Tách lại")
    assert seizing.decide(survivor, "void", cast.leader, "Nhập nhầm").stage == "voided"
    report.refresh_from_db()
    assert (report.stage, report.statistic_status) == ("submitted", "provisional")


@pytest.mark.django_db(transaction=True)
def test_merged_and_voided_at_once(seizing: Seizing, cast: Cast) -> None:
    """Whoever comes first: one report at least goes on counting."""
    report, survivor = seizing.submitted(), seizing.submitted()
    leader, region = cast.leader.actor(), cast.region_leader.actor()
    at_once(
        lambda: actions.merge_seizures(
            actor=leader, report_id=report.pk, survivor_id=survivor.pk, reason="Một vụ"
        ),
        lambda: actions.decide_seizure(actor=region, report_id=survivor.pk, verb="void", note="Nhầm"),
    )
    assert SeizureReport.objects.exclude(statistic_status="excluded").count() == 1


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"lines": {"1": {"removed": "Không có"}}}, "lines"),
        ({"lines": {"1": {"weighed_by": []}}}, "lines/1/weighed_by"),
        ({"lines": {"1": {"seal_numbers": []}}}, "lines/1/seal_numbers"),
        ({"lines": {"1": {"net_mass_g": None, "gross_mass_g": None}}}, "lines/1"),
        ({"lines": {"2": {"substance": "heroin", "net_mass_g": "5"}}}, "lines/2/form"),
        ({"witnesses": []}, "witnesses"),
        ({"handover_plan": ""}, "handover_plan"),
        ({"participations": []}, "participations"),
        ({"detected_on_device_at": None}, "detected_on_device_at"),
    ],
)
def test_a_correction_takes_nothing_away_that_brought_it_here(
    seizing: Seizing, cast: Cast, fields: dict[str, Any], place: str
) -> None:
    report = seizing.verified(seizing.submitted())
    with pytest.raises(InvalidFields) as refusal:
        actions.amend_seizure(actor=cast.leader.actor(), report_id=report.pk, fields=fields, reason="Sửa")
    assert f"/fields/{place}" in {fault.pointer for fault in refusal.value.errors}
    report.refresh_from_db()
    assert (report.version, SeizureLine.objects.get().mass_g) == (2, Decimal("1200.5"))


def test_what_was_lacking_before_hinders_no_correction(seizing: Seizing, cast: Cast) -> None:
    report = seizing.send(actions.send_flash, flash()).report
    SeizureReport.objects.filter(pk=report.pk).update(fields={**report.fields, "mode": ""})
    changed = {"lines": {"1": {"net_mass_g": "900"}}}
    done = actions.amend_seizure(
        actor=cast.leader.actor(), report_id=report.pk, fields=changed, reason="Cân lại"
    )
    assert done.lines["1"]["net_mass_g"] == "900"


def test_one_of_two_lines_is_struck_out_and_another_is_carried_over(seizing: Seizing, cast: Cast) -> None:
    report = seizing.verified(seizing.submitted(lines={"1": line(), "2": line(net_mass_g="7")}))
    changed = {"lines": {"2": {"removed": "Ghi hai lần"}, "3": line(net_mass_g="30", gross_mass_g="31")}}
    actions.amend_seizure(actor=cast.leader.actor(), report_id=report.pk, fields=changed, reason="Từ vụ kia")
    rows = SeizureLine.objects.order_by("mark").values_list("mass_g", "excluded")
    assert list(rows) == [(Decimal("1200.5"), ""), (Decimal(7), "struck_out"), (Decimal(30), "")]


def test_a_detection_that_is_corrected_moves_the_day_it_counts_for(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted()
    before = timezone.now() - dt.timedelta(days=3)
    fields = {key: before.isoformat() for key in ("occurred_on_device_at", "detected_on_device_at")}
    done = actions.amend_seizure(
        actor=cast.leader.actor(), report_id=report.pk, fields=fields, reason="Ghi nhầm ngày"
    )
    assert done.occurred_on == timezone.localtime(before).date()
    assert "clock-doubtful" not in done.flags
    fields = {"detected_on_device_at": "2999-12-31T23:59:59-12:00"}
    done = actions.amend_seizure(
        actor=cast.leader.actor(), report_id=report.pk, fields=fields, reason="Đồng hồ sai"
    )
    assert done.occurred_on == timezone.localdate()
    assert "clock-doubtful" in done.flags


def test_a_laboratory_that_found_more_than_was_weighed_is_flagged(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted()
    assert "lab-over-scale" in seizing.lab(report, lab_net_mass_g="119925").flags
    assert "lab-over-scale" not in seizing.lab(report, lab_net_mass_g="1251").flags
    assert ReportVersion.objects.filter(report=report).count() == 3


@pytest.mark.parametrize("purity", ["100.1", "-1", "81.25", "NaN"])
def test_a_purity_is_a_share(seizing: Seizing, purity: str) -> None:
    report = seizing.submitted()
    with pytest.raises(InvalidFields):
        seizing.lab(report, lab_purity_pct=purity)
    assert seizing.lab(report, lab_purity_pct="100").lines["1"]["lab_purity_pct"] == "100"


def test_columns_that_only_look_like_the_laboratorys_are_unknown_ones(seizing: Seizing) -> None:
    junk = {f"lab_{number}": "x" for number in range(300)}
    with pytest.raises(InvalidFields) as refusal:
        seizing.submitted(lines={"1": line(**junk)})
    assert [fault.code for fault in refusal.value.errors] == ["too-many"]
    report = seizing.submitted(lines={"1": line(lab_colour="red")})
    assert "lab_colour" not in report.lines["1"]
    assert report.extra == {"lines.1.lab_colour": "red"}
