"""Review: take up, return with notes, approve, void; by whom, from which state, on which revision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.audit.models import Event
from apps.common.errors import DomainError, InvalidFields, NotFound
from apps.common.records import new_id
from apps.inspections import actions
from apps.inspections.errors import (
    NoteRequired,
    NotReviewer,
    OwnReport,
    PhotosMissing,
    ReportVoided,
    StateChanged,
)
from apps.inspections.models import COUNTED, InspectionReport, ReviewNote, State
from tests.cast import Cast, Member
from tests.unit.test_inspection_rules import LAWFUL
from tests.work import Work, check_feed, fresh, newest_change, newest_event

Verb = Callable[..., InspectionReport]
VERBS: dict[str, tuple[Verb, dict[str, Any]]] = {
    "start_review": (actions.start_review, {}),
    "return": (actions.return_for_correction, {"notes": [], "note": "Bổ sung ảnh"}),
    "approve": (actions.approve_inspection, {"note": "Đạt"}),
    "void": (actions.void_inspection, {"reason": "Nhập trùng"}),
}
KINDS = {
    "start_review": "inspection.review_started",
    "return": "inspection.returned",
    "approve": "inspection.approved",
    "void": "inspection.voided",
}


def do(verb: str, by: Member, report: InspectionReport, base_rev: int | None = None) -> InspectionReport:
    action, arguments = VERBS[verb]
    return action(actor=by.actor(), report_id=report.pk, base_rev=base_rev, **arguments)


@pytest.mark.parametrize("state", [str(s) for s in State])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_every_state(work: Work, cast: Cast, verb: str, state: str) -> None:
    report = work.in_state(state)
    if (verb, state) in LAWFUL:
        done = do(verb, cast.leader, report)
        done.refresh_from_db()
        assert (done.state, done.rev) == (LAWFUL[verb, state], report.rev + 1)
        assert (newest_change(report.pk).kind, newest_change(report.pk).rev) == (KINDS[verb], done.rev)
        assert newest_change(report.pk).data["days"] == [str(report.occurred_on)]
        assert newest_event(report.pk).action == KINDS[verb]
        assert newest_event(report.pk).actor_id == cast.leader.officer.pk
        check_feed()
        return
    events = Event.objects.filter(oid=report.pk).count()
    refusal: type[DomainError] = StateChanged
    if state == "local_draft":
        refusal = NotFound  # a draft is its author's alone
    elif state == "voided":
        refusal = ReportVoided
    with pytest.raises(refusal):
        do(verb, cast.leader, report)
    assert Event.objects.filter(oid=report.pk).count() == events
    assert InspectionReport.objects.get(pk=report.pk).rev == report.rev


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("person", "refusal"),
    [
        ("leader", None),
        ("region_leader", None),
        ("hq_reviewer", None),
        ("officer", NotReviewer),
        ("team_mate", NotFound),
        ("neighbour", NotFound),
        ("outsider", NotFound),
        ("other_leader", NotFound),
        ("hq_analyst", NotReviewer),
        ("hq_statistics", NotFound),
        ("trainer", NotFound),
        ("approver", NotFound),
        ("custodian", NotFound),
        ("administrator", NotFound),
        ("auditor", NotFound),
        ("liaison", NotFound),
        ("suspended", NotFound),
    ],
)
def test_who_reviews(
    work: Work, cast: Cast, verb: str, person: str, refusal: type[DomainError] | None
) -> None:
    report = work.in_state("complete")
    if refusal is None:
        do(verb, getattr(cast, person), report)
        return
    with pytest.raises(refusal):
        do(verb, getattr(cast, person), report)
    report.refresh_from_db()
    assert report.state == "complete"


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_reviews_their_own(work: Work, cast: Cast, verb: str) -> None:
    report = work.in_state("complete", by=cast.leader)
    with pytest.raises(OwnReport):
        do(verb, cast.leader, report)
    do(verb, cast.region_leader, report)


@pytest.mark.parametrize("verb", VERBS)
def test_an_unseen_report_looks_like_none(work: Work, cast: Cast, verb: str) -> None:
    report = work.in_state("complete")
    refusals = []
    for oid in (report.pk, new_id()):
        action, arguments = VERBS[verb]
        with pytest.raises(NotFound) as refused:
            action(actor=cast.other_leader.actor(), report_id=oid, **arguments)
        refusals.append((refused.value.code, refused.value.detail, refused.value.current))
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("verb", VERBS)
def test_a_decision_on_an_old_revision_is_refused_and_shows_the_newest(
    work: Work, cast: Cast, verb: str
) -> None:
    report = work.in_state("complete")
    with pytest.raises(StateChanged) as refused:
        do(verb, cast.leader, report, base_rev=report.rev + 1)
    assert (refused.value.current or {})["number"] == report.number
    do(verb, cast.leader, report, base_rev=report.rev)


def test_a_report_returns_to_the_phone_with_its_notes(work: Work, cast: Cast) -> None:
    report = work.submit().report
    notes = [
        {"step_key": "step_3", "text": " Ảnh mờ\u202e "},
        {"step_key": "", "text": "Xem lại toàn bộ"},
        {"step_key": "step_4", "text": "  "},
    ]
    done = actions.return_for_correction(
        actor=cast.leader.actor(), report_id=report.pk, notes=notes, note="Bổ sung"
    )
    assert (done.state, done.review_note, done.reviewer) == ("returned", "Bổ sung", cast.leader.officer)
    rows = list(ReviewNote.objects.values_list("version", "step_key", "text", "author"))
    leader = cast.leader.officer.pk
    assert rows == [
        (1, "step_3", "Ảnh mờ", leader),
        (1, "", "Xem lại toàn bộ", leader),
        (1, "", "Bổ sung", leader),
    ]
    phone = fresh(cast.officer.actor())
    body = next(body for (_, kind, oid), (_, body) in phone.items() if oid == str(report.pk))
    assert [(n["step_key"], n["text"]) for n in body["notes"]] == [
        ("step_3", "Ảnh mờ"),
        ("", "Xem lại toàn bộ"),
        ("", "Bổ sung"),
    ]
    assert (body["state"], body["review_note"]) == ("returned", "Bổ sung")
    assert newest_event(report.pk).data["note"] == "Bổ sung"


@pytest.mark.parametrize(
    ("notes", "note", "pointer"),
    [
        ([], "", "/note"),
        ([{"step_key": "step_0", "text": " "}], " ", "/note"),
        ([{"step_key": "nowhere", "text": "x"}], "", "/notes/0/step_key"),
        ([{"step_key": "step_0", "text": "x" * 4001}], "", "/notes/0/text"),
    ],
)
def test_a_return_says_why(
    work: Work, cast: Cast, notes: list[dict[str, str]], note: str, pointer: str
) -> None:
    report = work.submit().report
    with pytest.raises(InvalidFields) as refused:
        actions.return_for_correction(actor=cast.leader.actor(), report_id=report.pk, notes=notes, note=note)
    assert [p.pointer for p in refused.value.errors] == [pointer]
    assert not ReviewNote.objects.exists()
    report.refresh_from_db()
    assert report.state == "complete"


def test_missing_photos_block_an_approval(work: Work, cast: Cast) -> None:
    report = actions.start_review(actor=cast.leader.actor(), report_id=work.in_state("media_pending").pk)
    photo = report.photos["step_3"][0]
    with pytest.raises(PhotosMissing) as refused:
        do("approve", cast.leader, report)
    assert refused.value.current == {"missing": [photo]}
    work.photo(report.pk, photo=photo, state="expected")
    with pytest.raises(PhotosMissing):
        do("approve", cast.leader, report)
    attachment = work.photo(report.pk, state="stored")
    InspectionReport.objects.filter(pk=report.pk).update(photos={"step_3": [str(attachment.pk)]})
    assert do("approve", cast.leader, report).state == "approved"


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_void_needs_a_reason(work: Work, cast: Cast, reason: str) -> None:
    report = work.submit().report
    with pytest.raises(NoteRequired):
        actions.void_inspection(actor=cast.leader.actor(), report_id=report.pk, reason=reason)


def test_a_voided_report_no_longer_counts_and_stays_on_record(work: Work, cast: Cast) -> None:
    report = work.submit().report
    counted = InspectionReport.objects.filter(state__in=COUNTED)
    assert counted.count() == 1
    done = do("void", cast.leader, report)
    assert counted.count() == 0
    assert (done.review_note, done.number) == ("Nhập trùng", report.number)
    assert newest_change(report.pk).data["days"] == [str(report.occurred_on)]
    rows = fresh(cast.officer.actor())
    assert [b["state"] for (_, _, oid), (_, b) in rows.items() if oid == str(report.pk)] == ["voided"]


def test_drafts_do_not_count(work: Work) -> None:
    work.save()
    assert not InspectionReport.objects.filter(state__in=COUNTED).exists()
