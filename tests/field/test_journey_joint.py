"""A joint seizure: who took part is entered on the phone, agreed to and verified at desks where only keys are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

from tests.field.conftest import Stage
from tests.field.handset import Handset
from tests.field.keys import Keys
from tests.field.test_journey_seizure import complete, flash
from tests.phone import until

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_a_second_unit_takes_part(stage: Stage, phone: Handset, browser: Browser) -> None:
    report = flash(phone)
    phone.line.down()
    complete(phone, report)
    for_the_desk(phone, report)
    took_part(phone, report)
    phone.go(f"#/seizure/{report}/send")
    phone.page.get_by_role("button", name="Gửi báo cáo đủ").click()
    phone.page.locator("dialog").get_by_role("button", name="Gửi báo cáo đủ").click()
    phone.page.get_by_text("Báo cáo đủ: chờ gửi").wait_for()
    phone.line.up()
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    assert held["fields"]["participations"] == [
        {"unit": "NBA", "agency": "", "role": "lead"},
        {"unit": "CPN", "agency": "", "role": "co_lead"},
        {"unit": "", "agency": "PC04 Hà Nội", "role": "support"},
    ]
    assert until(
        lambda: rests(stage, phone)
    )  # what the worker still writes down would make the page at the desk old
    with at_desk(stage, browser, "leader", held["number"]) as keys:
        decided(keys, "Trả lại")
        assert keys.is_at(kind="#refusal"), "a refusal has the focus, so that it is read out"
        keys.to("Đính chính, bổ sung", kind="summary")
        keys.press("Enter")
        decided(keys, "Lưu đính chính")
        assert keys.is_at(kind="[aria-invalid=true]"), "the first wrong field has the focus"
        keys.page.goto(stage.stack.url + "/console/seizures/" + report + "/")
        decided(keys, "Đơn vị xác nhận")
        assert "đơn vị đã xác nhận" in keys.page.locator("main").inner_text()
    with at_desk(stage, browser, "region_leader", held["number"]) as keys:
        joint = keys.page.locator("[aria-labelledby=joint] li")
        assert joint.count() == 3
        assert "Đồng chủ trì" in joint.nth(1).inner_text()
        assert "chưa xác nhận" in joint.nth(1).inner_text()
        assert "Phối hợp" in joint.nth(2).inner_text()
        decided(keys, "Khu vực, Cục xác nhận")
        assert keys.is_at(kind="#refusal"), "a unit that did not agree yet"
        decided(keys, "Xác nhận vai trò của đơn vị tôi")
        assert "đã xác nhận" in joint.nth(1).inner_text()
        decided(keys, "Khu vực, Cục xác nhận")
    [held] = stage.backstage("seizures", officer=phone.officer)
    assert held["stage"] == "region_verified"


def rests(stage: Stage, phone: Handset) -> bool:
    """Tell whether every photo is stored and judged."""
    [held] = stage.backstage("seizures", officer=phone.officer)
    return all((photo["state"], photo["signed"]) == ("stored", "signed") for photo in held["photos"])


def for_the_desk(phone: Handset, report: str) -> None:
    """Fill in what the unit's leader needs to verify it, and an amount of its own."""
    page = phone.page
    phone.go(f"#/seizure/{report}/lines")
    # As heavy as no other find of the stage, which would be a possible duplicate.
    page.get_by_label("Khối lượng cả bì").fill("4215,5")
    page.get_by_label("Khối lượng tịnh").fill("4198,2")
    page.get_by_label("Lý do chưa có ảnh mặt cân").fill("Màn hình cân không lên hình")
    phone.go(f"#/seizure/{report}/finding")
    page.locator("#at-watch_linked").get_by_label("Không", exact=True).check()
    phone.go(f"#/seizure/{report}/record")
    page.locator("#at-handover_plan").fill("Bàn giao PC04")


def took_part(phone: Handset, report: str) -> None:
    """Name a unit that led too, by its code, and the police that helped; the phone knows what the unit is called."""
    page = phone.page
    group = page.locator("#at-participations")
    phone.go(f"#/seizure/{report}/record")
    group.locator("summary").click()
    group.get_by_label("Đơn vị (mã)").check()
    group.get_by_label("Mã đơn vị").fill("cpn")
    group.get_by_text("Chuyển phát nhanh · Hải quan").wait_for()
    group.get_by_label("Đồng chủ trì").check()
    group.get_by_role("button", name="Thêm", exact=True).click()
    group.get_by_label("Cơ quan khác").check()
    group.get_by_label("Tên cơ quan").fill("PC04 Hà Nội")
    group.get_by_label("Phối hợp").check()
    group.get_by_role("button", name="Thêm", exact=True).click()
    group.locator("li", has_text="PC04 Hà Nội").wait_for()


@contextmanager
def at_desk(stage: Stage, browser: Browser, name: str, number: str) -> Iterator[Keys]:
    """Sign in to the console and open a seizure by its number, by keys alone."""
    with browser.new_context(locale="vi-VN", viewport={"width": 1366, "height": 850}) as context:
        page = context.new_page()
        page.goto(f"{stage.stack.url}/console/")
        keys = Keys(page)
        for field, text in (("id_login", name), ("id_password", stage.told["password"])):
            while page.evaluate("document.activeElement.id") != field:
                keys.press("Tab")
            keys.type(text)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        keys = Keys(page, looking=True)
        for link in ("Vụ bắt giữ", number):
            keys.to(link, kind="a")
            with page.expect_navigation():
                page.keyboard.press("Enter")
        page.get_by_role("heading", level=1, name=number).wait_for()
        yield keys


def decided(keys: Keys, button: str) -> None:
    """Reach a button of the decision and press it; the page comes again."""
    keys.to(button, kind="button")
    with keys.page.expect_navigation():
        keys.page.keyboard.press("Enter")
