"""A seizure closes only when each exhibit is out of the service's hands, or has another outcome in writing."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.errors import SecondPersonNeeded
from apps.common.errors import InvalidFields
from apps.common.records import new_id
from apps.custody import actions
from apps.custody.errors import CustodyStep, NotHolder
from apps.custody.models import Exhibit
from apps.custody.queries import balances, label
from apps.inspections.errors import ReportVoided, StateChanged
from apps.seizures.actions import amend_seizure, merge_seizures
from apps.seizures.errors import SurvivorClosed
from apps.seizures.models import SeizureReport
from tests.cast import Cast
from tests.holding import WITNESSED, Holding, sealing

POLICE: dict[str, Any] = {"kind": "police", "office": "PC04 Công an TP Hà Nội", "legal_basis": "Điều 33"}
LAB: dict[str, Any] = {"kind": "lab", "office": "Viện Khoa học hình sự"}
PAPER: dict[str, Any] = {"receiver_name": "Đại úy Nhận", "document_number": "7/BB"}
MISTAKE = {"record_doc_number": "3/BB", "note": "Ghi trùng gói số 1"}


def ready(holding: Holding, report: SeizureReport, **more: Any) -> SeizureReport:
    """Take a report up to the close, with everything that is asked for but the hand-over."""
    cast = holding.cast
    holding.seizing.verified(report)
    holding.seizing.lab(report)
    holding.seizing.decide(report, "confirm_lab", cast.hq_reviewer)
    fields = {"legal_outcome": "handed_over_police", "modus_operandi": ["kẹo"], "lessons": "no", **more}
    return amend_seizure(
        actor=cast.hq_reviewer.actor(), report_id=report.pk, fields=fields, reason="Kết thúc hồ sơ"
    )


def close(holding: Holding, report: SeizureReport) -> SeizureReport:
    return holding.seizing.decide(report, "close", holding.cast.hq_reviewer)


def lacks(holding: Holding, report: SeizureReport) -> list[tuple[str, str]]:
    """Give what the close still asks for."""
    with pytest.raises(InvalidFields) as refusal:
        close(holding, report)
    return [(fault.pointer, fault.code) for fault in refusal.value.errors]


def test_it_waits_for_every_exhibit_and_names_each(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    other = holding.recorded(exhibit.report)
    report = ready(holding, exhibit.report)
    assert lacks(holding, report) == [
        (f"/exhibits/{label(exhibit)}", "not-settled"),
        (f"/exhibits/{label(other)}", "not-settled"),
    ]
    offer = holding.offer(exhibit, **POLICE)
    holding.step(other, "closed", MISTAKE, by=cast.leader)
    assert lacks(holding, report) == [(f"/exhibits/{label(exhibit)}", "not-settled")]
    holding.accept(offer, by=cast.leader, **PAPER)
    assert close(holding, report).stage == "closed"
    with pytest.raises(StateChanged):
        holding.recorded(report, by=cast.leader)


def test_an_exhibit_that_differs_is_not_handed_over(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    report = ready(holding, exhibit.report)
    offer = holding.offer(exhibit, **POLICE)
    holding.accept(offer, {exhibit.pk: (["NP-999"], "1250")}, by=cast.leader, **PAPER)
    assert lacks(holding, report) == [(f"/exhibits/{label(exhibit)}", "not-settled")]
    exhibit.refresh_from_db()
    actions.decide_discrepancy(
        actor=cast.hq_reviewer.actor(),
        exhibit_id=exhibit.pk,
        base_rev=None,
        verdict="as_read",
        note="Ghi nhầm",
    )
    assert close(holding, report).stage == "closed"


def test_a_sample_counts_and_may_end_at_the_laboratory(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    opened = holding.step(
        exhibit, "unsealed", {"seals_read": ["NP-000123"], "purpose": "Lấy mẫu", **WITNESSED}
    )
    taken = {"sample_purpose": "lab", "description": "Mẫu", "taken_mass_g": "5", **WITNESSED}
    sample = actions.take_sample(
        actor=cast.officer.actor(),
        exhibit_id=exhibit.pk,
        base_rev=opened.exhibit.rev,
        sample_id=(new := new_id()),
        fields=taken,
    ).exhibit
    assert sample.pk == new
    holding.step(sample, "sealed", sealing("NP-5", gross_mass_g="5"))
    whole = holding.step(Exhibit.objects.get(pk=exhibit.pk), "resealed", sealing("NP-6", gross_mass_g="1245"))
    report = ready(holding, exhibit.report)
    holding.accept(holding.offer(whole.exhibit, **POLICE), by=cast.leader, **PAPER)
    holding.accept(holding.offer(sample, **LAB), by=cast.leader, **PAPER)
    assert lacks(holding, report) == [(f"/exhibits/{label(sample)}", "not-settled")]
    used_up = {"record_doc_number": "55/KL", "note": "Mẫu đã dùng hết khi giám định"}
    assert holding.step(sample, "closed", used_up).exhibit.state == "closed"
    assert close(holding, report).stage == "closed"


def test_a_line_without_an_exhibit_needs_a_reason(holding: Holding, cast: Cast) -> None:
    report = ready(holding, holding.seizing.submitted())
    assert lacks(holding, report) == [("/fields/lines/1", "no-exhibit")]
    amend_seizure(
        actor=cast.hq_reviewer.actor(),
        report_id=report.pk,
        fields={"handover_reason": "Bộ đội Biên phòng chủ trì và giữ tang vật"},
        reason="Bổ sung",
    )
    assert close(holding, report).stage == "closed"


def test_a_reason_is_no_way_around_what_is_in_a_hand(holding: Holding) -> None:
    exhibit = holding.stored()
    report = ready(holding, exhibit.report, handover_reason="Không bàn giao")
    assert lacks(holding, report) == [(f"/exhibits/{label(exhibit)}", "not-settled")]


def test_what_a_merged_report_holds_counts_too(holding: Holding, cast: Cast) -> None:
    survivor = holding.seizing.submitted()
    exhibit = holding.sealed(holding.recorded(holding.seizing.submitted(place="Kho hàng số 3")))
    merge_seizures(
        actor=cast.leader.actor(), report_id=exhibit.report_id, survivor_id=survivor.pk, reason="Cùng một vụ"
    )
    report = ready(holding, survivor)
    assert lacks(holding, report) == [(f"/exhibits/{label(exhibit)}", "not-settled")]
    holding.accept(holding.offer(exhibit, **POLICE), by=cast.leader, **PAPER)
    assert close(holding, report).stage == "closed"


def test_a_closed_seizure_takes_no_report_with_exhibits_in_a_hand(holding: Holding, cast: Cast) -> None:
    done = holding.seizing.submitted(handover_reason="Bộ đội Biên phòng giữ")
    done = close(holding, ready(holding, done))
    exhibit = holding.sealed(holding.recorded(holding.seizing.submitted(place="Kho hàng số 3")))
    middle = holding.seizing.submitted(place="Kho hàng số 4")
    leader = cast.leader.actor()
    merge_seizures(actor=leader, report_id=exhibit.report_id, survivor_id=middle.pk, reason="Cùng một vụ")
    desk, path = cast.leader.console(), f"/console/seizures/{middle.pk}/"
    said = {"verdict": "into_other", "other": str(done.pk), "reason": "Cùng một vụ"}
    told = desk.post(f"{path}pairing/", said, follow=True).content.decode()
    assert "Báo cáo giữ lại đã kết thúc" in told
    assert f"{label(exhibit)}: Tang vật chưa bàn giao xong" in told
    middle.refresh_from_db()
    assert (middle.stage, middle.merged_into) == ("submitted", None)
    with pytest.raises(SurvivorClosed) as refusal:
        merge_seizures(actor=leader, report_id=middle.pk, survivor_id=done.pk, reason="Cùng một vụ")
    assert [(f.pointer, f.code) for f in refusal.value.errors] == [
        (f"/exhibits/{label(exhibit)}", "not-settled")
    ]
    holding.accept(holding.offer(exhibit, **POLICE), by=cast.leader, **PAPER)
    assert (
        merge_seizures(
            actor=leader, report_id=middle.pk, survivor_id=done.pk, reason="Cùng một vụ"
        ).merged_into
        == done
    )
    with pytest.raises(ReportVoided):
        holding.recorded(
            middle, by=cast.leader
        )  # nor does anything come to it afterwards, from whatever door


def test_the_closed_one_may_go_into_the_open_one_which_then_waits(holding: Holding, cast: Cast) -> None:
    done = close(holding, ready(holding, holding.seizing.submitted(handover_reason="Bộ đội Biên phòng giữ")))
    exhibit = holding.sealed(holding.recorded(holding.seizing.submitted(place="Kho hàng số 3")))
    last = holding.seizing.submitted(place="Kho hàng số 5")
    leader = cast.leader.actor()
    for gone, kept in ((done.pk, exhibit.report_id), (exhibit.report_id, last.pk)):
        merge_seizures(actor=leader, report_id=gone, survivor_id=kept, reason="Cùng một vụ")
    report = ready(holding, last)
    assert lacks(holding, report) == [(f"/exhibits/{label(exhibit)}", "not-settled")]
    holding.accept(holding.offer(exhibit, **POLICE), by=cast.leader, **PAPER)
    assert close(holding, report).stage == "closed"


def test_what_was_written_down_by_mistake_is_struck_by_a_second_person(holding: Holding, cast: Cast) -> None:
    kept = holding.recorded()
    twice = holding.recorded(kept.report)
    assert not balances(kept.report)[0].is_even
    with pytest.raises(SecondPersonNeeded):
        holding.step(twice, "closed", MISTAKE)
    with pytest.raises(NotHolder):
        holding.step(twice, "closed", MISTAKE, by=cast.custodian)
    struck = holding.step(twice, "closed", MISTAKE, by=cast.leader).exhibit
    assert struck.is_struck
    assert balances(kept.report)[0].is_even
    with pytest.raises(CustodyStep):
        holding.step(holding.sealed(kept), "closed", MISTAKE, by=cast.leader)


def test_the_page_names_what_keeps_it_open(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    report = ready(holding, exhibit.report)
    desk, path = cast.hq_reviewer.console(), f"/console/seizures/{report.pk}/"
    refused = desk.post(f"{path}decision/", {"decision": "close", "base_rev": report.rev})
    assert refused.status_code == 422
    assert f"{label(exhibit)}</code> Tang vật chưa bàn giao xong" in refused.content.decode()
