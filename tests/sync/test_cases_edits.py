"""Edits that meet, cases 16 to 21 of docs/sync.md: merges, conflicts, reports that have moved on, closed checklists.

One report has one officer, so two who edit it are two phones of that officer; somebody else's phone is refused as if
there were no report.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import override

from apps.inspections.actions import approve_inspection, return_for_correction, start_review
from apps.inspections.models import InspectionReport
from apps.sync.models import Mutation
from tests.cast import Cast
from tests.near import Near
from tests.phone import ConnectionCut, Phone
from tests.work import Work, check_feed

Two = tuple[Phone, Phone]


@pytest.fixture
def phones(near: Near, work: Work, cast: Cast) -> Two:
    """Two phones of the officer, in step with the server."""
    two = near.phone(cast.officer), near.phone(cast.officer)
    for phone in two:
        phone.sync()
    return two


def shared_draft(work: Work, phones: Two) -> str:
    """Give a draft that both phones hold."""
    one, other = phones
    report = one.save(work.fields())
    one.sync()
    other.sync()
    assert one.report(report) == other.report(report)
    return report


def last(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the only result."""
    (result,) = results
    return result


def test_case_16_different_fields_on_the_same_base_merge(phones: Two, work: Work) -> None:
    """Expected: both applied, the second with `merged`; both phones and the server show both edits."""
    one, other = phones
    report = shared_draft(work, phones)
    one.save({"remarks": "từ máy một", "answers": {"step_3": {"value": "một"}}}, report)
    other.save({"place": "từ máy hai", "answers": {"step_7": {"value": "hai"}}}, report)
    assert last(one.push())["merged"] is False
    assert last(other.push())["merged"] is True
    for phone in phones:
        phone.sync()
    assert one.report(report) == other.report(report)
    body = one.report(report)
    assert (body["remarks"], body["place"]) == ("từ máy một", "từ máy hai")
    assert (body["answers"]["step_3"]["value"], body["answers"]["step_7"]["value"]) == ("một", "hai")
    check_feed()


def test_case_17_the_same_field_is_a_conflict_and_the_loser_is_kept(phones: Two, work: Work) -> None:
    """Expected: `conflict/field-conflict` with the current value; the loser's text stays on phone and server."""
    one, other = phones
    report = shared_draft(work, phones)
    one.save({"remarks": "từ máy một"}, report)
    other.save({"remarks": "từ máy hai", "place": "kho hai"}, report)
    one.push()
    lost = last(other.push())
    assert (lost["status"], lost["code"], lost["fields"]) == ("conflict", "field-conflict", ["remarks"])
    assert lost["current"] == {"remarks": "từ máy một"}
    (shown,) = other.attention()
    assert shown["sent"]["fields"]["remarks"] == "từ máy hai"
    assert json.loads(Mutation.objects.get(pk=lost["id"]).payload)["fields"]["place"] == "kho hai"
    assert InspectionReport.objects.get().place == "Kho chuyển phát nhanh", "nothing of it was half applied"
    other.pull()
    other.insist(lost["id"])
    fresh = last(other.push())
    assert fresh["id"] != lost["id"]
    assert fresh["status"] == "applied"
    assert InspectionReport.objects.get().remarks == "từ máy hai"
    assert other.attention() == []


def test_case_17_a_pull_between_making_and_sending_hides_no_conflict(phones: Two, work: Work) -> None:
    """Expected: the edit names what the officer saw when making it, not what the phone has pulled since."""
    one, other = phones
    report = shared_draft(work, phones)
    one.save({"remarks": "từ máy một"}, report)
    other.save({"remarks": "từ máy hai"}, report)
    one.push()
    other.pull()
    lost = last(other.push())
    assert (lost["code"], lost["current"]) == ("field-conflict", {"remarks": "từ máy một"})
    assert InspectionReport.objects.get().remarks == "từ máy một"
    other.insist(lost["id"])
    assert last(other.push())["status"] == "applied", "insisted on what the verdict showed"
    assert InspectionReport.objects.get().remarks == "từ máy hai"


def test_case_17_a_chain_of_edits_made_offline_is_no_conflict_with_itself(phones: Two, work: Work) -> None:
    """Expected: the phone's own earlier edits are no strangers, another phone's edit between them is."""
    one, other = phones
    report = shared_draft(work, phones)
    for text in ("một", "hai", "ba"):
        one.save({"remarks": text}, report)
        assert [r["status"] for r in one.push()] == ["applied"], text
    one.save({"remarks": "bốn", "place": "kho một"}, report)
    other.save({"place": "kho hai"}, report)
    assert last(other.push())["status"] == "applied"
    lost = last(one.push())
    assert (lost["status"], lost["fields"], lost["current"]) == ("conflict", ["place"], {"place": "kho hai"})
    draft = one.save(work.fields())
    for text in ("năm", "sáu"):  # made before the server has heard of the report
        one.save({"remarks": text}, draft)
    assert [r["status"] for r in one.push()] == ["applied"] * 3
    assert InspectionReport.objects.get(pk=draft).remarks == "sáu"


def test_case_17_giving_way_gives_up_only_what_is_in_conflict(phones: Two, work: Work) -> None:
    """Expected: the rest of the edit, which the server has not taken either, is sent again and applied."""
    one, other = phones
    report = shared_draft(work, phones)
    one.save({"remarks": "từ máy một"}, report)
    other.save({"remarks": "từ máy hai", "place": "Kho 2", "answers": {"step_7": {"value": "hai"}}}, report)
    one.push()
    lost = last(other.push())
    assert lost["fields"] == ["remarks"]
    other.give_way(lost["id"])
    assert [r["status"] for r in other.push()] == ["applied"]
    other.sync()
    body = other.report(report)
    assert (body["remarks"], body["place"], body["answers"]["step_7"]) == (
        "từ máy một",
        "Kho 2",
        {"value": "hai"},
    )
    assert other.attention() == []


def test_case_17_nothing_older_replaces_what_the_officer_said_since(phones: Two, work: Work) -> None:
    """Expected: a conflict about what was said anew is no question; insisting later leaves newer fields alone."""
    one, other = phones
    report = shared_draft(work, phones)
    one.save({"remarks": "từ máy một"}, report)
    other.save({"remarks": "một", "place": "A"}, report)
    one.push()
    other.wire.faults.lose_answers = 1
    with pytest.raises(ConnectionCut):
        other.push()  # on its way, so the next edit cannot join it
    other.save({"remarks": "hai"}, report)
    other.push()
    (shown,) = other.attention()
    assert shown["sent"]["fields"] == {"remarks": "hai"}
    assert InspectionReport.objects.get().place == "A", "what nobody disputes went on"
    other.save({"place": "B"}, report)
    other.push()
    other.insist(shown["id"])
    other.push()
    held = InspectionReport.objects.get()
    assert (held.remarks, held.place) == ("hai", "B")
    assert (other.attention(), other.waiting()) == ([], 0)


def test_case_17_an_edit_made_in_sight_of_the_conflict_decides_it(phones: Two, work: Work) -> None:
    """Expected: writing the disputed field anew is the officer's word; the older text is never sent after it."""
    one, other = phones
    report = shared_draft(work, phones)
    one.save({"remarks": "từ máy một"}, report)
    other.save({"remarks": "một", "place": "A"}, report)
    one.push()
    other.sync()
    assert len(other.attention()) == 1
    other.save({"remarks": "hai", "place": "B"}, report)
    assert other.attention() == []
    other.sync()
    held = InspectionReport.objects.get()
    assert (held.remarks, held.place) == ("hai", "B")


def test_case_17_the_officer_may_leave_the_other_version(phones: Two, work: Work) -> None:
    """Expected: nothing is sent; the text stays on the phone as answered."""
    one, other = phones
    report = shared_draft(work, phones)
    one.save({"remarks": "từ máy một"}, report)
    other.save({"remarks": "từ máy hai"}, report)
    one.push()
    lost = last(other.push())
    other.give_way(lost["id"])
    other.sync()
    assert (other.attention(), other.report(report)["remarks"]) == ([], "từ máy một")
    assert other.store.execute("SELECT count(*) FROM outbox WHERE state='answered'").fetchone() == (1,)


def test_case_18_an_edit_of_a_report_submitted_meanwhile_is_locked(phones: Two, work: Work) -> None:
    """Expected: `conflict/state-locked` with the report as it stands; the text is kept on phone and server."""
    one, other = phones
    report = shared_draft(work, phones)
    one.submit({}, report)
    other.save({"remarks": "viết tiếp"}, report)
    one.push()
    late = last(other.push())
    assert (late["status"], late["code"], late["current"]["state"]) == (
        "conflict",
        "state-locked",
        "complete",
    )
    (shown,) = other.attention()
    assert shown["sent"]["fields"] == {"remarks": "viết tiếp"}
    assert json.loads(Mutation.objects.get(pk=late["id"]).payload)["fields"] == {"remarks": "viết tiếp"}
    assert (InspectionReport.objects.get().remarks, other.waiting()) == ("", 0)


def test_case_18_another_officer_learns_nothing_and_keeps_the_text(
    near: Near, phones: Two, work: Work, cast: Cast
) -> None:
    """Expected: `rejected/forbidden`, the same as for a report that does not exist; the text is kept."""
    report = shared_draft(work, phones)
    stranger = near.phone(cast.team_mate)
    stranger.sync()
    told = []
    for oid in (report, str(UUID(int=7, version=4))):
        stranger.save({"remarks": "của người khác"}, oid)
        stranger.store.execute("UPDATE outbox SET base_rev=1 WHERE base_rev=0")
        result = last(stranger.push())
        told.append({key: value for key, value in result.items() if key != "id"})
    assert told[0] == told[1]
    assert told[0]["status"] == "rejected"
    assert len(stranger.attention()) == 2
    assert InspectionReport.objects.get().remarks == ""


@pytest.mark.parametrize(
    ("verb", "state"), [(start_review, "under_review"), (approve_inspection, "approved")]
)
def test_case_19_an_edit_after_the_review_moved_is_a_proposed_amendment(
    phones: Two, work: Work, cast: Cast, verb: Callable[..., Any], state: str
) -> None:
    """Expected: `conflict/state-changed`; the text is kept and shown to the reviewer beside the report."""
    one, _ = phones
    report = one.submit(work.fields())
    one.sync()
    return_for_correction(actor=cast.leader.actor(), report_id=UUID(report), notes=[], note="Bổ sung")
    one.sync()
    other = phones[1]
    other.sync()
    other.submit({"remarks": "Kiện bị rách góc trái", "answers": {"step_3": {"value": "Có vết cạy"}}}, report)
    one.submit({"place": "Kho 2"}, report)
    one.push()
    verb(actor=cast.leader.actor(), report_id=UUID(report))
    late = last(other.push())
    assert (late["status"], late["code"], late["current"]["state"]) == ("conflict", "state-changed", state)
    assert other.attention()[0]["sent"]["fields"]["remarks"] == "Kiện bị rách góc trái"

    page = cast.leader.console().get(f"/console/review/{report}/")
    (edit,) = page.context["late_edits"]
    assert [(c.before, c.after) for c in edit.changes] == [
        ("", "Kiện bị rách góc trái"),
        ("Không có dấu hiệu bất thường", "Có vết cạy"),
    ]
    text = page.content.decode()
    assert "Bản sửa gửi muộn" in text
    assert "Kiện bị rách góc trái" in text
    with override("en"):
        english = cast.leader.console().get(f"/console/review/{report}/", headers={"Accept-Language": "en"})
        assert "Proposed amendment" in english.content.decode()
    assert cast.other_leader.console().get(f"/console/review/{report}/").status_code == 404


def test_case_19_an_amendment_of_any_type_does_not_break_the_page(
    phones: Two, work: Work, cast: Cast
) -> None:
    """Expected: a late edit is never checked against the checklist; whatever it holds can be read."""
    one, _ = phones
    report = one.submit(work.fields())
    one.sync()
    values: list[Any] = [{"a": [1]}, [{"b": 1}], "x" * 5000, 5, True, None, [], {"value": {"value": []}}]
    for i in range(4):
        one.save({"answers": {f"step_{i + 4 * n}": {"value": v} for n, v in enumerate(values[:4])}}, report)
        one.save({"answers": {f"step_{i + 4 * n}": v for n, v in enumerate(values[4:])}}, report)
    assert {r["code"] for r in one.push() + one.push()} <= {"state-locked", "invalid-field"}
    page = cast.leader.console().get(f"/console/review/{report}/")
    assert page.status_code == 200
    assert page.context["late_edits"]


def test_case_19_what_the_report_says_by_now_is_no_amendment(phones: Two, work: Work, cast: Cast) -> None:
    """Expected: once the officer has sent the same again after a return, nothing is proposed any more."""
    one, other = phones
    report = shared_draft(work, phones)
    one.submit({}, report)
    other.save({"remarks": "thêm"}, report)
    one.push()
    other.push()
    address = f"/console/review/{report}/"
    assert len(cast.leader.console().get(address).context["late_edits"]) == 1
    return_for_correction(actor=cast.leader.actor(), report_id=UUID(report), notes=[], note="Bổ sung")
    other.pull()
    other.insist(other.attention()[0]["id"])
    other.push()
    assert InspectionReport.objects.get().remarks == "thêm"
    assert cast.leader.console().get(address).context["late_edits"] == []


def test_case_20_a_deletion_that_has_not_seen_an_edit_loses(phones: Two, work: Work) -> None:
    """Expected: `conflict/field-conflict`; the edit stays, and the phone that discarded is shown it."""
    one, other = phones
    report = shared_draft(work, phones)
    one.discard(report)
    other.save({"remarks": "còn dùng"}, report)
    assert last(other.push())["status"] == "applied"
    lost = last(one.push())
    assert (lost["status"], lost["code"], lost["current"]["remarks"]) == (
        "conflict",
        "field-conflict",
        "còn dùng",
    )
    one.pull()
    assert InspectionReport.objects.get().remarks == "còn dùng"
    one.insist(lost["id"])
    assert last(one.push())["status"] == "applied"
    assert not InspectionReport.objects.exists()


def test_case_20_an_edit_of_what_was_deleted_is_kept(phones: Two, work: Work) -> None:
    """Expected: `conflict/deleted`; the text stays on the phone and in its mutation, the report stays away."""
    one, other = phones
    report = shared_draft(work, phones)
    one.discard(report)
    other.save({"remarks": "còn dùng"}, report)
    one.push()
    late = last(other.push())
    assert (late["status"], late["code"]) == ("conflict", "deleted")
    assert other.attention()[0]["sent"]["fields"] == {"remarks": "còn dùng"}
    assert json.loads(Mutation.objects.get(pk=late["id"]).payload)["fields"] == {"remarks": "còn dùng"}
    other.pull()
    assert report not in other.rows("inspection")
    assert not InspectionReport.objects.exists()


@pytest.mark.parametrize("status", ["closing", "closed", "withdrawn"])
def test_case_21_a_report_on_a_checklist_closed_meanwhile_is_taken(
    phones: Two, work: Work, status: str
) -> None:
    """Expected: `applied` with a warning, flagged for the reviewer; the phone keeps working on the version it holds."""
    one, _ = phones
    report = one.save(work.fields())
    one.sync()
    work.retire(status)
    one.submit({"remarks": "xong"}, report)
    new = one.submit(work.fields())
    results = one.push()
    assert [(r["status"], r["warnings"]) for r in results] == [("applied", [f"checklist-{status}"])] * 2
    one.pull()
    assert {one.report(pk)["state"] for pk in (report, new)} == {"complete"}
    assert one.report(report)["flags"] == [f"checklist-{status}"]
    assert (work.version in one.rows("checklist")) is (status == "closing")
