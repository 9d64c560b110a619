"""Exhibits at a desk: written down, sealed, stored, offered, accepted with a difference, decided, counted; who sees."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.custody.models import Exhibit, HandOver, StoreCount
from apps.seizures.models import SeizureLine
from tests.cast import Cast
from tests.holding import Holding


def read(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def post(client: Client, path: str, fields: dict[str, Any], status: int = 302) -> str:
    answer = client.post(path, fields)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


SEALING = {
    "deed": "step",
    "step": "sealed",
    "seals": "NP-1, NP-2",
    "seal_type": "plastic",
    "gross_mass_g": "1250,5",
    "is_subject_present": "no",
    "witnesses": "Người Một\r\nNgười Hai",
    "signers": "HQ-A, HQ-B",
    "stamp_of": "Hải quan Nội Bài",
}


def test_a_leader_writes_down_seals_and_stores(holding: Holding, cast: Cast) -> None:
    report, leader = holding.seizing.submitted(), cast.leader.console()
    path = f"/console/seizures/{report.pk}/custody/"
    assert f'href="{path}"' in read(leader, f"/console/seizures/{report.pk}/")
    assert "Chưa có tang vật" in read(leader, path)
    said = {"mark": "1", "description": "Hộp kẹo", "gross_mass_g": "1250", "net_mass_g": "1200,5"}
    post(leader, f"{path}exhibits/", {**said, "net_mass_g": "9999"}, 422)
    post(leader, f"{path}exhibits/", said)
    exhibit = Exhibit.objects.get()
    own = f"/console/exhibits/{exhibit.pk}/"
    refused = post(leader, f"{own}step/", {**SEALING, "witnesses": "Một người"}, 422)
    assert "Thiếu người chứng kiến" in refused
    assert "NP-1, NP-2" in refused
    post(leader, f"{own}step/", {**SEALING, "base_rev": "1"})
    page = read(leader, own)
    assert "1.250,5" in page
    assert "NP-2" in page
    assert "Người Một" not in page
    assert "HQ-A, HQ-B" in page
    stale = {"deed": "step", "step": "moved", "place": "Xe", "purpose": "x", "base_rev": "1"}
    assert "diễn biến mới" in post(leader, f"{own}step/", stale, 409)
    post(leader, f"{own}step/", {"deed": "step", "step": "stored", "place": "Kệ 3"})
    assert "Kệ 3" in read(leader, "/console/custody/")
    assert "Kệ 3" in read(cast.custodian.console(), f"/console/custody/?unit={exhibit.unit_id}")
    assert "Không có tang vật nào" in read(leader, "/console/custody/?on=2020-01-01")
    post(leader, f"{own}step/", {"deed": "nonsense"}, 404)


def test_who_and_what_else_is_handed_over_is_chosen_by_mark(holding: Holding, cast: Cast) -> None:
    report = holding.seizing.submitted(conveyances={"1": {"plate": "29A-123.45"}})
    exhibit, leader = holding.sealed(holding.recorded(report)), cast.leader.console()
    page = read(leader, f"/console/seizures/{report.pk}/custody/")
    assert "1: Người nhận" in page
    assert "1: 29A-123.45" in page
    assert "Người Thử" not in page
    said = {
        "kind": "police",
        "office": "PC04",
        "exhibits": [str(exhibit.pk)],
        "persons": ["1"],
        "copies": "3",
    }
    post(leader, f"/console/seizures/{report.pk}/custody/offers/", {**said, "persons": ["9"]}, 422)
    post(leader, f"/console/seizures/{report.pk}/custody/offers/", said)
    offer = HandOver.objects.get()
    assert (offer.persons, offer.vehicles, offer.copies) == (["1"], [], 3)


def test_a_custodian_receives_and_a_difference_is_decided(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    leader, custodian = cast.leader.console(), cast.custodian.console()
    offers = f"/console/seizures/{exhibit.report_id}/custody/offers/"
    said = {"kind": "inside", "badge_no": cast.custodian.officer.badge_no, "exhibits": [str(exhibit.pk)]}
    post(leader, offers, {**said, "badge_no": "KHÔNG-CÓ"}, 422)
    post(leader, offers, said)
    offer = HandOver.objects.get()
    own = f"/console/hand-overs/{offer.pk}/"
    assert offer.number in read(custodian, "/console/custody/")
    assert "Nhận</button>" not in read(leader, own)
    assert "Nhận</button>" in read(custodian, own)
    assert str(exhibit.report.number) in read(custodian, own)
    reading = {"deed": "accept", f"seals_{exhibit.pk}": "NP-000999", f"mass_{exhibit.pk}": "1250"}
    post(leader, f"{own}answer/", reading, 403)
    post(custodian, f"{own}answer/", reading)
    assert "Sai niêm phong" in read(custodian, own)
    page = read(cast.region_leader.console(), f"/console/exhibits/{exhibit.pk}/")
    assert "Quyết định về sai lệch" in page
    verdict = {"deed": "verdict", "verdict": "stay", "note": ""}
    deciding = f"/console/exhibits/{exhibit.pk}/step/"
    post(cast.region_leader.console(), deciding, verdict, 422)
    post(leader, deciding, {**verdict, "note": "x"}, 403)
    post(cast.region_leader.console(), deciding, {**verdict, "note": "Đọc nhầm"})
    assert Exhibit.objects.get().stop == ""
    assert "Đọc nhầm" in read(leader, f"/console/exhibits/{exhibit.pk}/")


def test_paper_for_the_police_is_entered_by_a_colleague(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    offer = holding.offer(exhibit, kind="police", office="PC04")
    own, leader = f"/console/hand-overs/{offer.pk}/", cast.leader.console()
    reading = {"deed": "accept", f"seals_{exhibit.pk}": "NP-000123", f"mass_{exhibit.pk}": "1250,0"}
    post(leader, f"{own}answer/", reading, 422)
    post(leader, f"{own}answer/", {**reading, "receiver_name": "Đại úy Hư Cấu", "document_number": "45/BB"})
    assert "PC04: Đại úy Hư Cấu" in read(leader, f"/console/seizures/{exhibit.report_id}/custody/")
    assert "45/BB" in read(leader, own)


def test_a_result_changes_the_figure_by_a_new_version(holding: Holding, cast: Cast) -> None:
    exhibit = holding.recorded()
    result = {
        "deed": "result",
        "lab_outcome": "positive",
        "lab_substance": "ketamine",
        "lab_net_mass_g": "1199,75",
        "lab_name": "Viện KHHS",
        "lab_number": "55/KL",
        "lab_on": "2024-09-01",
    }
    leader, own = cast.leader.console(), f"/console/exhibits/{exhibit.pk}/"
    post(leader, f"{own}step/", {**result, "lab_number": ""}, 422)
    paper = SimpleUploadedFile("55-KL.pdf", b"%PDF-1.4 ket luan", content_type="application/pdf")
    post(leader, f"{own}step/", {**result, "method": "GC-MS", "paper": paper})
    line = SeizureLine.objects.get(report=exhibit.report)
    assert (str(line.mass_g), line.basis) == ("1199.7500", "lab_net")
    page = read(leader, own)
    for told in ("55/KL", "GC-MS", hashlib.sha256(b"%PDF-1.4 ket luan").hexdigest()):
        assert told in page
    assert "Viện KHHS" in read(leader, f"/console/seizures/{exhibit.report_id}/?version=2")


def test_a_count_shows_what_is_missing(holding: Holding, cast: Cast) -> None:
    exhibit, custodian = holding.stored(), cast.custodian.console()
    path = f"/console/custody/{exhibit.unit_id}/count/"
    post(custodian, path, {"found": "LẠ-1"}, 422)
    post(custodian, path, {"found": "LẠ-1\r\n", "witness": "Người thứ hai"})
    page = read(custodian, "/console/custody/")
    assert "LẠ-1" in page
    assert f"Thiếu:</span> {exhibit.report.number}/1" in page
    assert StoreCount.objects.get().said["witness"] == "Người thứ hai"
    post(cast.other_leader.console(), path, {"witness": "x"}, 404)


def test_headquarters_see_which_stores_hold_something(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    page = read(cast.hq_reviewer.console(), "/console/custody/")
    assert "Các kho đang giữ tang vật" in page
    assert f'?unit={exhibit.unit_id}">' in page
    there = read(cast.hq_reviewer.console(), f"/console/custody/?unit={exhibit.unit_id}")
    assert f"{exhibit.report.number}/1" in there
    before = read(cast.hq_reviewer.console(), "/console/custody/?on=2020-01-01")
    assert "Các kho đang giữ tang vật" not in before


def test_a_line_that_does_not_add_up_is_shown(holding: Holding, cast: Cast) -> None:
    exhibit = holding.recorded(net_mass_g="1100")
    page = read(cast.leader.console(), f"/console/seizures/{exhibit.report_id}/custody/")
    assert "chưa cân đối" in page


@pytest.mark.parametrize(
    "path", ["/console/exhibits/{e}/", "/console/seizures/{r}/custody/", "/console/custody/"]
)
def test_pages_in_english(holding: Holding, cast: Cast, path: str) -> None:
    exhibit = holding.stored()
    leader = cast.leader.console()
    leader.cookies["django_language"] = "en"
    page = read(leader, path.format(e=exhibit.pk, r=exhibit.report_id))
    assert "NP-000123" in page
    assert "1,250" in page
