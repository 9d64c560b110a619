"""Edits from phones: `save_inspection` and `discard_inspection`; what merges, what conflicts, what is refused."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.actions import end_posting, post_officer
from apps.accounts.models import Posting
from apps.audit.models import Event
from apps.changes.models import Change, Entry
from apps.changes.rules import post_stream
from apps.checklists import actions as checklists
from apps.checklists.models import ChecklistVersion
from apps.common.actor import SYSTEM
from apps.common.errors import DomainError, ExistsDifferent, InvalidFields, NotAllowed
from apps.common.records import new_id
from apps.inspections.actions import discard_inspection
from apps.inspections.errors import (
    FieldConflict,
    ReportVoided,
    ScopeRevoked,
    StateChanged,
    StateLocked,
)
from apps.inspections.models import InspectionReport
from tests.cast import Cast
from tests.work import Work, check_feed, newest_change, newest_event


def faults(refused: pytest.ExceptionInfo[Any]) -> list[tuple[str, str]]:
    return [(p.pointer, p.code) for p in refused.value.errors]


def entry(report: InspectionReport) -> Entry:
    return Entry.objects.get(stream_id=post_stream(report.posting_id), kind="inspection", oid=report.pk)


def test_a_new_draft_is_a_row_a_change_an_entry_and_an_event(work: Work, cast: Cast) -> None:
    edit = work.save()
    report = InspectionReport.objects.get(pk=edit.report.pk)
    assert (report.state, report.rev, report.version, report.number) == ("local_draft", 1, 0, None)
    assert (report.unit, report.posting, report.officer) == (
        cast.noi_bai,
        cast.officer.posting,
        cast.officer.officer,
    )
    assert report.is_draft
    assert (edit.merged, edit.warnings) == (False, ())
    change = newest_change(report.pk)
    assert (change.kind, change.rev, change.actor_id) == ("inspection.saved", 1, cast.officer.officer.pk)
    assert change.data == {"unit": str(cast.noi_bai.pk), "days": []}
    event = newest_event(report.pk)
    assert (event.action, event.actor_id) == ("inspection.saved", cast.officer.officer.pk)
    assert event.data["state"] == "local_draft"
    assert (entry(report).op, entry(report).rev) == ("put", 1)
    check_feed()


def test_a_patch_raises_the_revision_once_and_remembers_where(work: Work) -> None:
    report = work.save().report
    edit = work.save({"remarks": "  Đã cân lại\u202e "}, report=report.pk, base_rev=1)
    report.refresh_from_db()
    assert (report.rev, report.remarks) == (2, "Đã cân lại")
    assert report.field_revs["remarks"] == 2
    assert report.field_revs["place"] == 1
    assert not edit.merged
    assert newest_event(report.pk).data["fields"] == ["remarks"]
    assert entry(report).rev == 2
    check_feed()


def test_a_patch_that_changes_nothing_leaves_no_trace(work: Work) -> None:
    report = work.save().report
    before = Change.objects.count(), Event.objects.count()
    edit = work.save({"place": report.place}, report=report.pk, base_rev=1)
    assert edit.report.rev == 1
    assert (Change.objects.count(), Event.objects.count()) == before


def test_edits_of_different_fields_from_one_base_merge(work: Work) -> None:
    report = work.save().report
    first = work.save({"remarks": "một", "answers": {"step_3": {"value": "A"}}}, report=report.pk, base_rev=1)
    second = work.save({"place": "hai", "answers": {"step_7": {"value": "B"}}}, report=report.pk, base_rev=1)
    assert (first.merged, second.merged) == (False, True)
    report.refresh_from_db()
    assert (report.rev, report.remarks, report.place) == (3, "một", "hai")
    assert report.answers["step_3"] == {"value": "A"}
    assert report.answers["step_7"] == {"value": "B"}


def test_edits_of_one_field_from_one_base_conflict_and_nothing_is_written(work: Work) -> None:
    report = work.save().report
    work.save({"remarks": "một", "answers": {"step_3": {"value": "A"}}}, report=report.pk, base_rev=1)
    with pytest.raises(FieldConflict) as refused:
        work.save(
            {"remarks": "hai", "place": "mới", "answers": {"step_3": {"value": "B"}}},
            report=report.pk,
            base_rev=1,
        )
    assert refused.value.fields == ("answers.step_3", "remarks")
    assert refused.value.current == {"answers.step_3": {"value": "A"}, "remarks": "một"}
    report.refresh_from_db()
    assert (report.rev, report.remarks, report.place) == (2, "một", "Kho chuyển phát nhanh")


def test_the_same_value_from_one_base_is_no_conflict(work: Work) -> None:
    report = work.save().report
    work.save({"remarks": "một"}, report=report.pk, base_rev=1)
    edit = work.save({"remarks": "một", "place": "mới"}, report=report.pk, base_rev=1)
    assert (edit.report.rev, edit.report.remarks, edit.report.place) == (3, "một", "mới")


def test_an_answer_is_removed_by_null(work: Work) -> None:
    report = work.save().report
    work.save({"answers": {"step_3": None}, "remarks": None}, report=report.pk, base_rev=1)
    report.refresh_from_db()
    assert "step_3" not in report.answers
    assert report.remarks == ""


def test_unknown_fields_are_kept_and_merge_like_others(work: Work) -> None:
    report = work.save(work.fields(weather="mưa")).report
    work.save({"weather": "nắng", "wind": 3}, report=report.pk, base_rev=1)
    with pytest.raises(FieldConflict):
        work.save({"weather": "gió"}, report=report.pk, base_rev=1)
    report.refresh_from_db()
    assert report.extra == {"weather": "nắng", "wind": 3}


def test_unknown_fields_have_a_limit(work: Work) -> None:
    report = work.save().report
    work.save({f"x{i}": i for i in range(150)}, report=report.pk, base_rev=1)
    with pytest.raises(InvalidFields) as refused:
        work.save({f"y{i}": i for i in range(150)}, report=report.pk, base_rev=2)
    assert [code for _, code in faults(refused)] == ["too-many"]


def test_fields_of_the_server_cannot_be_written(work: Work) -> None:
    report = work.save(
        work.fields(state="approved", number="IR-1", version=9, unit=str(new_id()), rev=7)
    ).report
    report.refresh_from_db()
    assert (report.state, report.number, report.version, report.rev) == ("local_draft", None, 0, 1)


def test_the_same_creation_again_is_accepted_and_another_one_is_not(work: Work) -> None:
    report = work.save().report
    fields = {"checklist_version": work.version, "place": "Kho chuyển phát nhanh"}
    again = work.save(fields, report=report.pk)
    assert again.report.rev == 1
    with pytest.raises(ExistsDifferent) as refused:
        work.save(work.fields(place="Nơi khác"), report=report.pk)
    assert (refused.value.current or {})["place"] == "Kho chuyển phát nhanh"


@pytest.mark.parametrize("state", ["complete", "under_review", "approved", "locked"])
def test_the_same_creation_again_is_accepted_whatever_became_of_it(work: Work, state: str) -> None:
    report = work.in_state(state)
    before = Change.objects.count()
    edit = work.save({"place": report.place}, report=report.pk)
    assert (edit.report.state, Change.objects.count()) == (state, before)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("local_draft", None),
        ("returned", None),
        ("received", StateLocked),
        ("media_pending", StateLocked),
        ("complete", StateLocked),
        ("under_review", StateChanged),
        ("approved", StateChanged),
        ("locked", StateChanged),
        ("voided", ReportVoided),
    ],
)
def test_which_states_can_be_edited(work: Work, state: str, refusal: type[DomainError] | None) -> None:
    report = work.in_state(state)
    if refusal is None:
        assert work.save({"remarks": "thêm"}, report=report.pk, base_rev=report.rev).report.state == state
        return
    with pytest.raises(refusal) as refused:
        work.save({"remarks": "thêm"}, report=report.pk, base_rev=report.rev)
    assert (refused.value.current or {})["state"] == state, "both versions are shown"
    report.refresh_from_db()
    assert report.remarks == ""


def test_somebody_elses_report_looks_like_none(work: Work, cast: Cast) -> None:
    report = work.save().report
    refusals = []
    for oid in (report.pk, new_id()):
        with pytest.raises(NotAllowed) as refused:
            work.save({"remarks": "x"}, report=oid, base_rev=1, by=cast.team_mate)
        refusals.append(
            (type(refused.value), refused.value.code, refused.value.errors, refused.value.current)
        )
    assert refusals[0] == refusals[1]
    assert refusals[0][1] == "forbidden"
    for oid in (report.pk, new_id()):
        discard_inspection(actor=cast.team_mate.actor(), report_id=oid, base_rev=1)
    assert InspectionReport.objects.filter(pk=report.pk).exists()


def test_a_leader_does_not_edit_an_officers_report(work: Work, cast: Cast) -> None:
    report = work.in_state("returned")
    with pytest.raises(NotAllowed):
        work.save({"remarks": "x"}, report=report.pk, base_rev=report.rev, by=cast.leader)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"checklist_version": None}, ("/fields/checklist_version", "required")),
        ({"checklist_version": "x"}, ("/fields/checklist_version", "type")),
        ({"checklist_version": {"a": 1}}, ("/fields/checklist_version", "type")),
        ({"checklist_version": str(new_id())}, ("/fields/checklist_version", "unknown")),
        ({"content_hash": "0" * 64}, ("/fields/content_hash", "hash-differs")),
        ({"content_hash": 5}, ("/fields/content_hash", "hash-differs")),
        ({"posting": "x"}, ("/fields/posting", "type")),
        ({"mode": "balloon"}, ("/fields/mode", "choice")),
        ({"answers": {"step_0": {"value": "yes"}}}, ("/fields/answers/step_0/value", "wrong-type")),
        ({"answers": {"nowhere": {"value": 1}}}, ("/fields/answers/nowhere", "unknown-step")),
        ({"photos": {"nowhere": [str(new_id())]}}, ("/fields/photos/nowhere", "unknown-step")),
        ({"photos.step_0": 5}, ("/fields/photos.step_0", "name")),
        ({"place": "שׁ" * 200}, ("/fields/place", "max-length")),
    ],
)
def test_faults_are_named_by_place(work: Work, fields: dict[str, Any], fault: tuple[str, str]) -> None:
    with pytest.raises(InvalidFields) as refused:
        work.save(work.fields(**fields))
    assert faults(refused) == [fault]
    assert not InspectionReport.objects.exists()


def test_checklist_and_posting_stay_what_they_were(work: Work, cast: Cast) -> None:
    report = work.save().report
    with pytest.raises(InvalidFields) as refused:
        work.save(
            {"checklist_version": str(new_id()), "posting": str(new_id())}, report=report.pk, base_rev=1
        )
    assert sorted(faults(refused)) == [("/fields/checklist_version", "fixed"), ("/fields/posting", "fixed")]
    same = {"checklist_version": work.version.upper(), "posting": str(report.posting_id)}
    assert work.save(same, report=report.pk, base_rev=1).report.rev == 1


@pytest.mark.parametrize("status", ["draft", "in_review", "approved", "withdrawn-unpublished"])
def test_a_version_that_was_never_published_takes_no_reports(work: Work, cast: Cast, status: str) -> None:
    first = ChecklistVersion.objects.get(pk=work.version)
    trainer, approver = cast.trainer.actor(), cast.approver.actor()
    version = checklists.create_version(
        actor=trainer, checklist=first.checklist, semver="2.0.0", content=first.content
    )
    if status != "draft":
        checklists.submit_for_review(actor=trainer, version_id=version.pk)
    if status in {"approved", "withdrawn-unpublished"}:
        checklists.approve_version(actor=approver, version_id=version.pk)
    if status == "withdrawn-unpublished":
        checklists.withdraw_version(actor=trainer, version_id=version.pk, reason="Sai")
    with pytest.raises(InvalidFields) as refused:
        work.save(work.fields(checklist_version=str(version.pk)))
    assert faults(refused) == [("/fields/checklist_version", "unknown")]


@pytest.mark.parametrize("status", ["closing", "closed", "withdrawn"])
def test_work_on_a_version_that_ended_is_taken_with_a_warning(work: Work, status: str) -> None:
    began_before = work.save().report
    work.retire(status)
    assert work.save().warnings == (f"checklist-{status}",)
    edit = work.save({"remarks": "x"}, report=began_before.pk, base_rev=1)
    assert edit.warnings == (f"checklist-{status}",)


def _end(posting: Posting, days: float) -> None:
    Posting.objects.filter(pk=posting.pk).update(valid_to=timezone.now() - dt.timedelta(days=days))


def test_work_for_a_post_one_left_is_taken_for_seven_days(work: Work, cast: Cast) -> None:
    old = cast.officer.posting
    report = work.save().report
    _end(old, 6.9)
    post_officer(actor=SYSTEM, officer=cast.officer.officer, unit=cast.far_gate, role="officer")
    late = work.save(work.fields(posting=str(old.pk)))
    assert late.warnings == ("late-after-move",)
    assert (late.report.unit_id, late.report.posting_id) == (cast.noi_bai.pk, old.pk)
    assert work.save({"remarks": "x"}, report=report.pk, base_rev=1).warnings == ("late-after-move",)
    _end(old, 7.1)
    with pytest.raises(ScopeRevoked):
        work.save(work.fields(posting=str(old.pk)))
    with pytest.raises(ScopeRevoked):
        work.save({"remarks": "y"}, report=report.pk, base_rev=2)
    assert work.save().report.unit_id == cast.far_gate.pk, "new work goes to the new gate"


def test_another_persons_posting_is_no_scope(work: Work, cast: Cast) -> None:
    for posting in (str(cast.team_mate.posting.pk), str(new_id())):
        with pytest.raises(ScopeRevoked):
            work.save(work.fields(posting=posting))


def test_who_holds_two_posts_says_which(work: Work, cast: Cast) -> None:
    second = post_officer(actor=SYSTEM, officer=cast.officer.officer, unit=cast.express, role="officer")
    with pytest.raises(InvalidFields) as refused:
        work.save()
    assert faults(refused) == [("/fields/posting", "required")]
    assert work.save(work.fields(posting=str(second.pk))).report.unit_id == cast.express.pk


def test_who_does_not_inspect_makes_no_report(work: Work, cast: Cast) -> None:
    for person in (cast.trainer, cast.hq_analyst, cast.administrator, cast.custodian, cast.liaison):
        with pytest.raises(ScopeRevoked):
            work.save(by=person)
    assert work.save(by=cast.leader).report.unit_id == cast.noi_bai.pk


def test_a_discarded_draft_is_gone_and_its_text_stays_in_the_audit(work: Work, cast: Cast) -> None:
    report = work.save(work.fields(remarks="giữ lại")).report
    discard_inspection(actor=cast.officer.actor(), report_id=report.pk, base_rev=1)
    assert not InspectionReport.objects.filter(pk=report.pk).exists()
    event = newest_event(report.pk)
    assert event.action == "inspection.discarded"
    assert event.data["body"]["remarks"] == "giữ lại"
    assert newest_change(report.pk).kind == "inspection.discarded"
    assert (entry(report).op, entry(report).body) == ("del", "{}")
    check_feed()
    discard_inspection(actor=cast.officer.actor(), report_id=report.pk, base_rev=1)
    assert Change.objects.filter(kind="inspection.discarded").count() == 1


def test_an_edit_of_a_discarded_draft_is_a_conflict_for_its_officer_alone(work: Work, cast: Cast) -> None:
    report = work.save().report
    discard_inspection(actor=cast.officer.actor(), report_id=report.pk, base_rev=1)
    with pytest.raises(ReportVoided):
        work.save({"remarks": "x"}, report=report.pk, base_rev=1)
    with pytest.raises(NotAllowed):
        work.save({"remarks": "x"}, report=report.pk, base_rev=1, by=cast.team_mate)


def test_a_discarded_draft_can_be_made_again(work: Work, cast: Cast) -> None:
    report = work.save().report
    discard_inspection(actor=cast.officer.actor(), report_id=report.pk, base_rev=1)
    again = work.save(report=report.pk).report
    assert (again.rev, entry(again).op) == (1, "put")
    check_feed()


def test_a_deletion_that_has_not_seen_an_edit_is_a_conflict(work: Work, cast: Cast) -> None:
    report = work.save().report
    work.save({"remarks": "mới"}, report=report.pk, base_rev=1)
    with pytest.raises(FieldConflict) as refused:
        discard_inspection(actor=cast.officer.actor(), report_id=report.pk, base_rev=1)
    assert refused.value.fields == ("remarks",)
    discard_inspection(actor=cast.officer.actor(), report_id=report.pk, base_rev=2)
    assert not InspectionReport.objects.filter(pk=report.pk).exists()


@pytest.mark.parametrize("state", ["complete", "under_review", "returned", "approved", "voided"])
def test_what_was_submitted_is_never_discarded(work: Work, cast: Cast, state: str) -> None:
    report = work.in_state(state)
    with pytest.raises(StateLocked):
        discard_inspection(actor=cast.officer.actor(), report_id=report.pk, base_rev=report.rev)
    assert InspectionReport.objects.filter(pk=report.pk, state=state).exists()


def test_an_ended_posting_keeps_its_drafts_editable_within_the_grace(work: Work, cast: Cast) -> None:
    report = work.save().report
    end_posting(actor=SYSTEM, posting=cast.officer.posting)
    edit = work.save({"remarks": "x"}, report=report.pk, base_rev=1)
    assert edit.warnings == ("late-after-move",)
    assert isinstance(edit.report.pk, UUID)
