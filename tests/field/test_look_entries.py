"""What else a report carries: subjects, goods, people, a drawn signature; and what is half said, over a crash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from tests.field.conftest import Stage
from tests.field.handset import Handset

pytestmark = [pytest.mark.live, pytest.mark.browser]


def part(phone: Handset, title: str) -> Locator:
    """Open a part of the general page."""
    found = phone.page.locator("details.part", has=phone.page.get_by_text(title, exact=True))
    found.locator("summary").click()
    return found


def test_who_and_what_was_checked_reaches_the_server_as_entered(stage: Stage, phone: Handset) -> None:
    report = phone.begin("Kiểm tra nhanh")
    phone.reason()
    subjects = part(phone, "Đối tượng")
    for number, (role, name) in enumerate(
        (("hành khách", "Nguyễn Văn Hư Cấu"), ("chủ hàng", "Công ty Hư Cấu"))
    ):
        subjects.get_by_role("button", name="Thêm đối tượng").click()
        subjects.get_by_label("Vai trò").nth(number).fill(role)
        subjects.get_by_label("Họ tên").nth(number).fill(name)
    subjects.get_by_role("button", name="Thêm đối tượng").click()  # says nothing: not kept
    transport = part(phone, "Phương tiện, chuyến")
    assert transport.get_by_label("Biển kiểm soát").count() == 0  # an express parcel comes by air
    transport.get_by_label("Chuyến bay").fill("VN 417")
    goods = part(phone, "Hàng hóa")
    goods.get_by_label("Tên hàng").fill("Bánh kẹo")
    goods.get_by_label("Trọng lượng").fill("12 kg")
    goods.get_by_label("Trọng lượng").fill("")
    witnesses = part(phone, "Người chứng kiến")
    witnesses.get_by_role("button", name="Thêm người chứng kiến").click()
    witnesses.get_by_label("Họ tên").fill("Lê Thị Mai")
    phone.stored()
    phone.go(f"#/fill/{report}/result")
    devices = part(phone, "Thiết bị không sẵn sàng")
    devices.get_by_role("button", name="Thêm thiết bị").click()
    devices.get_by_label("Họ tên, tên gọi").fill("máy soi hành lý")
    devices.get_by_label("Vì sao không dùng được").fill("hỏng")
    phone.stored()
    phone.sync_all()
    [held] = stage.backstage("reports", officer=phone.officer)
    assert held["header"] == {
        "subjects": [
            {"kind": "hành khách", "name": "Nguyễn Văn Hư Cấu"},
            {"kind": "chủ hàng", "name": "Công ty Hư Cấu"},
        ],
        "transport": {"flight": "VN 417"},
        "goods": {"description": "Bánh kẹo"},
        "participants": [],
        "witnesses": [{"name": "Lê Thị Mai"}],
        "equipment_unavailable": [{"name": "máy soi hành lý", "reason": "hỏng"}],
    }
    phone.go(f"#/fill/{report}/general")
    subjects = part(phone, "Đối tượng")
    subjects.get_by_role("button", name="Bỏ mục 1").click()
    phone.stored()
    phone.sync_all()
    [held] = stage.backstage("reports", officer=phone.officer)
    assert held["header"]["subjects"] == [{"kind": "chủ hàng", "name": "Công ty Hư Cấu"}]
    phone.go(f"#/report/{report}")
    assert "Công ty Hư Cấu, Vai trò: chủ hàng" in phone.page.locator(".facts").inner_text()


def test_a_signature_is_drawn_and_kept_as_a_picture_of_its_step(stage: Stage, phone: Handset) -> None:
    report = phone.begin("Mọi loại bước")
    phone.go(f"#/fill/{report}/all/a_sign")
    step = phone.step("a_sign")
    step.get_by_role("button", name="Tôi ký").click()
    for _ in range(2):  # the second takes the place of the first
        step.get_by_role("button", name="Ký").last.click()
        draw(phone)
        phone.page.get_by_role("button", name="Xong").click()
        step.locator(".signatures .shot img").wait_for()
        phone.stored()
    phone.sync_all()
    [held] = stage.backstage("reports", officer=phone.officer)
    [picture] = held["photos"]["a_sign"]
    assert (picture["state"], picture["mime"]) == ("stored", "image/png")
    value = held["answers"]["a_sign"]["value"]
    assert value["name"].startswith("Trần Văn Hải")
    assert value["attachment"] == picture["id"]


def draw(phone: Handset) -> None:
    """Draw with the mouse."""
    box = phone.page.locator("canvas.pad").bounding_box()
    assert box is not None
    mouse = phone.page.mouse
    mouse.move(box["x"] + 20, box["y"] + 60)
    mouse.down()
    for x, y in ((60, 20), (100, 80), (160, 30), (220, 70)):
        mouse.move(box["x"] + x, box["y"] + y, steps=4)
    mouse.up()


def test_what_is_half_said_survives_a_tab_that_dies(
    stage: Stage, handset: Callable[..., Handset], tmp_path: Path
) -> None:
    phone = handset(on_disk=True)
    phone.enrol(stage.backstage("code", officer=stage.officer()))
    report = phone.begin("Mọi loại bước")
    phone.next()
    phone.choose("a_bool", "Có")
    phone.type("a_number", "99")
    phone.stored()
    phone.kill(tmp_path / "profile-0")
    phone.open()
    phone.unlock()
    phone.page.locator(".notice", has_text="Lần trước ứng dụng đóng").get_by_role("link").click()
    phone.page.get_by_text("Ứng dụng đã đóng giữa chừng.").wait_for()
    phone.go(f"#/fill/{report}/all")
    field = phone.step("a_number").locator("input").first
    field.wait_for()
    assert field.input_value() == "99"
    assert "Lớn hơn mức tối đa." in phone.step("a_number").inner_text()
    assert phone.step("a_bool").get_by_label("Có", exact=True).is_checked()
    phone.go("#/today")
    phone.heading("Hôm nay").wait_for()
    assert phone.page.get_by_text("Lần trước ứng dụng đóng").count() == 0
