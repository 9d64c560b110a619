"""Seizure reports from the first flash to the close: stages, versions, laboratory, who may, what counts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.errors import SecondPersonNeeded
from apps.audit.models import Event
from apps.changes.models import Entry
from apps.common.errors import InvalidFields, NotAllowed, NotFound
from apps.common.records import new_id
from apps.inspections.errors import (
    FieldConflict,
    NoteRequired,
    NotReviewer,
    OwnReport,
    ReportVoided,
    StateChanged,
    StateLocked,
)
from apps.seizures import actions
from apps.seizures.models import Incident, ReportVersion, SeizureLine, SeizureReport
from apps.seizures.queries import KIND, without_names
from tests.cast import Cast
from tests.seizing import Seizing, flash, line, sound
from tests.work import Pocket, check_feed, newest_change, newest_event


def pointers(refusal: pytest.ExceptionInfo[InvalidFields]) -> set[str]:
    return {fault.pointer.removeprefix("/fields/") for fault in refusal.value.errors}


def test_a_flash_is_numbered_counted_and_told_to_the_phone(seizing: Seizing, cast: Cast) -> None:
    report = seizing.send(actions.send_flash, flash()).report
    assert (report.stage, report.version, report.statistic_status) == ("flash", 1, "provisional")
    assert str(report.number).startswith("SZ-")
    assert str(report.incident.number).startswith("VV-")
    row = SeizureLine.objects.get(report=report)
    assert (row.mass_g, row.basis, row.report_group) == (Decimal(1000), "estimated", "ketamine")
    pocket = Pocket()
    pocket.pull(cast.officer.actor())
    _, body = pocket.of_kind(KIND)[str(report.pk)]
    assert body["lines"]["1"]["net_mass_g"] == "1000"
    assert newest_event(report.pk).action == "seizure.flashed"
    assert newest_change(report.pk).data["days"] == [str(report.occurred_on)]
    check_feed()


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"place": ""}, "place"),
        ({"lines": {}}, "lines"),
        ({"lines": {"1": {"substance": "ketamine"}}}, "lines/1"),
        ({"lines": {"1": {"net_mass_g": "3"}}}, "lines/1/substance"),
        ({"lines": {"1": {"substance": "mdma", "count": 3}}}, "lines/1/count_unit"),
        ({"no_photo_reason": ""}, "photos"),
        ({"persons_count": None}, "persons_count"),
    ],
)
def test_a_flash_needs_the_few_fields(seizing: Seizing, changed: dict[str, Any], missing: str) -> None:
    with pytest.raises(InvalidFields) as refusal:
        seizing.send(actions.send_flash, flash(**changed))
    assert missing in pointers(refusal)
    assert not SeizureReport.objects.exists()
    assert not Incident.objects.exists()


def test_a_late_flash_is_taken_and_flagged(seizing: Seizing) -> None:
    seen = (timezone.now() - dt.timedelta(minutes=61)).isoformat()
    report = seizing.send(actions.send_flash, flash(detected_on_device_at=seen)).report
    assert "flash-late" in report.flags


def test_the_service_sets_how_soon_a_flash_must_come(seizing: Seizing, settings: Any) -> None:
    assert dt.timedelta(hours=1) == settings.FLASH_WITHIN
    settings.FLASH_WITHIN = dt.timedelta(minutes=10)
    assert "flash-late" in seizing.send(actions.send_flash, flash()).report.flags
    settings.FLASH_WITHIN = dt.timedelta(minutes=30)
    assert "flash-late" not in seizing.send(actions.send_flash, flash()).report.flags


def test_the_whole_way(seizing: Seizing, cast: Cast) -> None:
    first = seizing.send(actions.send_flash, flash()).report
    more = seizing.send(
        actions.send_preliminary,
        {"summary": "Đang cân"},
        report=first.pk,
        base_rev=first.rev,
    ).report
    full = seizing.send(actions.submit_seizure, sound(), report=first.pk, base_rev=more.rev).report
    assert (full.stage, full.version, full.number) == ("submitted", 3, first.number)
    seizing.verified(full)
    seizing.lab(full)
    seizing.decide(full, "confirm_lab", cast.hq_reviewer)
    actions.amend_seizure(
        actor=cast.hq_reviewer.actor(),
        report_id=full.pk,
        fields={
            "legal_outcome": "handed_over_police",
            "modus_operandi": ["kẹo"],
            "lessons": "yes",
            "handover_reason": "Công an thu giữ ngay tại hiện trường",
        },
        reason="Kết thúc hồ sơ",
    )
    closed = seizing.decide(full, "close", cast.hq_reviewer)
    assert (closed.stage, closed.statistic_status) == ("closed", "confirmed")
    assert [v.version for v in ReportVersion.objects.filter(report=full)] == [1, 2, 3, 4, 5, 6]
    assert ReportVersion.objects.get(report=full, version=1).body["lines"]["1"]["net_mass_g"] == "1000"
    with pytest.raises(StateChanged):
        seizing.lab(full, lab_net_mass_g="1")
    check_feed()


def test_nothing_is_closed_without_the_laboratory_or_a_reason(seizing: Seizing, cast: Cast) -> None:
    report = seizing.verified(seizing.submitted())
    with pytest.raises(InvalidFields) as refusal:
        seizing.decide(report, "confirm_lab", cast.hq_reviewer)
    assert pointers(refusal) == {"lines/1/lab_outcome"}
    actions.amend_seizure(
        actor=cast.leader.actor(),
        report_id=report.pk,
        fields={"lab_reason": "Công an trưng cầu, chưa có kết luận"},
        reason="Nêu lý do",
    )
    assert seizing.decide(report, "confirm_lab", cast.hq_reviewer).stage == "lab_confirmed"


def test_the_laboratory_changes_the_figure_by_a_new_version(seizing: Seizing) -> None:
    report = seizing.submitted()
    after = seizing.lab(report)
    row = SeizureLine.objects.get(report=report)
    assert (row.mass_g, row.basis, after.version) == (Decimal("1199.25"), "lab_net", 2)
    assert after.lines["1"]["net_mass_g"] == "1200.5"
    old = ReportVersion.objects.get(report=report, version=1)
    assert "lab_net_mass_g" not in old.body["lines"]["1"]


def test_a_negative_result_takes_the_report_out_of_the_figures(seizing: Seizing) -> None:
    report = seizing.submitted()
    with pytest.raises(InvalidFields) as refusal:
        seizing.lab(report, lab_outcome="negative", lab_substance="")
    assert pointers(refusal) == {"lines/1/lab_note"}
    after = seizing.lab(report, lab_outcome="negative", lab_substance="", lab_note="Bột ngọt")
    assert after.statistic_status == "excluded"
    assert SeizureLine.objects.get(report=report).excluded == "lab_negative"


def test_two_officers_and_the_laboratory_at_once(seizing: Seizing, cast: Cast) -> None:
    badge = cast.team_mate.officer.badge_no
    two = {"1": line(), "2": line(substance="mdma", net_mass_g="10")}
    report = seizing.send(actions.send_flash, {**sound(), "lines": two, "participants": [badge]}).report
    base = report.rev
    mine = {"lines": {"1": {"net_mass_g": "1201"}, "3": line(substance="heroin", net_mass_g="5")}}
    theirs = {"lines": {"2": {"net_mass_g": "11"}, "4": line(substance="cocaine", net_mass_g="7")}}
    seizing.send(actions.save_seizure, mine, report=report.pk, base_rev=base)
    seizing.lab(report, lab_net_mass_g="1190")
    merged = seizing.send(actions.save_seizure, theirs, report=report.pk, base_rev=base, by=cast.team_mate)
    assert merged.merged
    masses = dict(SeizureLine.objects.filter(report=report).values_list("mark", "mass_g"))
    assert masses == {"1": Decimal(1190), "2": Decimal(11), "3": Decimal(5), "4": Decimal(7)}


def test_the_same_bag_from_two_phones_is_one_line_or_a_conflict(seizing: Seizing, cast: Cast) -> None:
    badge = cast.team_mate.officer.badge_no
    report = seizing.send(actions.send_flash, flash(participants=[badge])).report
    base = report.rev
    bag = {"lines": {"2": line(net_mass_g="40")}}
    seizing.send(actions.save_seizure, bag, report=report.pk, base_rev=base)
    seizing.send(actions.save_seizure, bag, report=report.pk, base_rev=base, by=cast.team_mate)
    assert SeizureLine.objects.filter(report=report, mark="2").count() == 1
    other = {"lines": {"2": line(net_mass_g="41")}}
    with pytest.raises(FieldConflict) as refusal:
        seizing.send(actions.save_seizure, other, report=report.pk, base_rev=base, by=cast.team_mate)
    assert refusal.value.fields == ("lines.2.net_mass_g",)


def test_both_phones_hold_the_report_until_one_leaves_it(seizing: Seizing, cast: Cast) -> None:
    badge = cast.team_mate.officer.badge_no
    report = seizing.send(actions.send_flash, flash(participants=[badge])).report
    pocket = Pocket()
    pocket.pull(cast.team_mate.actor())
    assert str(report.pk) in pocket.of_kind(KIND)
    seizing.send(actions.save_seizure, {"participants": []}, report=report.pk, base_rev=report.rev)
    pocket.pull(cast.team_mate.actor())
    assert not pocket.of_kind(KIND)
    with pytest.raises(NotAllowed):
        seizing.send(actions.save_seizure, {"place": "x"}, report=report.pk, base_rev=2, by=cast.team_mate)
    check_feed()


def test_a_badge_of_another_unit_is_flagged_and_gives_no_access(seizing: Seizing, cast: Cast) -> None:
    badges = [cast.neighbour.officer.badge_no, "KHÔNG-CÓ"]
    report = seizing.send(actions.send_flash, flash(participants=badges)).report
    assert "badge-unknown" in report.flags
    assert not SeizureReport.objects.visible_to(cast.neighbour.actor()).exists()


def test_after_submission_an_edit_is_kept_as_a_conflict(seizing: Seizing) -> None:
    report = seizing.submitted()
    with pytest.raises(StateLocked):
        seizing.send(actions.save_seizure, {"place": "x"}, report=report.pk, base_rev=report.rev)
    again = seizing.send(actions.submit_seizure, {"place": report.fields["place"]}, report=report.pk)
    assert (again.report.version, again.report.rev) == (1, report.rev)


def test_a_returned_report_is_corrected_and_sent_again(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted()
    with pytest.raises(NoteRequired):
        seizing.decide(report, "return", cast.leader)
    back = seizing.decide(report, "return", cast.leader, "Cân lại dòng 1")
    assert back.stage == "preliminary"
    entry = Entry.objects.get(kind=KIND, oid=report.pk)
    assert "Cân lại dòng 1" in entry.body
    fixed = {"lines": {"1": {"net_mass_g": "1200.75"}}}
    done = seizing.send(actions.submit_seizure, fixed, report=report.pk, base_rev=back.rev).report
    assert (done.stage, done.version) == ("submitted", 2)


def test_void_needs_a_reason_and_leaves_the_figures(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted()
    voided = seizing.decide(report, "void", cast.leader, "Nhập nhầm")
    assert (voided.stage, voided.statistic_status) == ("voided", "excluded")
    with pytest.raises(ReportVoided):
        seizing.decide(report, "verify_unit", cast.leader)
    with pytest.raises(ReportVoided):
        seizing.lab(report)


def test_who_decides(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted()
    for stranger in (cast.other_leader, cast.outsider, cast.hq_statistics, cast.custodian):
        with pytest.raises(NotFound):
            seizing.decide(report, "verify_unit", stranger)
    with pytest.raises(NotReviewer):
        seizing.decide(report, "verify_unit", cast.hq_analyst)
    with pytest.raises(NotReviewer):
        seizing.decide(report, "void", cast.officer, "x")
    actions.amend_seizure(
        actor=cast.leader.actor(),
        report_id=report.pk,
        fields={"watch_linked": "no", "handover_plan": "x"},
        reason="x",
    )
    seizing.decide(report, "verify_unit", cast.region_leader)
    with pytest.raises(NotReviewer):
        seizing.decide(report, "verify_region", cast.leader)
    with pytest.raises(SecondPersonNeeded):
        seizing.decide(report, "verify_region", cast.region_leader)


def test_nobody_verifies_what_they_wrote_or_weighed(seizing: Seizing, cast: Cast) -> None:
    own = seizing.submitted(by=cast.leader)
    with pytest.raises(OwnReport):
        seizing.decide(own, "verify_unit", cast.leader)
    badge = cast.leader.officer.badge_no
    weighed = seizing.submitted(lines={"1": line(weighed_by=[badge, "HQ-B"])})
    with pytest.raises(OwnReport):
        seizing.decide(weighed, "verify_unit", cast.leader)


def test_names_are_read_with_a_purpose_and_leave_a_trace(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted()
    with pytest.raises(NoteRequired):
        actions.read_persons(actor=cast.leader.actor(), report_id=report.pk, purpose=" ")
    with pytest.raises(NotFound):
        actions.read_persons(actor=cast.hq_statistics.actor(), report_id=report.pk, purpose="x")
    actions.read_persons(actor=cast.hq_analyst.actor(), report_id=report.pk, purpose="Đối chiếu vụ 12")
    event = Event.objects.get(action="seizure.persons_read")
    assert event.data == {"purpose": "Đối chiếu vụ 12"}
    bare = str(without_names({"fields": report.fields, "persons": report.persons}))
    assert "Người Thử Một" not in bare
    assert "Nguyễn Thị Chứng" not in bare
    assert "arrested" in bare


def test_a_draft_is_its_authors_and_can_be_taken_back(seizing: Seizing, cast: Cast) -> None:
    draft = seizing.send(actions.save_seizure, {"place": "Kho 2"}).report
    assert (draft.is_draft, draft.number) == (True, None)
    assert not SeizureReport.objects.visible_to(cast.leader.actor()).exists()
    actions.discard_seizure(actor=cast.team_mate.actor(), report_id=draft.pk, base_rev=None)
    assert SeizureReport.objects.exists()
    actions.discard_seizure(actor=cast.officer.actor(), report_id=draft.pk, base_rev=draft.rev)
    assert not SeizureReport.objects.exists()
    assert not Incident.objects.exists()
    check_feed()


def test_an_expansion_stays_in_its_incident(seizing: Seizing, cast: Cast) -> None:
    first = seizing.submitted()
    further = seizing.send(
        actions.send_flash, flash(kind="expansion", incident=str(first.incident_id))
    ).report
    assert further.incident_id == first.incident_id
    with pytest.raises(InvalidFields):
        seizing.send(actions.send_flash, flash(incident=str(first.incident_id)), by=cast.outsider)
    with pytest.raises(InvalidFields):
        seizing.send(actions.send_flash, flash(incident=str(new_id())))


GUNS = {"article": "Súng ngắn tự chế", "count": 2, "count_unit": "piece", "seal_numbers": ["NP-000900"]}


def test_a_weapon_is_reported_verified_and_closed_without_a_laboratory(seizing: Seizing, cast: Cast) -> None:
    report = seizing.submitted(lines={"1": GUNS}, finding_category="weapons")
    row = SeizureLine.objects.get(report=report)
    assert (row.substance, row.count, row.excluded) == ("", 2, "not_a_drug")
    assert report.statistic_status == "excluded"
    page = cast.leader.console().get(f"/console/seizures/{report.pk}/").content.decode()
    assert "Súng ngắn tự chế" in page
    assert "Vũ khí (chuyển giao cho: Công an" in page
    assert "2 cái, tờ" in page
    assert "Súng ngắn tự chế" in cast.leader.console().get("/console/seizures/").content.decode()
    assert seizing.verified(report, "lab_confirmed").statistic_status == "excluded"
    actions.amend_seizure(
        actor=cast.hq_reviewer.actor(),
        report_id=report.pk,
        fields={
            "legal_outcome": "handed_over_police",
            "modus_operandi": ["hành lý ký gửi"],
            "lessons": "no",
            "handover_reason": "Công an tiếp nhận ngay tại cửa khẩu",
        },
        reason="Kết thúc hồ sơ",
    )
    assert seizing.decide(report, "close", cast.hq_reviewer).stage == "closed"


def test_a_drug_beside_a_weapon_counts_as_before(seizing: Seizing) -> None:
    report = seizing.submitted(lines={"1": line(), "2": GUNS}, finding_category="drugs")
    assert report.statistic_status == "provisional"
    with pytest.raises(InvalidFields) as refusal:
        seizing.submitted(lines={"1": line(), "2": GUNS})
    assert pointers(refusal) == {"finding_category"}
    found = seizing.lab(report, "2", lab_substance="ketamine", lab_net_mass_g="3")
    assert found.counted_lines.get(mark="2").excluded == "", "a laboratory found a drug in it"


def test_a_forged_number_is_kept_and_flagged(seizing: Seizing) -> None:
    goods = {"1": {"courier_no": "1Z", "mawb": "176-12345676"}}
    report = seizing.submitted(consignments=goods)
    assert "number-check-failed" in report.flags
    assert report.numbers.get(kind="mawb").valid == "no"


def test_what_does_not_exist_is_refused_with_its_place(seizing: Seizing) -> None:
    with pytest.raises(InvalidFields) as refusal:
        seizing.send(actions.send_flash, flash(lines={"1": line(substance="bột mì")}))
    assert pointers(refusal) == {"lines/1/substance"}
    with pytest.raises(InvalidFields) as refusal:
        seizing.send(actions.send_flash, flash(participations=[{"unit": "KHÔNG", "role": "lead"}]))
    assert pointers(refusal) == {"participations/0/unit"}


def test_a_unit_that_took_part_sees_the_report(seizing: Seizing, cast: Cast) -> None:
    roles = [{"unit": "NBA", "role": "lead"}, {"unit": "TSN", "role": "support"}]
    report = seizing.submitted(participations=roles)
    assert SeizureReport.objects.visible_to(cast.other_leader.actor()).get() == report
    with pytest.raises(NotReviewer):
        seizing.decide(report, "void", cast.other_leader, "x")
    assert not SeizureReport.objects.visible_to(cast.outsider.actor()).exists()


def test_a_number_of_a_person_in_free_text_is_flagged_until_it_is_gone(seizing: Seizing) -> None:
    report = seizing.submitted(summary="Đối tượng mang CCCD 001088012345 khai nhận")
    assert "person-in-text" in report.flags
    amended = actions.amend_seizure(
        actor=seizing.cast.leader.actor(),
        report_id=report.pk,
        fields={"summary": "Đối tượng khai nhận"},
        reason="Chuyển số giấy tờ sang mục đối tượng",
    )
    assert "person-in-text" not in amended.flags
