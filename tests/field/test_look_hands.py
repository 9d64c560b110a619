"""By keyboard alone, by the back button, and at the speed of a thumb."""

from __future__ import annotations

import pytest

from tests.field.conftest import Stage
from tests.field.handset import PIN, Handset
from tests.field.keys import Keys

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_a_whole_report_by_keyboard(stage: Stage, handset: object) -> None:
    assert callable(handset)
    phone: Handset = handset()
    officer = stage.officer()
    phone.open(f"enrol#c={stage.backstage('code', officer=officer)}")
    keys = Keys(phone.page)
    phone.heading("Kích hoạt máy này").wait_for()
    keys.to("Tiếp: đặt mã PIN")
    keys.press("Enter")
    for label in ("Mã PIN", "Nhập lại PIN"):
        keys.to(label)
        phone.page.keyboard.type(PIN)
    keys.press("Enter")
    phone.page.get_by_role("button", name="Bắt đầu làm việc").wait_for()
    keys.to("Bắt đầu làm việc")
    keys.press("Enter")
    phone.heading("Hôm nay").wait_for()
    keys.to("Kiểm tra mới")
    keys.press("Enter")
    phone.heading("Kiểm tra mới").wait_for()
    keys.to("Kiểm tra nhanh")
    keys.press("Enter")
    phone.page.locator(".fill").wait_for()
    keys.to("Thuộc diện khai báo")
    keys.press("ArrowDown")
    keys.to("Tiếp")
    keys.press("Enter")
    phone.step("step_0").wait_for()
    keys.to("Có")
    keys.press("Space")
    keys.to("Đạt")
    keys.press("Space")
    keys.to("Bước 2", kind="input")
    phone.page.keyboard.type("3")
    keys.to("Bước 3")
    phone.page.keyboard.type("Không có gì bất thường")
    keys.to("Kết quả và gửi")
    keys.press("Enter")
    phone.page.get_by_role("heading", level=2, name="Kết quả và gửi").wait_for()
    keys.to("Không phát hiện")
    keys.press("Space")
    keys.to("Gửi báo cáo")
    keys.press("Enter")
    phone.page.wait_for_url("**/#/report/**")
    phone.sync_all()
    [sent] = stage.backstage("reports", officer=officer)
    assert sent["answers"]["step_3"] == {"value": "Không có gì bất thường"}


def test_back_goes_back_and_focus_follows(phone: Handset) -> None:
    page = phone.page
    focused = "document.activeElement.textContent.trim()"
    page.get_by_role("link", name="Kiểm tra", exact=True).click()
    phone.heading("Kiểm tra mới").wait_for()
    assert page.evaluate(focused) == "Kiểm tra mới"
    report = phone.begin("Kiểm tra nhanh")
    phone.next()
    phone.step("step_0").wait_for()
    assert page.evaluate(focused) == "Kiểm tra"
    page.get_by_role("button", name="Các mục").click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").count() == 0
    assert page.evaluate("document.activeElement.ariaLabel") == "Các mục"
    page.go_back()
    page.wait_for_url(f"**/#/fill/{report}/general")
    page.go_back()
    phone.heading("Kiểm tra mới").wait_for()


def test_the_first_missing_item_is_one_tap_away(phone: Handset) -> None:
    report = phone.begin("Mọi loại bước")
    phone.reason()
    phone.go(f"#/fill/{report}/result")
    phone.page.get_by_label("Không phát hiện").check()
    phone.page.get_by_role("button", name="Đến chỗ thiếu đầu tiên").click()
    phone.step("a_bool").wait_for()
    assert phone.page.evaluate("document.activeElement.id") == "step-a_bool"
    assert "Chưa trả lời." in phone.step("a_bool").inner_text()
    phone.page.get_by_role("button", name="Các mục").click()
    phone.page.get_by_text("Chỉ mục còn thiếu").click()
    assert phone.page.locator(".jump a.open").count() == 8  # the ninth is hidden until the first is answered


def test_what_is_not_in_order_is_never_sent_half_done(stage: Stage, phone: Handset) -> None:
    report = phone.begin("Mọi loại bước")
    phone.reason()
    phone.next()
    phone.type("a_number", "5")
    phone.stored()
    phone.type("a_number", "99")
    assert "Lớn hơn mức tối đa." in phone.step("a_number").inner_text()
    phone.step("a_measure").get_by_text("Không trả lời được").click()
    phone.step("a_measure").get_by_role("button", name="Không áp dụng").click()
    assert "Bắt buộc ghi lý do" in phone.step("a_measure").inner_text()
    phone.stored()
    phone.sync_all()
    [held] = stage.backstage("reports", officer=phone.officer)
    assert "a_number" not in held["answers"]
    assert "a_measure" not in held["answers"]
    phone.go(f"#/fill/{report}/all")
    phone.step("a_measure").get_by_label("Không thuộc phạm vi kiểm tra").check()
    phone.type("a_number", "50")
    phone.stored()
    phone.sync_all()
    [held] = stage.backstage("reports", officer=phone.officer)
    assert held["answers"]["a_measure"] == {"na": True, "reason": "Không thuộc phạm vi kiểm tra"}
    assert held["answers"]["a_number"] == {"value": "50"}


@pytest.mark.alone
def test_typing_never_waits(phone: Handset) -> None:
    """Each key is answered within a frame or two, with the store at work beneath."""
    phone.begin("Mọi loại bước")
    phone.next()
    phone.choose("a_bool", "Có")
    field = phone.step("a_text").locator("textarea, input").first
    field.focus()
    slowest = phone.page.evaluate(
        """async (field) => {
          let slowest = 0;
          for (let i = 0; i < 60; i += 1) {
            const start = performance.now();
            field.value += 'á';
            field.dispatchEvent(new InputEvent('input', { bubbles: true }));
            await new Promise((shown) => requestAnimationFrame(() => setTimeout(shown)));
            slowest = Math.max(slowest, performance.now() - start);
          }
          return slowest;
        }""",
        field.element_handle(),
    )
    phone.stored()
    assert slowest < 400  # 2 frames on a machine of its own; the tests share theirs
