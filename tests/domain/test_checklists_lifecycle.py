"""The life of a version: every move from every state, four eyes, what phones hold, closing by date."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.actions import post_officer
from apps.audit.models import Event
from apps.checklists import actions
from apps.checklists.errors import (
    AuthorMayNotApprove,
    ContentNotValid,
    IllegalVersionMove,
    VersionNotNewer,
    VersionReasonMissing,
)
from apps.checklists.models import Checklist, ChecklistVersion, Status
from apps.common.actor import SYSTEM, Actor
from apps.common.errors import Conflict, NotAllowed
from tests.cast import Cast
from tests.domain.test_checklists_drafting import draft
from tests.reports import plain_content
from tests.work import at_once, check_feed, fresh, newest_change, newest_event

MOVES: dict[str, tuple[Callable[..., ChecklistVersion], dict[str, Any], str]] = {
    "submit": (actions.submit_for_review, {}, "trainer"),
    "approve": (actions.approve_version, {}, "approver"),
    "reject": (actions.reject_version, {"reason": "Thiếu bước"}, "approver"),
    "publish": (actions.publish_version, {}, "trainer"),
    "close": (actions.close_version, {}, "trainer"),
    "withdraw": (actions.withdraw_version, {"reason": "An toàn"}, "approver"),
}
LAWFUL = {
    ("submit", "draft"): ("in_review", "checklist.submitted"),
    ("approve", "in_review"): ("approved", "checklist.approved"),
    ("reject", "in_review"): ("draft", "checklist.rejected"),
    ("publish", "approved"): ("published", "checklist.published"),
    ("close", "closing"): ("closed", "checklist.closed"),
    ("withdraw", "approved"): ("withdrawn", "checklist.withdrawn"),
    ("withdraw", "published"): ("withdrawn", "checklist.withdrawn"),
    ("withdraw", "closing"): ("withdrawn", "checklist.withdrawn"),
}


def move(cast: Cast, verb: str, version: ChecklistVersion, **more: Any) -> ChecklistVersion:
    action, arguments, by = MOVES[verb]
    return action(actor=getattr(cast, by).actor(), version_id=version.pk, **arguments, **more)


def in_status(cast: Cast, status: str, semver: str = "1.0.0") -> ChecklistVersion:
    version = draft(cast, semver=semver)
    path = {
        "draft": [],
        "in_review": ["submit"],
        "approved": ["submit", "approve"],
        "published": ["submit", "approve", "publish"],
        "withdrawn": ["submit", "approve", "publish", "withdraw"],
        "closing": ["submit", "approve", "publish"],
        "closed": ["submit", "approve", "publish"],
    }[status]
    for verb in path:
        version = move(cast, verb, version)
    if status in {"closing", "closed"}:
        in_status(cast, "published", "9.0.0")
        version.refresh_from_db()
        if status == "closed":
            version = move(cast, "close", version)
    return version


def on_phone(actor: Actor) -> dict[str, str]:
    return {oid: body["status"] for (_, kind, oid), (_, body) in fresh(actor).items() if kind == "checklist"}


@pytest.mark.parametrize("status", [str(s) for s in Status])
@pytest.mark.parametrize("verb", MOVES)
def test_every_move_from_every_state(cast: Cast, verb: str, status: str) -> None:
    version = in_status(cast, status)
    assert version.status == status
    if (verb, status) not in LAWFUL:
        events = Event.objects.filter(oid=version.pk).count()
        with pytest.raises(IllegalVersionMove):
            move(cast, verb, version)
        assert Event.objects.filter(oid=version.pk).count() == events
        return
    after, change = LAWFUL[verb, status]
    done = move(cast, verb, version, base_rev=version.rev)
    done.refresh_from_db()
    assert (done.status, done.rev) == (after, version.rev + 1)
    assert (newest_change(done.pk).kind, newest_change(done.pk).rev) == (change, done.rev)
    assert (newest_event(done.pk).action, newest_event(done.pk).data["status"]) == (change, after)
    held = on_phone(cast.officer.actor())
    assert held.get(str(done.pk)) == (after if after in {"published", "closing"} else None)
    check_feed()


@pytest.mark.parametrize("verb", MOVES)
def test_a_move_on_an_old_revision_is_refused(cast: Cast, verb: str) -> None:
    status = next(status for v, status in LAWFUL if v == verb)
    version = in_status(cast, status)
    with pytest.raises(Conflict):
        move(cast, verb, version, base_rev=version.rev - 1)


@pytest.mark.parametrize("verb", MOVES)
@pytest.mark.parametrize(
    "person", ["officer", "leader", "hq_reviewer", "administrator", "auditor", "liaison"]
)
def test_others_move_nothing(cast: Cast, verb: str, person: str) -> None:
    version = in_status(cast, next(status for v, status in LAWFUL if v == verb))
    action, arguments, _ = MOVES[verb]
    with pytest.raises(NotAllowed):
        action(actor=getattr(cast, person).actor(), version_id=version.pk, **arguments)


def test_an_approver_does_not_submit_and_a_trainer_does_not_approve(cast: Cast) -> None:
    version = draft(cast)
    with pytest.raises(NotAllowed):
        actions.submit_for_review(actor=cast.approver.actor(), version_id=version.pk)
    move(cast, "submit", version)
    with pytest.raises(NotAllowed):
        actions.approve_version(actor=cast.trainer.actor(), version_id=version.pk)
    with pytest.raises(NotAllowed):
        actions.reject_version(actor=cast.trainer.actor(), version_id=version.pk, reason="x")


def test_nobody_who_wrote_in_a_version_approves_it(cast: Cast) -> None:
    post_officer(actor=SYSTEM, officer=cast.approver.officer, unit=cast.hq, role="trainer")
    version = draft(cast)
    actions.edit_version(actor=cast.approver.actor(), version_id=version.pk, content=plain_content())
    move(cast, "submit", version)
    with pytest.raises(AuthorMayNotApprove):
        move(cast, "approve", version)


def test_an_author_with_both_roles_does_not_approve(cast: Cast) -> None:
    post_officer(actor=SYSTEM, officer=cast.trainer.officer, unit=cast.hq, role="approver")
    version = move(cast, "submit", draft(cast))
    with pytest.raises(AuthorMayNotApprove):
        actions.approve_version(actor=cast.trainer.actor(), version_id=version.pk)


def test_an_approval_freezes_and_hashes(cast: Cast) -> None:
    version = in_status(cast, "approved")
    assert len(version.content_hash) == 64
    assert version.approver == cast.approver.officer
    assert version.approved_at
    assert newest_event(version.pk).data["hash"] == version.content_hash


def test_a_faulty_content_is_not_handed_in(cast: Cast) -> None:
    version = draft(cast, {"sections": []})
    with pytest.raises(ContentNotValid) as refused:
        move(cast, "submit", version)
    assert refused.value.errors


def test_a_step_keeps_its_kind_through_all_versions(cast: Cast) -> None:
    in_status(cast, "published")
    content = copy.deepcopy(plain_content())
    content["sections"][0]["steps"][0]["kind"] = "text"
    version = draft(cast, content, "2.0.0")
    with pytest.raises(ContentNotValid):
        move(cast, "submit", version)


@pytest.mark.parametrize("verb", ["reject", "withdraw"])
@pytest.mark.parametrize("reason", ["", " \n "])
def test_a_step_back_needs_a_reason(cast: Cast, verb: str, reason: str) -> None:
    version = in_status(cast, "in_review" if verb == "reject" else "published")
    action, _, by = MOVES[verb]
    with pytest.raises(VersionReasonMissing):
        action(actor=getattr(cast, by).actor(), version_id=version.pk, reason=reason)


def test_a_publication_moves_the_one_before_to_closing(cast: Cast) -> None:
    first = in_status(cast, "published")
    second = in_status(cast, "published", "1.1.0")
    before = first.rev
    first.refresh_from_db()
    assert (first.status, first.rev) == ("closing", before + 1)
    assert first.accept_until is not None
    assert dt.timedelta(89) < first.accept_until - timezone.now() < dt.timedelta(91)
    assert on_phone(cast.officer.actor()) == {str(first.pk): "closing", str(second.pk): "published"}
    assert newest_change(first.pk).kind == "checklist.closing"
    event = newest_event(first.pk)
    assert (event.action, event.data["by"]) == ("checklist.closing", "1.1.0"), "every move is in the audit"
    check_feed()


def test_a_third_publication_leaves_the_closing_one_closing(cast: Cast) -> None:
    versions = [in_status(cast, "published", f"1.{i}.0") for i in range(3)]
    for version in versions:
        version.refresh_from_db()
    assert [v.status for v in versions] == ["closing", "closing", "published"]


@pytest.mark.parametrize("semver", ["1.0.0", "0.9.0"])
def test_a_publication_is_newer_than_all_before(cast: Cast, semver: str) -> None:
    older = in_status(cast, "approved", semver) if semver != "1.0.0" else None
    in_status(cast, "published", "1.0.0" if older else "1.0.1")
    older = older or in_status(cast, "approved", semver)
    with pytest.raises(VersionNotNewer):
        move(cast, "publish", older)


def test_a_withdrawn_version_leaves_the_phones_at_once(cast: Cast) -> None:
    version = in_status(cast, "published")
    assert on_phone(cast.officer.actor())
    move(cast, "withdraw", version)
    assert on_phone(cast.officer.actor()) == {}
    version.refresh_from_db()
    assert version.status_note == "An toàn"


def test_closing_versions_close_when_their_time_is_up(cast: Cast) -> None:
    first = in_status(cast, "published")
    in_status(cast, "published", "1.1.0")
    assert actions.close_expired() == 0
    ChecklistVersion.objects.filter(pk=first.pk).update(accept_until=timezone.now() - dt.timedelta(seconds=1))
    assert actions.close_expired() == 1
    assert actions.close_expired() == 0
    first.refresh_from_db()
    assert first.status == "closed"
    assert newest_event(first.pk).actor_id is None


def test_liaisons_hold_no_checklists(cast: Cast) -> None:
    in_status(cast, "published")
    assert on_phone(cast.liaison.actor()) == {}
    assert not ChecklistVersion.objects.visible_to(cast.liaison.actor()).exists()


def test_work_in_progress_is_seen_by_trainers_and_approvers_alone(cast: Cast) -> None:
    version = in_status(cast, "approved")
    for name in ("trainer", "approver"):
        assert ChecklistVersion.objects.visible_to(getattr(cast, name).actor()).filter(pk=version.pk).exists()
    for name in ("officer", "leader", "hq_reviewer", "administrator", "liaison"):
        assert not ChecklistVersion.objects.visible_to(getattr(cast, name).actor()).exists()


@pytest.mark.django_db(transaction=True)
def test_two_publications_at_once_leave_one_published(cast: Cast) -> None:
    versions = [in_status(cast, "approved", f"1.{i}.0") for i in range(4)]
    actor = cast.trainer.actor()
    outcomes: list[str] = []

    def publish(version: ChecklistVersion) -> None:
        try:
            actions.publish_version(actor=actor, version_id=version.pk)
            outcomes.append("published")
        except VersionNotNewer:
            outcomes.append("not newer")

    assert at_once(*[partial(publish, v) for v in versions]) == []
    assert set(outcomes) <= {"published", "not newer"}, outcomes
    statuses = list(Checklist.objects.get().versions.order_by("semver").values_list("status", flat=True))
    assert statuses.count("published") == 1
    assert statuses.count("closing") == outcomes.count("published") - 1
    check_feed()
