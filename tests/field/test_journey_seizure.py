"""A find through the screens of the phone: a flash without a network, seen at headquarters, completed, handed over."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.evidence_images import noisy_jpeg
from tests.field.conftest import Stage
from tests.field.handset import Handset

pytestmark = [pytest.mark.live, pytest.mark.browser]

PICTURE = noisy_jpeg(120_000, seed=7)
OF_THE_SCALE = noisy_jpeg(90_000, seed=8)


def flash(phone: Handset, *, seek: str = "hang da", street: str = "hàng đá") -> str:
    """Send a flash with one tap from Today; gives the report's id."""
    page = phone.page
    phone.go("#/today")
    page.get_by_role("link", name="Báo nhanh").click()
    page.wait_for_url("**/#/flash/0*")
    report = page.url.split("/flash/")[1]
    page.get_by_label("Nghi là chất gì").fill(seek)
    page.get_by_role("button", name=f"Methamphetamine ({street})").click()
    page.get_by_label("Ước lượng", exact=True).fill("1,2")
    page.get_by_label("Đơn vị tính").select_option("kg")
    page.locator("input[type=file][capture]").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": PICTURE}
    )
    page.locator(".shot").wait_for()
    page.get_by_role("button", name="Thêm", exact=True).click()
    page.get_by_label("Địa điểm cụ thể").fill("Nhà ga T2, băng chuyền 4")
    page.get_by_label("Phương thức vận chuyển").select_option("air_passenger")
    page.get_by_role("button", name="Gửi báo nhanh").click()
    page.wait_for_url("**/#/seizure/**")
    return report


def test_a_flash_without_a_network_reaches_headquarters(
    stage: Stage, handset: Callable[..., Handset], tmp_path: Path
) -> None:
    phone = handset(on_disk=True)
    phone.officer = stage.officer()
    phone.enrol(stage.backstage("code", officer=phone.officer))
    phone.line.down()
    report = flash(phone)
    phone.page.get_by_text("Báo nhanh: chờ gửi").wait_for()
    phone.kill(tmp_path / "profile-0")
    phone.open()
    phone.unlock()
    phone.go("#/finds")
    phone.page.get_by_text("Báo nhanh: chờ gửi").wait_for()
    assert stage.backstage("seizures", officer=phone.officer) == []
    phone.line.up()
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    assert (held["id"], held["stage"], held["version"]) == (report, "flash", 1)
    assert held["lines"] == {
        "1": {"substance": "methamphetamine", "gross_mass_g": "1200", "measure_basis": "estimated"}
    }
    fields = held["fields"]
    assert (fields["persons_count"], fields["lead_force"], fields["handling"]) == (1, "customs", "internal")
    assert (fields["mode"], fields["place"]) == ("air_passenger", "Nhà ga T2, băng chuyền 4")
    assert held["photos"] == [
        {
            "sha256": hashlib.sha256(PICTURE).hexdigest(),
            "purpose": "overview",
            "state": "stored",
            "signed": "signed",
        }
    ]
    phone.go("#/finds")
    phone.page.get_by_text("Báo nhanh: đã gửi").wait_for()
    phone.page.get_by_text(held["number"]).wait_for()
    assert held["number"] in stage.leader().get("/console/seizures/")


def complete(phone: Handset, report: str) -> None:
    """Fill in what the full report asks for, page by page, as the labels say."""
    page = phone.page

    def several(label: str, *texts: str) -> None:
        for text in texts:
            page.get_by_label(label).first.fill(text)
            page.get_by_label(label).first.press("Enter")

    phone.go(f"#/seizure/{report}/basic")
    page.get_by_label("Tóm tắt vụ việc").fill("Ma túy đá giấu trong hai đáy va li.")
    page.get_by_label("Hướng (bắt buộc)").select_option("inward_passenger")
    phone.go(f"#/seizure/{report}/lines")
    page.get_by_label("Dạng (bắt buộc)").select_option("crystal")
    page.get_by_label("Khối lượng cả bì").fill("1215,5")
    page.get_by_label("Khối lượng tịnh").fill("1198,2")
    page.get_by_label("Cân tịnh").check()
    page.get_by_label("Thử nhanh", exact=True).check()
    page.get_by_label("Số hiệu cân").fill("CAN-01")
    several("Người cân (2 số hiệu)", "FLD-0001", "FLD-0002")
    several("Số niêm phong", f"HQ-{report[-6:]}")
    phone.go(f"#/seizure/{report}/finding")
    page.get_by_label("Dấu hiệu đầu tiên").select_option("xray_baggage")
    page.get_by_label("Máy soi hành lý", exact=True).check()
    page.get_by_label("Hành lý ký gửi").check()
    page.get_by_label("Hai đáy").check()
    phone.go(f"#/seizure/{report}/route")
    page.get_by_label("Nước xuất phát").select_option("TH")
    page.get_by_label("Nước đến").select_option("VN")
    phone.go(f"#/seizure/{report}/people")
    page.get_by_role("button", name="Thêm đối tượng").click()
    page.get_by_label("Họ tên").fill("Nguyễn Văn Mẫu")
    page.get_by_role("button", name="Thêm phương tiện").click()
    page.get_by_label("Số hiệu chuyến bay").fill("VN611")
    phone.go(f"#/seizure/{report}/record")
    page.get_by_label("Số biên bản").fill("12/BB-HC1")
    page.get_by_label("Ngày biên bản").fill("2026-11-20")
    page.get_by_role("button", name="Đơn vị tôi chủ trì").click()
    page.get_by_text("Sân bay Nội Bài · Hải quan").wait_for()
    page.get_by_label("Có", exact=True).check()
    several("Người chứng kiến", "Lê Thị Chứng")
    page.get_by_label("Hành khách và hành lý").first.check()


def test_a_find_is_completed_and_its_exhibit_handed_over(
    stage: Stage, phone: Handset, handset: Callable[..., Handset]
) -> None:
    report = flash(phone)
    phone.sync_all()
    phone.line.down()
    complete(phone, report)
    the_scale_photographed(phone, report)
    sent_and_sealed_offline(phone, report)
    phone.line.up()
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    assert (held["stage"], held["fields"]["summary"]) == (
        "submitted",
        "Ma túy đá giấu trong hai đáy va li.",
    )
    assert (held["lines"]["1"]["net_mass_g"], held["lines"]["1"]["measure_basis"]) == ("1198.2", "scale_net")
    assert sorted(photo["purpose"] for photo in held["photos"]) == ["overview", "scale"]
    assert {(photo["state"], photo["signed"]) for photo in held["photos"]} == {("stored", "signed")}
    [exhibit] = held["exhibits"]
    assert (exhibit["state"], exhibit["seals"]) == ("sealed", [f"HQ-{report[-6:]}"])
    assert exhibit["steps"] == ["recorded", "corrected", "sealed"]
    handed_over(stage, phone, handset, report)


def the_scale_photographed(phone: Handset, report: str) -> None:
    """What was weighed is shown on a photo: the last page says that it is missing, and leads to where it is taken."""
    page = phone.page
    phone.go(f"#/seizure/{report}/send")
    page.get_by_role("link", name="Lý do chưa có ảnh mặt cân Cần ảnh mặt cân").click()
    page.locator("#at-scale").get_by_text("Cần ảnh mặt cân, hoặc lý do không có.").wait_for()
    page.locator("input[type=file][capture]").first.set_input_files(
        {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": OF_THE_SCALE}
    )
    page.locator("#at-scale .shot").get_by_text("Mặt cân").wait_for()
    assert page.locator("#at-scale").get_by_text("Cần ảnh mặt cân").count() == 0


def sent_and_sealed_offline(phone: Handset, report: str) -> None:
    """Submit, write down the package, put it right and seal it: steps that wait one for the other."""
    page = phone.page
    phone.go(f"#/seizure/{report}/send")
    page.get_by_role("button", name="Gửi báo cáo đủ").click()
    page.locator("dialog").get_by_role("button", name="Gửi báo cáo đủ").click()
    page.get_by_text("Báo cáo đủ: chờ gửi").wait_for()
    page.get_by_role("link", name="Thêm tang vật").click()
    page.get_by_label("Mô tả gói").fill("1 túi ni lông đen, bên trong là tinh thể trắng")
    page.get_by_role("button", name="Ghi tang vật").click()
    page.get_by_role("link", name="Đính chính").click()
    page.get_by_role("button", name="Đính chính", exact=True).click()
    page.get_by_text("Chưa sửa mục nào.").wait_for()
    page.get_by_label("Mô tả gói").fill("1 túi ni lông trắng, bên trong là tinh thể")
    page.get_by_label("Lý do đính chính").fill("Ghi nhầm màu túi")
    page.get_by_role("button", name="Đính chính", exact=True).click()
    page.get_by_text("1 túi ni lông trắng").wait_for()
    page.get_by_role("link", name="Niêm phong").click()
    page.get_by_role("button", name="Niêm phong", exact=True).click()
    page.get_by_text("3 bước chờ gửi").wait_for()


def handed_over(stage: Stage, phone: Handset, handset: Callable[..., Handset], report: str) -> None:
    """Offered by one phone, read and confirmed on another: a wrong seal is shown before, the right one passes."""
    receiver = handset()
    receiver.officer = stage.officer()
    receiver.enrol(stage.backstage("code", officer=receiver.officer))
    page = phone.page
    phone.go(f"#/offer/{report}")
    page.get_by_label("Số hiệu người nhận (bắt buộc)").fill(
        stage.backstage("badge", officer=receiver.officer)
    )
    page.get_by_role("button", name="Đề nghị bàn giao").click()
    page.wait_for_url("**/#/handover/**")
    phone.sync_all()
    receiver.sync_all()
    receiver.go("#/finds")
    receiver.page.locator(".item.lamp").click()
    read = receiver.page.get_by_role("textbox", name="Số niêm phong đọc trên gói")
    read.fill("HQ-999")
    read.press("Enter")
    receiver.page.get_by_label("Khối lượng cân lại").fill("1215,9")
    receiver.page.get_by_text("Có chênh lệch: Sai niêm phong").wait_for()
    receiver.page.get_by_role("button", name="Bỏ HQ-999").click()
    read.fill(f"hq {report[-6:]}")
    read.press("Enter")
    receiver.page.get_by_text("Khớp hồ sơ").wait_for()
    receiver.page.get_by_role("button", name="Xác nhận đã nhận").click()
    receiver.page.locator(".badge", has_text="Đã nhận").wait_for()
    receiver.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    [exhibit] = held["exhibits"]
    assert exhibit["holder"] == stage.backstage("badge", officer=receiver.officer)
    assert (exhibit["stop"], exhibit["steps"][-1]) == ("", "handover_accepted")
