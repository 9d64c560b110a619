"""A sample is taken offline, the half-filled form outlives the tab; the laboratory has it on paper, gives it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.field.conftest import Stage
from tests.field.handset import Handset
from tests.field.test_journey_seizure import flash

pytestmark = [pytest.mark.live, pytest.mark.browser]


def seals(phone: Handset, label: str, number: str) -> None:
    """Type a seal's number."""
    field = phone.page.get_by_label(label).first
    field.fill(number)
    field.press("Enter")


def witnessed(phone: Handset) -> None:
    """The subject is there, and one person who watches."""
    phone.page.get_by_label("Có", exact=True).check()
    seals(phone, "Người chứng kiến", "Lê Thị Chứng")


def packed(phone: Handset, report: str, tail: str) -> str:
    """Write a package down, seal it, open it again for the sample, all offline; gives its address."""
    page = phone.page
    phone.go(f"#/package/{report}")
    page.get_by_label("Mô tả gói").fill("1 túi ni lông đen")
    page.get_by_label("Khối lượng cả bì").fill("1215,5")
    page.get_by_label("Khối lượng tịnh").fill("1198,25")
    page.get_by_role("button", name="Ghi tang vật").click()
    page.wait_for_url("**/#/exhibit/**")
    place = f"#{page.url.split('#')[1]}"
    phone.go(f"{place}/seal")
    seals(phone, "Niêm phong vừa gắn", f"A-{tail}")
    witnessed(phone)
    page.get_by_role("button", name="Niêm phong", exact=True).click()
    page.get_by_role("link", name="Mở niêm phong").click()
    seals(phone, "Số niêm phong đọc trên gói", f"A-{tail}")
    page.get_by_label("Mục đích").fill("Lấy mẫu gửi giám định")
    witnessed(phone)
    page.get_by_role("button", name="Mở niêm phong", exact=True).click()
    page.get_by_role("link", name="Lấy mẫu").wait_for()
    return place


def sampled(phone: Handset, place: str, profile: Path) -> str:
    """Begin the sample, lose the tab, go on with what was entered; gives the sample's address."""
    page = phone.page
    phone.go(f"{place}/sample")
    page.get_by_label("Mô tả mẫu").fill("Mẫu gửi Viện")
    page.get_by_label("Khối lượng lấy ra").fill("5,25")
    page.get_by_text("Còn lại: 1.193 g").wait_for()
    page.wait_for_timeout(500)
    phone.kill(profile)
    phone.open(f"{place}/sample")
    phone.unlock()
    phone.go(f"{place}/sample")
    page = phone.page
    page.get_by_text("Còn lại: 1.193 g").wait_for()
    assert page.get_by_label("Mô tả mẫu").input_value() == "Mẫu gửi Viện"
    page.get_by_label("Khối lượng lấy ra").fill("9999")
    page.get_by_text("Lượng lấy mẫu lớn hơn lượng còn lại.").wait_for()
    page.get_by_label("Khối lượng lấy ra").fill("5,25")
    witnessed(phone)
    page.get_by_role("button", name="Lấy mẫu", exact=True).click()
    page.wait_for_function("from => !location.hash.startsWith(from)", arg=place)
    return f"#{page.url.split('#')[1]}"


def test_a_sample_is_taken_and_comes_back(
    stage: Stage, handset: Callable[..., Handset], tmp_path: Path
) -> None:
    phone = handset(on_disk=True)
    phone.officer = stage.officer()
    phone.enrol(stage.backstage("code", officer=phone.officer))
    phone.line.down()
    report = flash(phone)
    tail = report[-6:]
    place = packed(phone, report, tail)
    sample = sampled(phone, place, tmp_path / "profile-0")
    page = phone.page
    phone.go(f"{sample}/seal")
    seals(phone, "Niêm phong vừa gắn", f"M-{tail}")
    witnessed(phone)
    page.get_by_role("button", name="Niêm phong", exact=True).click()
    page.get_by_role("link", name="Nhập kho").wait_for()
    phone.go(f"{place}/reseal")
    seals(phone, "Niêm phong vừa gắn", f"B-{tail}")
    page.get_by_label("Khối lượng cả gói").fill("1210,25")
    witnessed(phone)
    page.get_by_role("button", name="Niêm phong lại", exact=True).click()
    page.get_by_role("link", name="Nhập kho").wait_for()
    phone.line.up()
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    whole, part = held["exhibits"]
    assert (whole["state"], whole["seals"]) == ("sealed", [f"B-{tail}"])
    assert whole["masses"] == ["1210.2500", "1193.0000"]
    assert whole["steps"] == ["recorded", "sealed", "unsealed", "sampled", "resealed"]
    assert (part["state"], part["seals"], part["masses"]) == ("sealed", [f"M-{tail}"], ["5.2500", "5.2500"])
    back_from_the_laboratory(stage, phone, report, sample)


def back_from_the_laboratory(stage: Stage, phone: Handset, report: str, sample: str) -> None:
    """Handed to the laboratory on paper that the leader enters, and taken back with the laboratory's seal."""
    page, tail = phone.page, report[-6:]
    phone.go(f"#/offer/{report}")
    page.get_by_text(f"B-{tail}").click()  # the whole package stays
    page.get_by_label("Giám định", exact=True).check()
    page.get_by_label("Tên cơ quan nhận").fill("Viện Khoa học hình sự")
    page.get_by_role("button", name="Đề nghị bàn giao").click()
    page.wait_for_url("**/#/handover/**")
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    whole, part = held["exhibits"]
    assert (whole["offer"], part["state"]) == ("", "in_transit")
    pk = sample.split("/exhibit/")[1]
    paper = {"deed": "accept", "receiver_name": "Giám định viên", "document_number": "9/BB"}
    stage.leader().post(
        f"/console/hand-overs/{part['offer']}/answer/",
        {**paper, f"seals_{pk}": f"M-{tail}", f"mass_{pk}": "5.25"},
    )
    phone.sync_all()
    phone.go(sample)
    page.get_by_role("link", name="Nhận lại từ giám định").click()
    seals(phone, "Niêm phong vừa gắn", f"VK-{tail}")
    page.get_by_label("Đơn vị phát hành niêm phong").fill("Viện KHHS")
    page.get_by_label("Khối lượng cả gói").fill("4,75")
    page.get_by_role("button", name="Nhận lại từ giám định").click()
    page.get_by_role("link", name="Nhập kho").wait_for()
    phone.sync_all()
    [held] = stage.backstage("seizures", officer=phone.officer)
    part = held["exhibits"][1]
    assert (part["state"], part["seals"]) == ("sealed", [f"VK-{tail}"])
    assert part["steps"][-2:] == ["sent_lab", "received_lab"]
