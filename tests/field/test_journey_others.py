"""What else befalls a phone: a second phone, a move, a loss, a new form, a restore, a wrong clock."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as Unanswered

from tests.evidence_images import noisy_jpeg
from tests.field.conftest import Stage
from tests.field.handset import Handset

pytestmark = [pytest.mark.live, pytest.mark.browser]

Make = Callable[..., Handset]


def quick_report(phone: Handset, *, note: str = "Bình thường") -> str:
    """Fill the quick checklist and send it."""
    report = quick_draft(phone)
    phone.type("step_3", note)
    phone.next()
    phone.page.get_by_label("Không phát hiện").check()
    phone.stored()
    phone.send()
    return report


def quick_draft(phone: Handset) -> str:
    """Fill the quick checklist but for its last step."""
    report = phone.begin("Kiểm tra nhanh")
    phone.reason()
    phone.next()
    phone.choose("step_0", "Có")
    phone.choose("step_1", "Đạt")
    phone.type("step_2", "3")
    phone.stored()
    return report


def test_two_phones_of_one_officer_merge_and_conflict(stage: Stage, phone: Handset, handset: Make) -> None:
    report = quick_draft(phone)
    phone.sync_all()
    other = handset()
    other.enrol(stage.backstage("code", officer=phone.officer))
    other.line.down()
    for one, text in ((phone, "Bản máy một"), (other, "Bản máy hai")):
        one.go(f"#/fill/{report}/all")
        one.type("step_3", text)
        one.stored()
    other.choose("step_1", "Không đạt")
    other.stored()
    phone.sync_all()
    other.line.up()
    other.sync()
    other.page.get_by_role("link", name="Hai bản khác nhau").click()
    other.page.locator(".version").first.wait_for()
    assert other.page.locator(".version p").all_inner_texts() == ["Bản máy hai", "Bản máy một"]
    other.page.get_by_role("button", name="Gửi bản của tôi").click()
    other.sync_all()
    [held] = stage.backstage("reports", officer=phone.officer)
    assert held["answers"]["step_3"] == {"value": "Bản máy hai"}
    assert held["answers"]["step_1"] == {"value": "b"}
    phone.sync_all()
    phone.go(f"#/fill/{report}/all")
    assert phone.step("step_3").locator("textarea").input_value() == "Bản máy hai"


def test_a_moved_officer_sees_the_new_gate_and_nothing_of_the_old(stage: Stage, phone: Handset) -> None:
    quick_report(phone)
    phone.sync_all()
    gate = stage.backstage("move", officer=phone.officer)
    phone.sync()
    phone.go("#/me")
    phone.page.get_by_text(gate).wait_for()
    assert "Nội Bài" not in phone.page.locator("main").inner_text()
    phone.go("#/today")
    phone.page.get_by_text("Chưa có báo cáo nào trên máy.").wait_for()


def test_a_lost_phone_is_wiped_at_its_next_contact(stage: Stage, phone: Handset) -> None:
    quick_report(phone)
    phone.sync_all()
    stage.backstage("lose", officer=phone.officer)
    with suppress(Unanswered):  # the phone may have heard by itself, and the button is gone
        phone.page.get_by_role("button", name="Đồng bộ ngay").click(timeout=5_000)
    phone.page.get_by_text("Máy này đã bị thu hồi").wait_for()
    phone.open()
    phone.heading("Kích hoạt máy này").wait_for()
    assert "field_" not in phone.page.content()


def test_a_new_form_does_not_strand_a_draft(stage: Stage, phone: Handset) -> None:
    report = phone.begin("Mọi loại bước")
    phone.reason()
    phone.next()
    phone.choose("a_bool", "Không")
    phone.stored()
    before = stage.told["versions"]["every_kind"]
    after = stage.backstage("publish_next", version=before, semver="1.1.0")
    phone.sync_all()
    phone.go(f"#/fill/{report}/all")
    phone.page.locator(".notice", has_text="phiên bản").first.wait_for()
    assert phone.step("added").count() == 0
    assert phone.step("a_bool").get_by_label("Không", exact=True).is_checked()
    phone.choose("a_choice", "Nghi vấn")
    phone.stored()
    phone.sync_all()
    [held] = stage.backstage("reports", officer=phone.officer)
    assert held["checklist_version"] == before
    assert held["answers"]["a_choice"] == {"value": "b"}
    fresh = phone.begin("Mọi loại bước")
    phone.next()
    assert fresh != report
    assert phone.step("added").count() == 1
    assert after != before


def test_a_restored_server_gets_back_what_it_lost(stage: Stage, phone: Handset, tmp_path: Path) -> None:
    """A report, a draft and the bytes of its photo, all younger than the backup."""
    picture = noisy_jpeg(200_000)
    stage.backup(tmp_path / "backup")
    sent = quick_report(phone, note="Sau bản sao lưu")
    draft = phone.begin("Mọi loại bước")
    phone.next()
    phone.photograph("a_photo", [picture])
    phone.stored()
    phone.sync_all()
    assert len(stage.backstage("reports", officer=phone.officer)) == 2
    stage.restore(tmp_path / "backup")
    phone.sync_all()
    held = {report["id"]: report for report in stage.backstage("reports", officer=phone.officer)}
    assert held[sent]["answers"]["step_3"] == {"value": "Sau bản sao lưu"}
    stage.settled(sent)
    [photo] = held[draft]["photos"]["a_photo"]
    assert (photo["sha256"], photo["state"]) == (hashlib.sha256(picture).hexdigest(), "stored")


def test_a_clock_two_years_wrong_is_told_and_nothing_else_depends_on_it(stage: Stage, phone: Handset) -> None:
    wrong = dt.datetime.now(dt.UTC) + dt.timedelta(days=730)
    phone.page.clock.set_system_time(wrong)
    report = quick_report(phone)
    phone.sync_all()
    phone.page.get_by_text("Đồng bộ vừa xong").wait_for()
    [held] = stage.backstage("reports", officer=phone.officer)
    assert "clock-doubtful" in held["flags"]
    phone.go(f"#/report/{report}")
    phone.page.get_by_text("Đồng hồ của máy sai nhiều").wait_for()
