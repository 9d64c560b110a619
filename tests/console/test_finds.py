"""Writing a seizure report at a desk: flash and full report, beside phones, with faults that lead to their fields."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.console.finds import ELSEWHERE, SECTIONS
from apps.reference.actions import load_shipped
from apps.seizures import actions
from apps.seizures.models import SeizureReport, Stage
from apps.seizures.rules.fields import HEADER, PARTS
from tests.cast import Cast
from tests.seizing import Seizing, flash, sound
from tests.work import Work

FLASH: dict[str, Any] = {
    "detected_on_device_at": "2026-11-20T08:05",
    "place": "Kho hàng số 2",
    "mode": "express",
    "lead_force": "customs",
    "handling": "internal",
    "persons_count": "1",
    "no_photo_reason": "Lập tại bàn",
    "rows/lines": "1",
    "lines/1/substance": "ketamine",
    "lines/1/net_mass_g": "1000,5",
    "lines/1/measure_basis": "estimated",
}


def typed(page: str) -> dict[str, Any]:
    """Read what the form of a page would send if nobody touched it."""
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", page):
        said = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if said.get("type") in {"checkbox", "radio"}:
            if re.search(r"\schecked", tag):
                found.setdefault(said["name"], []).append(said["value"])
        elif "name" in said:
            found[said["name"]] = html.unescape(said.get("value", ""))
    found |= dict(re.findall(r'<textarea name="([^"]*)"[^>]*>\s*([^<]*)</textarea>', page))
    for name, options in re.findall(r'<select name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen.group(1) if chosen else ""
    return {name: value for name, value in found.items() if name not in {"csrfmiddlewaretoken", "language"}}


@pytest.fixture
def desk(cast: Cast, seizing: Seizing) -> Client:
    load_shipped(actor=SYSTEM)
    return cast.officer.console()


def path_of(report: object) -> str:
    return f"/console/finds/{report}/"


def test_every_field_of_a_report_is_on_the_page_or_said_to_be_elsewhere() -> None:
    offered = {name for _, _, names, _ in SECTIONS for name in names}
    assert offered | ELSEWHERE == HEADER.keys()
    assert not offered & ELSEWHERE
    assert {part for *_, parts in SECTIONS for part in parts} == PARTS.keys()


def test_a_flash_is_sent_once_however_often_the_button_is_pressed(desk: Client, cast: Cast) -> None:
    report_id = new_id()
    page = desk.get(path_of(report_id))
    assert page.status_code == 200
    for _ in range(2):
        assert desk.post(path_of(report_id), {**FLASH, "do": "flash"}).status_code == 302
    report = SeizureReport.objects.get(pk=report_id)
    assert (report.stage, report.version, report.officer_id) == (Stage.FLASH, 1, cast.officer.officer.pk)
    assert report.lines == {
        "1": {"substance": "ketamine", "net_mass_g": "1000.5", "measure_basis": "estimated"}
    }
    assert report.fields["detected_on_device_at"] == "2026-11-20T01:05:00+00:00"
    assert str(report.number) in desk.get("/console/finds/").content.decode()
    assert str(report.number) in cast.leader.console().get("/console/seizures/").content.decode()


def test_a_page_that_nobody_touched_changes_nothing(desk: Client, seizing: Seizing) -> None:
    fields = {**sound(), "modus_operandi": ["hàng rời", "xé lẻ"], "transit_countries": ["LA", "TH"]}
    report = seizing.send(actions.send_preliminary, fields).report
    page = desk.get(path_of(report.pk)).content.decode()
    sent = typed(page)
    assert sent["lines/1/net_mass_g"] == "1200.5"
    assert sent["persons/1/full_name"] == "Người Thử Một"
    assert desk.post(path_of(report.pk), {**sent, "do": "save"}).status_code == 302
    after = SeizureReport.objects.get(pk=report.pk)
    assert (after.rev, after.fields, after.lines) == (report.rev, report.fields, report.lines)


def test_the_full_report_names_what_it_lacks_and_is_then_submitted(
    desk: Client, seizing: Seizing, work: Work
) -> None:
    report = seizing.send(actions.send_flash, flash()).report
    sent = typed(desk.get(path_of(report.pk)).content.decode())
    refused = desk.post(path_of(report.pk), {**sent, "do": "submitted"})
    page = refused.content.decode()
    assert refused.status_code == 422
    assert '<a href="#id_record_doc_number">Số biên bản</a>' in page
    assert '<a href="#id_lines/1/scale_id">Dòng 1: Cân số</a>' in page
    full = {
        "direction": "import",
        "departure": "NL",
        "destination": "VN",
        "first_cue": "xray_baggage",
        "means": ["xray_baggage", "physical_search"],
        "concealment_places": ["parcel"],
        "concealment_techniques": ["factory_repacked"],
        "record_doc_number": "12/BB-HC",
        "record_doc_on": "2024-08-20",
        "is_subject_present": "yes",
        "participations": "Chủ trì: NBA\nsupport: Công an phường",
        "checklist_version": str(work.version),
        "summary": "Phát hiện ma túy giấu trong hộp kẹo.",
        "witnesses": "Nguyễn Thị Chứng",
        "no_scale_photo_reason": "Máy ảnh hỏng",
        "lines/1/form": "powder",
        "lines/1/net_mass_g": "1200,5",
        "lines/1/measure_basis": "scale_net",
        "lines/1/id_basis": "field_test",
        "lines/1/scale_id": "CAN-07",
        "lines/1/weighed_by": "HQ-A; HQ-B",
        "lines/1/seal_numbers": "NP-000123",
        "persons/1/full_name": "Người Thử Một",
        "persons/1/role": "consignee",
        "persons/1/status": "arrested",
        "consignments/1/courier_no": "1Z999AA1",
    }
    answer = desk.post(path_of(report.pk), {**typed(page), **full, "do": "submitted"})
    assert answer.status_code == 302, re.findall(r"faults\">.*?</ul>", answer.content.decode())
    after = SeizureReport.objects.get(pk=report.pk)
    assert after.stage == Stage.SUBMITTED
    assert after.fields["participations"] == [
        {"unit": "NBA", "agency": "", "role": "lead"},
        {"unit": "", "agency": "Công an phường", "role": "support"},
    ]
    assert after.lines["1"]["weighed_by"] == ["HQ-A", "HQ-B"]
    assert desk.get(path_of(report.pk)).content.decode().count("Bản nháp") == 1, (
        "it is no longer to be written"
    )
    assert str(after.number) not in desk.get("/console/finds/").content.decode()


def test_what_a_phone_wrote_meanwhile_is_not_overwritten_unseen(desk: Client, seizing: Seizing) -> None:
    report = seizing.send(actions.send_flash, flash()).report
    sent = typed(desk.get(path_of(report.pk)).content.decode())
    seizing.send(
        actions.save_seizure, {"place": "Kho số 3", "summary": "Từ điện thoại"}, report=report.pk, base_rev=1
    )
    refused = desk.post(path_of(report.pk), {**sent, "place": "Kho số 4", "do": "save"})
    assert refused.status_code == 409
    assert "Kho số 4" in refused.content.decode()
    assert "hiện ghi “Kho số 3”" in refused.content.decode(), "what the other wrote is shown"
    assert SeizureReport.objects.get(pk=report.pk).fields["place"] == "Kho số 3"
    again = typed(refused.content.decode())
    assert desk.post(path_of(report.pk), {**again, "do": "save"}).status_code == 302, "said twice, it stands"
    assert SeizureReport.objects.get(pk=report.pk).fields["place"] == "Kho số 4"
    merged = desk.post(path_of(report.pk), {**sent, "remarks": "Ghi tại bàn", "do": "save"})
    assert merged.status_code == 302
    fields = SeizureReport.objects.get(pk=report.pk).fields
    assert (fields["place"], fields["summary"], fields["remarks"]) == (
        "Kho số 4",
        "Từ điện thoại",
        "Ghi tại bàn",
    )


def test_rows_are_added_cleared_and_a_draft_is_discarded(desk: Client) -> None:
    report_id = new_id()
    more = desk.post(path_of(report_id), {**FLASH, "do": "more lines"}).content.decode()
    sent = typed(more)
    assert sent["rows/lines"] == "1 2"
    assert sent["place"] == "Kho hàng số 2"
    assert not SeizureReport.objects.filter(pk=report_id).exists()
    second = {"lines/2/substance": "heroin", "lines/2/net_mass_g": "7", "lines/2/measure_basis": "estimated"}
    assert desk.post(path_of(report_id), {**sent, **second, "do": "save"}).status_code == 302
    draft = SeizureReport.objects.get(pk=report_id)
    assert (draft.is_draft, sorted(draft.lines)) == (True, ["1", "2"])
    sent = typed(desk.get(path_of(report_id)).content.decode())
    assert desk.post(path_of(report_id), {**sent, "no_photo_reason": "", "do": "save"}).status_code == 302
    assert "no_photo_reason" not in SeizureReport.objects.get(pk=report_id).fields
    sent = typed(desk.get(path_of(report_id)).content.decode())
    assert desk.post(path_of(report_id), {**sent, "do": "discard"}).status_code == 302
    assert not SeizureReport.objects.filter(pk=report_id).exists()


def test_a_report_of_others_looks_like_a_new_one_and_is_not_touched(cast: Cast, seizing: Seizing) -> None:
    report = seizing.send(actions.save_seizure, flash()).report
    for member in (cast.team_mate, cast.outsider, cast.leader):
        page = member.console().get(path_of(report.pk)).content.decode()
        assert "Kho hàng số 2" not in page
        assert member.console().post(path_of(report.pk), {**FLASH, "do": "flash"}).status_code == 403
    assert SeizureReport.objects.get(pk=report.pk).rev == report.rev
    assert cast.hq_reviewer.console().get(path_of(report.pk)).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "spaceship"},
        {"persons_count": "-1"},
        {"detected_on_device_at": "hôm qua"},
        {"lines/1/net_mass_g": "một cân"},
        {"lines/1/net_mass_g": "1.23456"},
        {"participations": "đứng đầu: NBA"},
        {"transit_countries": "Lào"},
        {"place": "x" * 201},
        {"rows/lines": "<b> ../1", "lines/1/substance": "kẹo"},
    ],
)
def test_what_cannot_be_is_refused_and_stays_in_the_form(desk: Client, wrong: dict[str, str]) -> None:
    report_id = new_id()
    answer = desk.post(path_of(report_id), {**FLASH, **wrong, "do": "flash"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert "Kho hàng số 2" in page or "place" in wrong
    assert not SeizureReport.objects.filter(pk=report_id).exists()
