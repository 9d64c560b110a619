"""The review queue and the report page: what is shown, decisions, notes at questions, stale pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.audit.models import Event
from apps.evidence.models import Attachment
from apps.inspections.actions import return_for_correction, start_review, submit_inspection
from apps.inspections.models import InspectionReport, ReviewNote, State
from tests.console.conftest import As
from tests.console.scene import Scene


def decide(client: Client, report: InspectionReport, decision: str, query: str = "", **fields: Any) -> Any:
    data = {"base_rev": report.rev, "decision": decision, **fields}
    return client.post(f"/console/review/{report.pk}/decision/{query}", data)


def test_queue_lists_what_waits_longest_first(scene: Scene, signed_in: As) -> None:
    first, second, far = scene.report(), scene.report(missing=1), scene.report(by="other_officer")
    rows = signed_in("leader").get("/console/review/").context["rows"]
    assert [row["report"].pk for row in rows] == [first.pk, second.pk]
    assert [(row["stored"], row["named"]) for row in rows] == [(2, 2), (1, 2)]
    everything = signed_in("reviewer").get("/console/review/").context["rows"]
    assert far.pk in {row["report"].pk for row in everything}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?outcome=finding", {"finding"}),
        ("?type=express", {"finding", "plain"}),
        ("?type=vessel", set()),
        ("?state=complete", {"finding", "plain"}),
        ("?state=approved", set()),
        ("?until=2001-01-01", set()),
        ("?state=nonsense&unit=nonsense&since=nonsense&page=nonsense", {"finding", "plain"}),
        ("?q=NBA-000001", {"plain"}),
    ],
)
def test_filters_are_parameters_of_the_address(
    scene: Scene, signed_in: As, query: str, found: set[str]
) -> None:
    names = {scene.report().pk: "plain", scene.report(outcome="finding").pk: "finding"}
    rows = signed_in("reviewer").get(f"/console/review/{query}").context["rows"]
    assert {names[row["report"].pk] for row in rows} == found


def test_unit_filter_reaches_below(scene: Scene, signed_in: As) -> None:
    here = scene.report()
    scene.report(by="other_officer")
    rows = signed_in("reviewer").get(f"/console/review/?unit={scene.region.pk}").context["rows"]
    assert [row["report"].pk for row in rows] == [here.pk]


def test_page_shows_answers_beside_the_questions(scene: Scene, signed_in: As) -> None:
    report = scene.report(missing=1)
    html = signed_in("leader").get(f"/console/review/{report.pk}/").content.decode()
    for text in (
        "Đã xác nhận lý do lựa chọn?",
        "Luồng đỏ",
        "Theo chỉ đạo của trực ban",
        "Không áp dụng",
        "Cân đang hiệu chuẩn",
        "1/2 ảnh",
        "Thiếu ảnh",
        "Chuyển phát nhanh",
        "Máy soi hành lý, Kiểm tra thủ công",
        "không hiện với câu trả lời này",
    ):
        assert text in html, text
    assert 'value="approve"' not in html.split("approve-dialog")[0]


def test_flags_are_told(scene: Scene, signed_in: As) -> None:
    report = scene.report(days_ago=500)
    assert (
        "Đồng hồ của máy không đáng tin"
        in signed_in("leader").get(f"/console/review/{report.pk}/").content.decode()
    )


def test_what_is_odd_about_a_photo_is_told_beside_it(scene: Scene, signed_in: As) -> None:
    report = scene.report(photos=1)
    page = f"/console/review/{report.pk}/"
    assert "khác vị trí máy" not in signed_in("leader").get(page).content.decode()
    flags = ["exif-place-differs", "signature-invalid", "of-a-later-version"]
    Attachment.objects.filter(owner_id=report.pk).update(flags=flags)
    told = signed_in("leader").get(page).content.decode()
    for words in ("vị trí ghi trong ảnh khác vị trí máy", "chữ ký thiết bị không khớp", "of-a-later-version"):
        assert words in told


def test_approval_opens_the_next_report_with_the_same_filters(scene: Scene, signed_in: As) -> None:
    first, second = scene.report(outcome="finding"), scene.report(outcome="finding")
    answer = decide(signed_in("leader"), first, "approve", "?outcome=finding", note="Rõ ràng.")
    assert answer.headers["Location"] == f"/console/review/{second.pk}/?outcome=finding"
    first.refresh_from_db()
    assert (first.state, first.review_note) == (State.APPROVED, "Rõ ràng.")
    last = decide(signed_in("leader"), second, "approve", "?outcome=finding")
    assert last.headers["Location"] == "/console/review/?outcome=finding"


def test_return_puts_the_note_at_the_question(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    decide(
        signed_in("leader"),
        report,
        "return",
        note="Xem lại.",
        note__weight="Ghi rõ cân tịnh.",
        note__lane="  ",
    )
    report.refresh_from_db()
    assert report.state == State.RETURNED
    notes = ReviewNote.objects.filter(report=report).values_list("step_key", "text")
    assert list(notes) == [("weight", "Ghi rõ cân tịnh."), ("", "Xem lại.")]
    html = signed_in("leader").get(f"/console/review/{report.pk}/").content.decode()
    assert "Ghi rõ cân tịnh." in html


def test_return_without_a_word_is_refused(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    answer = decide(signed_in("leader"), report, "return")
    assert answer.status_code == 422
    assert "Cần ghi lý do trả lại." in answer.content.decode()


def test_stale_page_says_so_and_keeps_the_notes(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    start_review(actor=scene.actor("reviewer"), report_id=report.pk)
    answer = decide(
        signed_in("leader"), report, "return", note="Ý kiến chung", note__lane="Tại sao luồng đỏ?"
    )
    assert answer.status_code == 409
    html = answer.content.decode()
    for text in (
        "Việc soát xét báo cáo đã chuyển bước.",
        "vẫn còn nguyên bên dưới",
        "Ý kiến chung",
        "Tại sao luồng đỏ?",
    ):
        assert text in html
    assert f'name="base_rev" value="{report.rev + 1}"' in html
    assert not ReviewNote.objects.exists()


def test_decided_meanwhile_still_shows_what_was_typed(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    return_for_correction(actor=scene.actor("reviewer"), report_id=report.pk, notes=[], note="Đã trả")
    html = decide(signed_in("leader"), report, "return", note__lane="Mất công gõ").content.decode()
    assert "Mất công gõ" in html


def test_notes_at_questions_are_never_lost_by_an_approval(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    answer = decide(signed_in("leader"), report, "approve", note__lane="Tại sao?")
    assert answer.status_code == 422
    assert "Tại sao?" in answer.content.decode()
    report.refresh_from_db()
    assert report.state == State.COMPLETE


def test_missing_photos_hold_the_approval(scene: Scene, signed_in: As) -> None:
    report = scene.report(missing=1)
    start_review(actor=scene.actor("leader"), report_id=report.pk)
    report.refresh_from_db()
    answer = decide(signed_in("leader"), report, "approve")
    assert answer.status_code == 409
    assert "Báo cáo còn thiếu ảnh chưa tải lên." in answer.content.decode()


def test_taking_up_stays_on_the_page_and_void_needs_a_reason(scene: Scene, signed_in: As) -> None:
    report, client = scene.report(), signed_in("leader")
    assert decide(client, report, "start").headers["Location"] == f"/console/review/{report.pk}/"
    report.refresh_from_db()
    assert report.state == State.UNDER_REVIEW
    assert decide(client, report, "void").status_code == 422
    decide(client, report, "void", reason="Nhập trùng")
    report.refresh_from_db()
    assert report.state == State.VOIDED


def test_analyst_reads_and_decides_nothing(scene: Scene, signed_in: As) -> None:
    report, client = scene.report(), signed_in("analyst")
    html = client.get(f"/console/review/{report.pk}/").content.decode()
    assert 'name="decision"' not in html.split("approve-dialog")[0]
    assert decide(client, report, "approve").status_code == 403
    assert decide(client, report, "no-such-verb").status_code == 404


def test_changes_since_the_last_submission_are_shown(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    return_for_correction(actor=scene.actor("leader"), report_id=report.pk, notes=[], note="Cân lại")
    report.refresh_from_db()
    fields = {"answers": {"weight": {"value": "12.50"}}, "remarks": "Đã cân lại."}
    submit_inspection(actor=scene.actor("officer"), report_id=report.pk, base_rev=report.rev, fields=fields)
    reading = signed_in("leader").get(f"/console/review/{report.pk}/").context["reading"]
    changes = {c.name: (c.before, c.after) for c in reading.changes}
    assert changes["3. Cân kiện hàng"] == ("Không áp dụng – Cân đang hiệu chuẩn", "12,50 kg")
    assert changes["Ghi chú chung"][1] == "Đã cân lại."


def test_history_tells_submissions_returns_and_the_decision_in_order(scene: Scene, signed_in: As) -> None:
    report = scene.report()
    notes = [{"step_key": "weight", "text": "Cân lại"}]
    return_for_correction(actor=scene.actor("leader"), report_id=report.pk, notes=notes, note="Bổ sung")
    trail = signed_in("leader").get(f"/console/review/{report.pk}/").context["trail"]
    assert [(m.state, m.text) for m in trail] == [("", ""), ("returned", "Bổ sung")]
    report.refresh_from_db()
    fields = {"answers": {"weight": {"value": "12.50"}}}
    submit_inspection(actor=scene.actor("officer"), report_id=report.pk, base_rev=report.rev, fields=fields)
    ReviewNote.objects.update(at=timezone.now() - dt.timedelta(minutes=5))
    report.refresh_from_db()
    decide(signed_in("leader"), report, "approve")
    trail = signed_in("leader").get(f"/console/review/{report.pk}/").context["trail"]
    assert sorted(m.state for m in trail) == ["", "", "approved", "returned"]
    assert "Bổ sung 1 ghi chú tại câu hỏi." in {m.text for m in trail}


def test_photo_is_shown_guarded_and_the_original_is_an_event(scene: Scene, signed_in: As) -> None:
    report, client = scene.report(), signed_in("leader")
    photo = report.photos["photo_open"][0]
    small = client.get(f"/console/photos/{photo}/thumbnail")
    assert small.status_code == 200
    assert "sandbox" in small.headers["Content-Security-Policy"]
    assert small.getvalue()
    original = client.get(f"/console/photos/{photo}/original")
    assert original.headers["Content-Disposition"].startswith("attachment")
    assert original.getvalue()
    assert Event.objects.filter(action="original.viewed", actor_id=scene.people["leader"].pk).count() == 1


@pytest.mark.parametrize(
    "answers", [{}, {"reason": {"value": "<script>alert(1)</script>"}}, {"zzz": 3}, {"lane": {"value": None}}]
)
def test_any_stored_answer_can_be_read(scene: Scene, signed_in: As, answers: dict[str, Any]) -> None:
    report = scene.report()
    InspectionReport.objects.filter(pk=report.pk).update(
        answers=answers, subjects=[{"name": "<b>x</b>"}], goods={"kg": 3}
    )
    html = signed_in("leader").get(f"/console/review/{report.pk}/").content.decode()
    assert "<script>alert" not in html
    assert "<b>x" not in html


def test_queue_costs_the_same_queries_however_long(
    scene: Scene, signed_in: As, django_assert_max_num_queries: Any
) -> None:
    for _ in range(6):
        scene.report()
    client = signed_in("reviewer")
    with django_assert_max_num_queries(18):
        client.get("/console/review/")
