"""The whole way of a report through the screens of the phone: offline, killed, cut, returned, corrected, approved."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.evidence_images import noisy_jpeg
from tests.field.conftest import Stage
from tests.field.handset import Handset
from tests.phone import until

pytestmark = [pytest.mark.live, pytest.mark.browser]

PICTURES = [noisy_jpeg(300_000, seed=seed) for seed in range(4)]
MRZ = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"


def sha256(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()


def first_half(phone: Handset) -> str:
    """Fill the general part and the first section."""
    report = phone.begin("Hành khách và hành lý")
    phone.reason()
    phone.next()
    phone.choose("selection_basis", "Trọng điểm theo đối tượng, tuyến, thời gian")
    phone.type("passport_scan", MRZ)
    phone.choose("ownership_answers", "Nhận là hành lý của mình", "Trả lời quanh co, mâu thuẫn")
    phone.next()
    phone.type("checked_mass", "23,4")
    phone.choose("xray_hand", "Nghi hai đáy, vách giả")
    phone.photograph("xray_hand", PICTURES[:1])
    phone.stored()
    return report


def second_half(phone: Handset) -> None:
    """Fill the rest, from the second section on."""
    phone.choose("xray_checked", "Không có hình ảnh nghi vấn")
    phone.next()
    phone.choose("opened_before_passenger", "Có")
    phone.photograph("opened_before_passenger", PICTURES[1:2])
    phone.choose("bag_structure", "Đáy, thành dày bất thường")
    phone.photograph("bag_structure", PICTURES[2:3], gallery=True)
    phone.choose("contents_check", "Không có dấu hiệu bất thường")
    phone.choose("rapid_test", "Thử nhanh âm tính")
    phone.type("unclaimed_bags", "2")
    phone.next()
    phone.step("officer_sign").get_by_role("button", name="Tôi ký").click()
    phone.next()
    phone.page.get_by_label("Chuyển kiểm tra sâu").check()
    phone.page.get_by_label("Ghi chú chung").fill("Va li nặng bất thường, đã niêm phong.")
    phone.stored()


EXPECTED = {
    "selection_basis": {"value": "targeted"},
    "passport_scan": {"value": {"raw": MRZ, "symbology": "manual"}},
    "ownership_answers": {"value": ["owns_all", "evasive"]},
    "checked_mass": {"value": "23.4"},
    "xray_hand": {"value": "hidden_layer"},
    "xray_checked": {"value": "clear"},
    "opened_before_passenger": {"value": True},
    "bag_structure": {"value": ["thick_base"]},
    "contents_check": {"value": ["nothing"]},
    "rapid_test": {"value": "test_negative"},
    "unclaimed_bags": {"value": "2"},
}


def test_a_report_goes_all_the_way(stage: Stage, handset: Callable[..., Handset], tmp_path: Path) -> None:
    phone = handset(on_disk=True)
    phone.officer = stage.officer()
    phone.enrol(stage.backstage("code", officer=phone.officer))
    may_be_installed(phone)
    report = filled_offline_and_killed(stage, phone, tmp_path / "profile-0")
    arrived_over_a_bad_line(stage, phone)
    returned_and_corrected_offline(stage, phone, report)
    stage.approve(report)
    phone.sync()
    phone.go(f"#/report/{report}")
    phone.page.locator(".badge.good", has_text="Đã duyệt").wait_for()
    [final] = stage.backstage("reports", officer=phone.officer)
    assert (final["state"], final["version"], final["declared"]) == ("approved", 2, 4)
    assert [p["sha256"] for p in final["photos"]["xray_hand"]] == [sha256(PICTURES[0]), sha256(PICTURES[3])]


def may_be_installed(phone: Handset) -> None:
    phone.until("navigator.serviceWorker.controller !== null")
    manifest = phone.page.evaluate(
        "fetch(document.querySelector('link[rel=manifest]').href).then(answer => answer.json())"
    )
    assert (manifest["start_url"], manifest["display"]) == ("/field/", "standalone")


def filled_offline_and_killed(stage: Stage, phone: Handset, profile: Path) -> str:
    """Half a report, then the tab dies; the other half, and nothing has reached the server."""
    phone.line.down()
    report = first_half(phone)
    phone.kill(profile)
    phone.open()
    phone.unlock()
    phone.heading("Hôm nay").wait_for()
    assert phone.page.locator(".item", has_text="còn").count() == 1
    phone.go(f"#/fill/{report}/screening")
    assert phone.step("checked_mass").locator("input").first.input_value() == "23,4"
    assert phone.step("xray_hand").locator(".shot").count() == 1
    second_half(phone)
    phone.send()
    phone.page.get_by_text("Chờ gửi").first.wait_for()
    phone.told("chờ gửi")
    assert stage.backstage("reports", officer=phone.officer) == []
    return report


def arrived_over_a_bad_line(stage: Stage, phone: Handset) -> None:
    """The connection is cut twice, in the middle of photos; the sync centre never says more than is true."""
    for cuts in (1, 2):
        phone.line.cut_after = 400_000
        phone.line.up()
        phone.ask_for_sync()
        assert until(partial(phone.line.was_cut, cuts), seconds=20)
        phone.told("chờ gửi")
    phone.line.up()
    phone.sync_all()
    [sent] = stage.backstage("reports", officer=phone.officer)
    answers = dict(sent["answers"])
    assert answers.pop("officer_sign")["value"]["name"].startswith("Trần Văn Hải")
    assert answers == EXPECTED
    assert (sent["outcome"], sent["remarks"]) == ("referred", "Va li nặng bất thường, đã niêm phong.")
    assert sent["declared"] == 3
    photos = sent["photos"]
    assert [len(taken) for taken in photos.values()] == [1, 1, 1]
    assert {one["state"] for taken in photos.values() for one in taken} == {"stored"}
    assert photos["xray_hand"][0]["sha256"] == sha256(PICTURES[0])
    assert (photos["bag_structure"][0]["sha256"], photos["bag_structure"][0]["mode"]) == (
        sha256(PICTURES[2]),
        "import",
    )


def returned_and_corrected_offline(stage: Stage, phone: Handset, report: str) -> None:
    """The reviewer's note stands at the question; a new photo is added without a network and sent again."""
    stage.give_back(report, "xray_hand", "Ảnh soi mờ, đề nghị chụp lại.")
    phone.sync()
    phone.go("#/today")
    phone.page.locator(".item.lamp").click()
    phone.page.get_by_role("link", name="Sửa theo ghi chú").click()
    phone.line.down()
    phone.go(f"#/fill/{report}/screening/xray_hand")
    assert "Ảnh soi mờ, đề nghị chụp lại." in phone.step("xray_hand").inner_text()
    phone.photograph("xray_hand", PICTURES[3:4])
    phone.go(f"#/fill/{report}/result")
    phone.page.get_by_role("button", name="Gửi lại báo cáo").click()
    phone.page.get_by_text("Chờ gửi").first.wait_for()
    phone.line.up()
    phone.sync_all()
