"""Seizure reports at a desk: the list, a page with its versions, decisions, laboratory, corrections, names."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.audit.models import Event
from apps.common.actor import SYSTEM
from apps.reference.actions import load_shipped
from apps.seizures import actions
from apps.seizures.models import ReportVersion, SeizureReport
from tests.cast import Cast
from tests.seizing import Seizing, flash, line


@pytest.fixture
def report(seizing: Seizing) -> SeizureReport:
    """A submitted report of Nội Bài with a forged waybill."""
    goods = {"1": {"courier_no": "1Z", "mawb": "176-12345676", "consignee": "Người Nhận Thử"}}
    return seizing.submitted(consignments=goods, no_scale_photo_reason="")


def read(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def test_the_list_shows_amounts_and_is_searched_by_waybill(report: SeizureReport, cast: Cast) -> None:
    leader = cast.leader.console()
    page = read(leader, "/console/seizures/")
    assert str(report.number) in page
    assert "1.200,5 g" in page
    assert str(report.number) in read(leader, "/console/seizures/?q=176 1234 5676")
    assert str(report.number) not in read(leader, "/console/seizures/?q=999")
    assert str(report.number) not in read(leader, "/console/seizures/?group=heroin")
    assert str(report.number) not in read(cast.other_leader.console(), "/console/seizures/")


def test_the_page_shows_no_names_until_a_purpose_is_given(report: SeizureReport, cast: Cast) -> None:
    leader = cast.leader.console()
    path = f"/console/seizures/{report.pk}/"
    page = read(leader, path)
    assert "Ketamine" in page
    assert "176-12345676" in page
    for name in ("Người Thử Một", "Người Nhận Thử", "Nguyễn Thị Chứng"):
        assert name not in page
    refused = leader.post(f"{path}persons/", {"purpose": ""})
    assert refused.status_code == 422
    assert "Người Thử Một" not in refused.content.decode()
    shown = leader.post(f"{path}persons/", {"purpose": "Lập hồ sơ bàn giao"}).content.decode()
    for name in ("Người Thử Một", "Người Nhận Thử", "Nguyễn Thị Chứng"):
        assert name in shown
    assert Event.objects.get(action="seizure.persons_read").data["purpose"] == "Lập hồ sơ bàn giao"


def test_a_number_of_a_person_is_neither_shown_nor_found_without_a_purpose(
    seizing: Seizing, cast: Cast
) -> None:
    """Also when its check fails, which is told beside its place, and also by who tries numbers in the search."""
    forged = "P<VNMTHU<<NGUOI<MOT" + "<" * 25 + "C12345678" + "9" * 35
    report = seizing.submitted(
        persons={
            "1": {"full_name": "A", "document_kind": "citizen_no", "document_number": "12345"},
            "2": {"full_name": "B", "document_kind": "mrz", "document_number": forged},
        },
        consignments={"1": {"courier_no": "1Z999AA1", "phone": "098x765"}},
    )
    leader = cast.leader.console()
    page = read(leader, f"/console/seizures/{report.pk}/")
    assert page.count("Sai số kiểm tra:") == 3
    for number in ("12345<", "NGUOI", "098x765"):
        assert number not in page
    assert str(report.number) in read(leader, "/console/seizures/?q=1Z999AA1")
    for probe in ("12345", forged, "098x765"):
        assert str(report.number) not in read(leader, f"/console/seizures/?q={probe[:60]}")
    assert (
        "NGUOI" in leader.post(f"/console/seizures/{report.pk}/persons/", {"purpose": "x"}).content.decode()
    )


def test_forms_are_labelled_in_the_language_of_whoever_reads(report: SeizureReport, cast: Cast) -> None:
    """Whatever language was spoken when the forms were first loaded."""
    leader = cast.leader.console()
    for language, label in (("en", "Linked to a watchlist"), ("vi", "Trùng danh sách theo dõi")) * 2:
        leader.cookies["django_language"] = language
        assert f'for="id_watch_linked">{label}' in read(leader, f"/console/seizures/{report.pk}/")


def test_an_estimate_says_so(seizing: Seizing, cast: Cast) -> None:
    seizing.send(actions.send_flash, flash())
    assert "khoảng 1.000 g" in read(cast.leader.console(), "/console/seizures/")


def test_a_report_is_verified_step_by_step(report: SeizureReport, cast: Cast) -> None:
    leader, path = cast.leader.console(), f"/console/seizures/{report.pk}/"
    refused = leader.post(f"{path}decision/", {"decision": "verify_unit", "base_rev": report.rev})
    assert refused.status_code == 422
    page = refused.content.decode()
    assert '<a href="#id_watch_linked">Trùng danh sách' in page, "each fault leads to where it is put right"
    assert '<a href="#id_no_scale_photo_reason">Lý do không có ảnh mặt cân</a>: Có tang vật đã cân' in page
    assert "<details open><summary>Đính chính" in page
    told = {
        "watch_linked": "no",
        "handover_plan": "PC04",
        "no_scale_photo_reason": "Máy ảnh hỏng",
        "reason": "Bổ sung",
        "base_rev": report.rev,
    }
    assert leader.post(f"{path}amendment/", told).status_code == 302
    report.refresh_from_db()
    stale = leader.post(f"{path}decision/", {"decision": "verify_unit", "base_rev": report.rev - 1})
    assert stale.status_code == 409
    done = leader.post(f"{path}decision/", {"decision": "verify_unit", "base_rev": report.rev})
    assert done.status_code == 302
    report.refresh_from_db()
    assert report.stage == "unit_verified"
    assert leader.post(f"{path}decision/", {"decision": "nonsense"}).status_code == 404


def test_a_laboratory_result_is_a_new_version_and_both_are_read(report: SeizureReport, cast: Cast) -> None:
    leader, path = cast.leader.console(), f"/console/seizures/{report.pk}/"
    result = {
        "mark": "1",
        "lab_outcome": "positive",
        "lab_substance": "methamphetamine",
        "lab_net_mass_g": "1199,75",
        "lab_name": "Viện KHHS",
        "lab_number": "55/KL",
        "lab_on": "2024-09-01",
        "base_rev": report.rev,
    }
    assert leader.post(f"{path}laboratory/", {**result, "lab_number": ""}).status_code == 422
    wrong = leader.post(f"{path}laboratory/", {**result, "lab_net_mass_g": "1199.12345"})
    assert wrong.status_code == 422
    assert leader.post(f"{path}laboratory/", result).status_code == 302
    assert "1.199,75 g" in read(leader, path)
    assert ReportVersion.objects.filter(report=report).count() == 2
    old = read(leader, f"{path}?version=1")
    assert "1.199,75" not in old
    compared = read(leader, f"{path}?version=2")
    assert "Dòng 1: Chất theo giám định" in compared
    assert "Methamphetamine" in compared


def test_a_leader_reads_that_the_server_signed_also_without_photos(report: SeizureReport, cast: Cast) -> None:
    leader, path = cast.leader.console(), f"/console/seizures/{report.pk}/"
    assert "Chưa có biên nhận" in read(leader, path)
    actions.issue_receipts(actor=SYSTEM, report_ids=[report.pk])
    told = read(leader, path)
    assert "Biên nhận lần 1, máy chủ ký" in told
    assert "Chưa có biên nhận" not in told


def test_a_line_is_corrected_with_a_reason(report: SeizureReport, cast: Cast) -> None:
    leader, path = cast.leader.console(), f"/console/seizures/{report.pk}/"
    form = {"mark": "1", "net_mass_g": "1200,25", "reason": "Cân lại có mặt hai công chức"}
    assert leader.post(f"{path}amendment/", {**form, "reason": ""}).status_code == 422
    assert leader.post(f"{path}amendment/", {**form, "base_rev": report.rev}).status_code == 302
    report.refresh_from_db()
    assert report.lines["1"]["net_mass_g"] == "1200.25"


def test_who_took_part_decides_nothing(seizing: Seizing, cast: Cast) -> None:
    weighed = line(weighed_by=[cast.leader.officer.badge_no, "HQ-B"])
    report = seizing.submitted(lines={"1": weighed})
    page = read(cast.leader.console(), f"/console/seizures/{report.pk}/")
    assert "không tự xác nhận" in page
    assert 'name="decision"' not in page


def test_pages_in_english(report: SeizureReport, cast: Cast) -> None:
    reviewer = cast.hq_reviewer.console()
    reviewer.cookies["django_language"] = "en"
    page = read(reviewer, f"/console/seizures/{report.pk}/")
    assert "Factory repacked" in page
    assert "1,200.5 g" in page


def test_duplicates_are_listed_judged_and_parted(report: SeizureReport, seizing: Seizing, cast: Cast) -> None:
    twin = seizing.submitted(
        consignments={"1": {"courier_no": "KHÁC-1", "mawb": "176-1234567 6"}}, by=cast.team_mate
    )
    leader, path = cast.leader.console(), f"/console/seizures/{twin.pk}/"
    listed = read(leader, "/console/seizures/duplicates/")
    assert str(report.number) in listed
    assert "cùng số vận đơn" in listed
    assert "Hai vụ khác nhau" in read(leader, path)
    judged = {"verdict": "into_other", "other": report.pk, "reason": "Một lô hàng"}
    assert leader.post(f"{path}pairing/", {**judged, "other": "x"}).status_code == 404
    assert leader.post(f"{path}pairing/", {**judged, "verdict": "x"}).status_code == 404
    leader.post(f"{path}pairing/", {**judged, "reason": ""})
    twin.refresh_from_db()
    assert twin.stage == "submitted"
    leader.post(f"{path}pairing/", judged)
    merged = read(leader, path)
    assert "Đã nhập vào báo cáo" in merged
    assert "Không có cặp nào" in read(leader, "/console/seizures/duplicates/")
    leader.post(f"{path}pairing/", {"verdict": "part", "reason": "Hai lô"})
    twin.refresh_from_db()
    assert twin.stage == "submitted"


def test_a_unit_agrees_to_its_role(seizing: Seizing, cast: Cast) -> None:
    roles = [{"unit": "NBA", "role": "lead"}, {"unit": "TSN", "role": "support"}]
    report = seizing.submitted(participations=roles)
    path, other = f"/console/seizures/{report.pk}/", cast.other_leader.console()
    assert "chưa xác nhận" in read(cast.leader.console(), path)
    assert "Xác nhận vai trò của đơn vị tôi" in read(other, path)
    other.post(f"{path}agreement/")
    assert "chưa xác nhận" not in read(other, path)


def test_days_are_written_as_people_write_them(seizing: Seizing, cast: Cast) -> None:
    told = read(cast.leader.console(), f"/console/seizures/{seizing.submitted().pk}/")
    assert "Ngày biên bản</dt><dd>20/08/2024</dd>" in told


def test_a_page_names_countries_and_units(seizing: Seizing, cast: Cast) -> None:
    load_shipped(actor=SYSTEM)
    report = seizing.submitted(
        transit_countries=["QA"],
        participations=[{"unit": "NBA", "role": "lead"}, {"unit": "CPN", "role": "support"}],
    )
    page = cast.hq_reviewer.console().get(f"/console/seizures/{report.pk}/").content.decode()
    assert "Hà Lan" in page
    assert "Qatar" in page or "Ca-ta" in page
    assert "Chuyển phát nhanh (Phối hợp)" in page
    assert "CPN · Phối hợp" not in page
