"""A find by keyboard alone: flash, full report, package and seal, all offline; the focus is seen after every key."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload
from playwright.sync_api import TimeoutError as Unanswered

from tests.evidence_images import noisy_jpeg
from tests.field.conftest import Stage
from tests.field.handset import Handset
from tests.field.keys import Keys

pytestmark = [pytest.mark.live, pytest.mark.browser]

PICTURE: FilePayload = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": noisy_jpeg(60_000, seed=9)}


def test_a_find_by_keyboard(stage: Stage, phone: Handset) -> None:
    phone.line.down()
    keys = Keys(phone.page, looking=True)
    report = flashed(phone, keys)
    completed(phone, keys)
    sealed(phone, keys, report)
    phone.line.up()
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    assert (held["id"], held["stage"], held["fields"]["persons_count"]) == (report, "submitted", 1)
    assert (held["lines"]["1"]["substance"], held["lines"]["1"]["net_mass_g"]) == (
        "methamphetamine",
        "1198.2",
    )
    assert held["fields"]["record_doc_on"] == "2026-11-11"
    assert [one["state"] for one in held["photos"]] == ["stored"]
    [exhibit] = held["exhibits"]
    assert (exhibit["state"], exhibit["seals"]) == ("sealed", [f"HQ-{report[-6:]}"])


def photographed(keys: Keys) -> None:
    """Press the button of the camera; a busy browser may miss a key, and a person would press again."""
    keys.to("Chụp", kind="input[type=file]")
    for tries_left in (2, 1, 0):
        try:
            with keys.page.expect_file_chooser(timeout=10_000) as asked:
                keys.press("Space")
        except Unanswered:
            assert tries_left, "the camera never opens"
            assert keys.is_at("Chụp", "input[type=file]"), "the focus is still there to press again"
        else:
            asked.value.set_files([PICTURE])
            return


def flashed(phone: Handset, keys: Keys) -> str:
    """Send a flash; a first try shows what is missing, and the focus stands there."""
    page = phone.page
    keys.to("Báo nhanh", kind="a")
    keys.press("Enter")
    page.wait_for_url("**/#/flash/0*")
    phone.heading("Báo nhanh").wait_for()
    assert keys.is_at("Báo nhanh", "h1")
    keys.to("Gửi báo nhanh")
    keys.press("Enter")
    assert keys.is_at("Nghi là chất gì", "input")
    keys.type("hang da")
    keys.press("Enter")
    assert keys.is_at("Chọn chất khác", "button")
    keys.to("Ước lượng", kind="input")
    keys.type("1,2")
    keys.to("Đơn vị tính", kind="select")
    keys.type("kg")
    photographed(keys)
    page.locator(".shot").wait_for()
    assert keys.is_at("Chụp", "input[type=file]"), "the button is still there for the next photo"
    keys.to("Số đối tượng", kind="input")
    keys.type("1")
    keys.to("Địa điểm cụ thể")
    keys.type("Nhà ga T2, băng chuyền 4")
    chosen(keys, "Phương thức vận chuyển", "air_passenger")
    keys.to("Gửi báo nhanh")
    keys.press("Enter")
    page.wait_for_url("**/#/seizure/**")
    page.get_by_text("Báo nhanh: chờ gửi").wait_for()
    assert keys.is_at(kind="h1"), "the new screen is read out from its heading"
    return page.url.split("/seizure/")[1].split("/")[0]


def completed(phone: Handset, keys: Keys) -> None:
    """Fill in the full report, page by page, and send it."""
    keys.to("Bổ sung báo cáo")
    keys.press("Enter")
    keys.to("Tóm tắt vụ việc")
    keys.type("Ma túy đá giấu trong hai đáy va li.")
    chosen(keys, "Hướng (bắt buộc)", "inward_passenger")
    onward(phone, keys)
    chosen(keys, "Dạng (bắt buộc)", "crystal")
    written(keys, "Khối lượng cả bì", "1215,5")
    written(keys, "Khối lượng tịnh", "1198,2")
    ticked(keys, "Cân tịnh")
    ticked(keys, "Thử nhanh")
    written(keys, "Số hiệu cân", "CAN-01")
    written(keys, "Người cân", "FLD-0001", "FLD-0002")
    keys.press("Shift+Tab")  # to the chip of the second, which is taken away and written again
    assert keys.is_at("FLD-0002", "button")
    keys.press("Enter")
    assert keys.is_at("Người cân", "input")
    keys.type("FLD-0002")
    keys.press("Enter")
    written(keys, "Số niêm phong", f"HQ-{phone.page.url.split('/seizure/')[1].split('/')[0][-6:]}", back=True)
    written(keys, "Lý do chưa có ảnh mặt cân", "Màn hình cân không lên hình")
    found(phone, keys)
    people_and_record(phone, keys)
    onward(phone, keys)
    keys.to("Gửi báo cáo đủ")
    keys.press("Enter")
    phone.page.locator("dialog").wait_for()
    keys.to("Gửi báo cáo đủ")
    keys.press("Enter")
    phone.page.get_by_text("Báo cáo đủ: chờ gửi").wait_for()


def found(phone: Handset, keys: Keys) -> None:
    """How it was found, and where it came from."""
    onward(phone, keys)
    chosen(keys, "Dấu hiệu đầu tiên", "xray_baggage")
    for box in ("Máy soi hành lý", "Hành lý ký gửi.*", "Hai đáy.*"):
        ticked(keys, box)
    onward(phone, keys)
    chosen(keys, "Nước xuất phát", "TH")
    chosen(keys, "Nước đến", "VN")


def people_and_record(phone: Handset, keys: Keys) -> None:
    """Who and what carried it, and the record of it; what takes the place of a button that goes has the focus."""
    onward(phone, keys)
    keys.to("Thêm đối tượng")
    keys.press("Enter")
    assert keys.is_at(kind="[role=group]"), "the new card has the focus, its first field is next"
    written(keys, "Họ tên", "Nguyễn Văn Mẫu")
    keys.to("Thêm phương tiện")
    keys.press("Enter")
    keys.press("Tab")
    keys.type("VN611")
    onward(phone, keys)
    written(keys, "Số biên bản", "12/BB-HC1")
    keys.to("Ngày biên bản")
    keys.type("11112026")
    keys.to("Đơn vị tôi chủ trì")
    keys.press("Enter")
    assert keys.is_at(kind="summary"), "the button has gone; what stands behind it has the focus"
    ticked(keys, "Có")
    written(keys, "Người chứng kiến", "Lê Thị Chứng")
    ticked(keys, "Hành khách và hành lý.*")


def sealed(phone: Handset, keys: Keys, report: str) -> None:
    """Write a package down and seal it; what a form still lacks has the focus."""
    page = phone.page
    keys.to("Thêm tang vật")
    keys.press("Enter")
    keys.to("Ghi tang vật", kind="button")
    keys.press("Enter")
    assert keys.is_at("Mô tả gói")
    keys.type("1 túi ni lông đen")
    keys.to("Ghi tang vật", kind="button")
    keys.press("Enter")
    page.wait_for_url("**/#/exhibit/**")
    keys.to("Niêm phong", kind="a")
    keys.press("Enter")
    page.wait_for_url("**/seal")
    taken = f"Bỏ HQ-{report[-6:]}"  # the report names the seal already; without one the step is refused
    keys.to(taken)
    keys.press("Enter")
    assert keys.is_at("Niêm phong vừa gắn", "input")
    keys.to("Niêm phong", kind=".bar button")
    keys.press("Enter")
    assert keys.is_at("Niêm phong vừa gắn", "input")
    keys.type(f"HQ-{report[-6:]}")
    keys.press("Enter")
    keys.to("Niêm phong", kind=".bar button")
    keys.press("Enter")
    page.get_by_text("2 bước chờ gửi").wait_for()
    assert keys.is_at(kind="h1")


def onward(phone: Handset, keys: Keys) -> None:
    """Go to the next page of the form, whose heading takes the focus."""
    before = phone.page.url
    link = ".bar a.button:not(.quiet)"
    keys.to(phone.page.locator(link).inner_text(), kind=link)
    keys.press("Enter")
    phone.page.wait_for_url(lambda now: now != before)
    phone.until("document.activeElement.id === 'page-title'")


def written(keys: Keys, label: str, *texts: str, back: bool = False) -> None:
    """Type into a field, each text with Enter behind it where there are several."""
    keys.to(label, kind="input, textarea", back=back)
    for text in texts:
        keys.type(text)
        keys.press("Enter")


def chosen(keys: Keys, label: str, value: str) -> None:
    """Go down a list to one of its lines."""
    keys.to(label, kind="select")
    for _ in range(300):
        if keys.page.evaluate("document.activeElement.value") == value:
            return
        keys.press("ArrowDown")
    raise AssertionError(f"{value} is not in {label}")


def ticked(keys: Keys, label: str) -> None:
    """Choose one of several in sight: Tab reaches boxes and groups of radio buttons, arrows what is in such a group."""
    for _ in range(90):
        if re.fullmatch(label, keys.here("[type=radio], [type=checkbox]")):
            keys.press("Space")
            return
        is_here = any(re.fullmatch(label, one) for one in keys.group())
        keys.press("ArrowDown" if is_here else "Tab")
    raise AssertionError(f"no way to {label!r}; stopped at {keys.here()!r}")
