"""Finds that are no drugs, and what a find led to, by the phone: reported, and counted as they should be."""

from __future__ import annotations

import pytest

from tests.field.conftest import Stage
from tests.field.handset import Handset
from tests.field.test_journey_seizure import flash

pytestmark = [pytest.mark.live, pytest.mark.browser]


def sent(phone: Handset) -> str:
    """Fill in what every flash asks for beside what was found, and send it; gives the report's id."""
    page = phone.page
    report = page.url.split("/flash/")[1]
    page.get_by_label("Lý do chưa có ảnh").fill("Hiện trường tối")
    page.get_by_role("button", name="Thêm", exact=True).click()
    page.get_by_label("Địa điểm cụ thể").fill("Nhà ga T2, băng chuyền 4")
    page.get_by_label("Phương thức vận chuyển").select_option("air_passenger")
    page.get_by_role("button", name="Gửi báo nhanh").click()
    page.wait_for_url("**/#/seizure/**")
    return report


def test_a_weapon_is_reported_and_the_phone_says_to_whom_it_goes(stage: Stage, phone: Handset) -> None:
    page = phone.page
    phone.go("#/today")
    page.get_by_role("link", name="Báo nhanh").click()
    page.wait_for_url("**/#/flash/0*")
    page.get_by_role("button", name="Không phải ma túy").click()
    page.get_by_role("button", name="Gửi báo nhanh").click()
    page.get_by_text("Cần điền mục này.").first.wait_for()
    page.get_by_label("Phát hiện vật gì").fill("Súng ngắn tự chế")
    page.get_by_label("Loại phát hiện").select_option("weapons")
    page.get_by_text("Bàn giao cho: Công an").wait_for()
    page.get_by_label("Ước lượng", exact=True).fill("2")
    sent(phone)
    page.get_by_role("heading", level=1, name="Súng ngắn tự chế 2 cái, tờ").wait_for()
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    assert (held["stage"], held["fields"]["finding_category"]) == ("flash", "weapons")
    assert held["lines"] == {"1": {"article": "Súng ngắn tự chế", "count": 2, "count_unit": "piece"}}
    assert "Súng ngắn tự chế" in stage.leader().get(f"/console/seizures/{held['id']}/")


def test_what_a_find_led_to_belongs_to_its_incident(stage: Stage, phone: Handset) -> None:
    page = phone.page
    first = flash(phone)
    phone.sync_all()
    phone.go(f"#/seizure/{first}")
    page.get_by_role("link", name="Báo bắt giữ mở rộng").click()
    page.wait_for_url("**/#/flash/0*")
    page.get_by_text("cùng một vụ với báo cáo trước").wait_for()
    page.get_by_role("button", name="Ketamine").click()
    page.get_by_label("Ước lượng", exact=True).fill("300")
    second = sent(phone)
    phone.sync_all()
    told = {
        one["id"]: one["fields"].get("kind") for one in stage.backstage("seizures", officer=phone.officer)
    }
    assert told == {first: None, second: "expansion"}
    ids = [report.replace("-", "") for report in (first, second)]
    incidents = stage.rows("SELECT incident_id FROM seizures_seizurereport WHERE id IN (?, ?)", *ids)
    assert (len(incidents), len(set(incidents))) == (2, 1)
