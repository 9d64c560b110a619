"""Two reports of one seizure: found by their keys, merged by a person, parted again; joint seizures agreed to."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from apps.common.errors import InvalidFields, NotFound
from apps.inspections.errors import NoteRequired, NotReviewer, OwnReport, ReportVoided, StateChanged
from apps.organisation.queries import today
from apps.seizures import actions
from apps.seizures.duplicates import candidates, open_pairs
from apps.seizures.errors import DuplicatesOpen, SameReport
from apps.seizures.models import Merge, SeizureReport
from tests.cast import Cast, Member
from tests.seizing import Seizing, line, sound
from tests.work import at_once, check_feed, newest_event

WAYBILL = {"1": {"courier_no": "1Z999AA10123456784"}}


def lately() -> dt.date:
    """Give a day before the reports, which tell of half an hour ago: just after midnight that is yesterday."""
    return today() - dt.timedelta(days=1)


def elsewhere(seizing: Seizing, **changed: Any) -> SeizureReport:
    """Give a report of the express gate about something else, but for what is changed."""
    told = {
        "place": "Kho chuyển phát",
        "participations": [{"unit": "CPN", "role": "lead"}],
        "lines": {"1": line(substance="heroin", net_mass_g="300", gross_mass_g="400", seal_numbers=["NP-9"])},
        "persons": {},
        "consignments": {"1": {"courier_no": "KHÁC-0001"}},
        **changed,
    }
    return seizing.submitted(by=seizing.cast.neighbour, **told)


@pytest.mark.parametrize(
    ("mine", "theirs", "reason"),
    [
        ({"consignments": WAYBILL}, {"consignments": WAYBILL}, "consignment"),
        ({}, {"lines": {"1": line(substance="heroin", seal_numbers=["np 000123"])}}, "seal"),
        (
            {"persons": {"1": {"document_kind": "passport_no", "document_number": "C1234567"}}},
            {"persons": {"1": {"document_kind": "passport_no", "document_number": "c-123 4567"}}},
            "person",
        ),
        (
            {},
            {"place": "KHO HANG SO 2", "lines": {"1": line(net_mass_g="1100", seal_numbers=["NP-9"])}},
            "circumstances",
        ),
    ],
)
def test_candidates_by_each_key(
    seizing: Seizing, cast: Cast, mine: dict[str, Any], theirs: dict[str, Any], reason: str
) -> None:
    one, other = seizing.submitted(**mine), elsewhere(seizing, **theirs)
    found = candidates(cast.hq_reviewer.actor(), one)
    assert [(c.report, c.reasons) for c in found] == [(other, (reason,))]
    (pair,) = open_pairs(cast.hq_reviewer.actor(), lately())
    assert (pair.older, pair.newer) == (one, other)
    assert not candidates(cast.leader.actor(), one)


@pytest.mark.parametrize(
    "theirs",
    [
        {},
        {"place": "Kho hàng số 2", "lines": {"1": line(net_mass_g="1000", seal_numbers=["NP-9"])}},
        {"place": "Kho hàng số 2", "lines": {"1": line(substance="mdma", seal_numbers=["NP-9"])}},
        {"consignments": {"1": {"courier_no": "1Z99", "hs_code": "293942"}}},
    ],
)
def test_what_is_no_candidate(seizing: Seizing, cast: Cast, theirs: dict[str, Any]) -> None:
    one = seizing.submitted(consignments={"1": {"courier_no": "1Z99", "hs_code": "293942"}})
    elsewhere(seizing, **theirs)
    assert not candidates(cast.hq_reviewer.actor(), one)


def test_an_expansion_is_no_duplicate(seizing: Seizing, cast: Cast) -> None:
    one = seizing.submitted(consignments=WAYBILL)
    seizing.submitted(consignments=WAYBILL, kind="expansion", incident=str(one.incident_id))
    assert not open_pairs(cast.hq_reviewer.actor(), lately())


def merge(
    by: Member, report: SeizureReport, survivor: SeizureReport, reason: str = "Một lô"
) -> SeizureReport:
    return actions.merge_seizures(
        actor=by.actor(), report_id=report.pk, survivor_id=survivor.pk, reason=reason
    )


def test_merged_and_parted_again(seizing: Seizing, cast: Cast) -> None:
    one = seizing.submitted(consignments=WAYBILL)
    other = elsewhere(seizing, consignments=WAYBILL)
    with pytest.raises(NoteRequired):
        merge(cast.hq_reviewer, other, one, " ")
    gone = merge(cast.hq_reviewer, other, one)
    assert (gone.stage, gone.statistic_status, gone.merged_into) == ("merged", "excluded", one)
    assert newest_event(one.pk).action == "seizure.absorbed"
    one.refresh_from_db()
    assert one.statistic_status == "provisional"
    assert not open_pairs(cast.hq_reviewer.actor(), lately())
    with pytest.raises(ReportVoided):
        merge(cast.hq_reviewer, one, other)
    with pytest.raises(ReportVoided):
        seizing.decide(gone, "void", cast.region_leader, "x")
    back = actions.part_seizures(
        actor=cast.hq_reviewer.actor(), report_id=other.pk, reason="Hai lô khác nhau"
    )
    assert (back.stage, back.statistic_status, back.merged_into) == ("submitted", "provisional", None)
    with pytest.raises(StateChanged):
        actions.part_seizures(actor=cast.hq_reviewer.actor(), report_id=other.pk, reason="lần nữa")
    merge(cast.hq_reviewer, other, one)
    assert Merge.objects.filter(report=other).count() == 2
    check_feed()


def test_held_apart_is_not_asked_again(seizing: Seizing, cast: Cast) -> None:
    one = seizing.submitted(consignments=WAYBILL)
    other = elsewhere(seizing, consignments=WAYBILL)
    for _ in range(2):
        actions.hold_apart(
            actor=cast.hq_reviewer.actor(), report_id=other.pk, other_id=one.pk, reason="Hai kiện"
        )
    assert not candidates(cast.hq_reviewer.actor(), one)
    assert not open_pairs(cast.hq_reviewer.actor(), lately())


def test_who_merges(seizing: Seizing, cast: Cast) -> None:
    one = seizing.submitted(consignments=WAYBILL)
    other = elsewhere(seizing, consignments=WAYBILL)
    with pytest.raises(NotFound):
        merge(cast.leader, one, other)
    with pytest.raises(NotReviewer):
        merge(cast.hq_analyst, one, other)
    with pytest.raises(SameReport):
        merge(cast.hq_reviewer, one, one)
    own = seizing.submitted(by=cast.region_leader)
    with pytest.raises(OwnReport):
        merge(cast.region_leader, own, one)
    assert merge(cast.region_leader, other, one).stage == "merged"


def test_nothing_is_verified_while_a_question_is_open(seizing: Seizing, cast: Cast) -> None:
    told: dict[str, Any] = {"watch_linked": "no", "handover_plan": "PC04"}
    one = seizing.submitted(consignments=WAYBILL, **told)
    twin = seizing.submitted(consignments=WAYBILL, **told, by=cast.team_mate)
    with pytest.raises(DuplicatesOpen):
        seizing.decide(one, "verify_unit", cast.leader)
    merge(cast.leader, twin, one)
    assert seizing.decide(one, "verify_unit", cast.leader).stage == "unit_verified"


@pytest.mark.django_db(transaction=True)
def test_two_people_who_merge_the_opposite_way_at_once(seizing: Seizing, cast: Cast) -> None:
    one = seizing.submitted(consignments=WAYBILL)
    other = elsewhere(seizing, consignments=WAYBILL)
    for member in (cast.hq_reviewer, cast.region_leader):
        member.actor()
    raised = at_once(
        lambda: merge(cast.hq_reviewer, one, other),
        lambda: merge(cast.region_leader, other, one),
    )
    assert len(raised) == 1
    assert "ReportVoided" in raised[0]
    assert sorted(SeizureReport.objects.values_list("stage", flat=True)) == ["merged", "submitted"]


def test_what_a_find_led_to_becomes_its_incident_and_goes_on_counting(seizing: Seizing, cast: Cast) -> None:
    """Two incidents by mistake are one again, at a desk; neither is a duplicate of the other any more."""
    first, further = seizing.submitted(), seizing.submitted()
    assert candidates(cast.leader.actor(), further)
    join: dict[str, Any] = {"report_id": further.pk, "other_id": first.pk}
    with pytest.raises(NoteRequired):
        actions.join_incidents(actor=cast.leader.actor(), reason=" ", **join)
    with pytest.raises(NotReviewer):
        actions.join_incidents(actor=cast.officer.actor(), reason="x", **join)
    done = actions.join_incidents(actor=cast.leader.actor(), reason="Khám nhà theo lời khai", **join)
    assert (done.stage, done.merged_into, done.statistic_status) == ("submitted", None, "provisional")
    assert not candidates(cast.leader.actor(), further)
    assert not open_pairs(cast.leader.actor(), first.occurred_on or dt.date.min)
    for again in (actions.join_incidents, actions.merge_seizures):
        named = "other_id" if again is actions.join_incidents else "survivor_id"
        with pytest.raises(StateChanged):
            again(actor=cast.leader.actor(), report_id=further.pk, reason="x", **{named: first.pk})
    back = actions.part_seizures(actor=cast.leader.actor(), report_id=further.pk, reason="Hai vụ khác nhau")
    assert back.stage == "submitted"
    with pytest.raises(StateChanged):
        actions.part_seizures(actor=cast.leader.actor(), report_id=further.pk, reason="x")


def test_a_desk_joins_by_the_number_of_the_report_before(seizing: Seizing, cast: Cast) -> None:
    first, further, desk = seizing.submitted(), seizing.submitted(), cast.leader.console()
    at = f"/console/seizures/{further.pk}/"
    said = {"verdict": "led_by", "reason": "Khám nhà theo lời khai"}
    assert (
        "Không có báo cáo mang số này"
        in desk.post(f"{at}pairing/", {**said, "number": "SZ-0"}, follow=True).content.decode()
    )
    page = desk.post(f"{at}pairing/", {**said, "number": first.number}, follow=True).content.decode()
    assert f"cùng một vụ với báo cáo {first.number}" in page
    page = desk.post(f"{at}pairing/", {"verdict": "part", "reason": "Nhầm"}, follow=True).content.decode()
    assert "cùng một vụ với báo cáo" not in page


JOINT = [
    {"unit": "NBA", "role": "lead"},
    {"unit": "CPN", "role": "co_lead"},
    {"agency": "PC04", "role": "support"},
]


def test_a_joint_seizure_is_verified_when_its_units_agreed(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted(participations=JOINT, watch_linked="no", handover_plan="PC04")
    seizing.decide(report, "verify_unit", cast.leader)
    with pytest.raises(InvalidFields) as refusal:
        seizing.decide(report, "verify_region", cast.region_leader)
    assert [fault.pointer for fault in refusal.value.errors] == ["/fields/participations/1"]
    for stranger, error in ((cast.other_leader, NotFound), (cast.hq_reviewer, NotReviewer)):
        with pytest.raises(error):
            actions.agree_participation(actor=stranger.actor(), report_id=report.pk)
    for _ in range(2):
        actions.agree_participation(actor=cast.region_leader.actor(), report_id=report.pk)
    assert seizing.decide(report, "verify_region", cast.region_leader).stage == "region_verified"


def test_a_role_that_changed_must_be_agreed_to_anew(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted(participations=JOINT, watch_linked="no", handover_plan="PC04")
    actions.agree_participation(actor=cast.region_leader.actor(), report_id=report.pk)
    changed = [JOINT[0], {**JOINT[1], "role": "support"}]
    actions.amend_seizure(
        actor=cast.leader.actor(),
        report_id=report.pk,
        fields={"participations": changed},
        reason="Sửa vai trò",
    )
    seizing.decide(report, "verify_unit", cast.leader)
    with pytest.raises(InvalidFields):
        seizing.decide(report, "verify_region", cast.region_leader)


@pytest.mark.parametrize(
    ("upto", "verb"),
    [("region_verified", "accept"), ("hq_accepted", "confirm_lab"), ("lab_confirmed", "close")],
)
def test_a_unit_that_a_correction_adds_later_is_asked_too(
    seizing: Seizing, cast: Cast, upto: str, verb: str
) -> None:
    """Nobody becomes a leading unit of an accepted seizure behind its own leader's back."""
    report = seizing.verified(seizing.submitted(lab_reason="Chưa trưng cầu"), upto)
    actions.amend_seizure(
        actor=cast.leader.actor(),
        report_id=report.pk,
        fields={"participations": JOINT},
        reason="Bổ sung đơn vị cùng chủ trì",
    )
    with pytest.raises(InvalidFields) as refusal:
        seizing.decide(report, verb, cast.hq_reviewer)
    assert "/fields/participations/1" in {fault.pointer for fault in refusal.value.errors}
    actions.agree_participation(actor=cast.region_leader.actor(), report_id=report.pk)
    if verb != "close":
        assert seizing.decide(report, verb, cast.hq_reviewer).stage != upto


def test_the_database_holds_one_lead(seizing: Seizing, cast: Cast) -> None:
    two = [{"unit": "NBA", "role": "lead"}, {"unit": "CPN", "role": "lead"}]
    with pytest.raises(InvalidFields):
        seizing.send(actions.save_seizure, sound(participations=two))
    assert not SeizureReport.objects.exists()
