"""Photos of reports: declared with the report's post, published with it, completing it when all have come."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from apps.accounts.actions import end_posting, post_officer
from apps.changes.actions import Item, record, relay
from apps.changes.models import Change, Reaction
from apps.common.actor import SYSTEM
from apps.common.errors import InvalidFields, NotAllowed
from apps.common.records import new_id
from apps.evidence.models import Attachment
from apps.inspections import tasks
from apps.inspections.actions import declare_photo, settle_media, submission
from apps.inspections.errors import ScopeRevoked
from apps.inspections.models import InspectionReport
from tests.cast import Cast, Member
from tests.work import Work, at_once, check_feed, newest_change


def declare(
    by: Member, report: UUID, *, photo: UUID | None = None, posting: Any = None, digit: str = "a"
) -> Attachment:
    return declare_photo(
        actor=by.actor(),
        report_id=report,
        photo_id=photo or new_id(),
        posting=posting,
        sha256=digit * 64,
        size=10,
        mime="image/jpeg",
        step_key="step_3",
    )


def arrive(photo: Attachment) -> None:
    """Store the bytes as the evidence app says it."""
    Attachment.objects.filter(pk=photo.pk).update(state="stored", original="originals/x")
    with transaction.atomic():
        record(SYSTEM, Item("attachment.stored", "attachment", photo.pk, 2))


def owed() -> list[int]:
    relay({"attachment.stored": ["inspections.settle_media"]}, lambda task, ids: None)
    return list(Reaction.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True))


def test_photos_declared_before_their_report_are_drafts_until_it_comes(work: Work, cast: Cast) -> None:
    report_id, photo_id = new_id(), new_id()
    photo = declare(cast.officer, report_id, photo=photo_id)
    assert (photo.is_draft, photo.posting_id) == (True, cast.officer.posting.pk)
    work.submit(work.fields(photos={"step_3": [str(photo_id)]}), report=report_id)
    assert not Attachment.objects.get(pk=photo_id).is_draft
    assert Attachment.objects.visible_to(cast.leader.actor()).filter(pk=photo_id).exists()
    check_feed()


def test_photos_declared_after_their_report_was_submitted_are_seen_at_once(work: Work, cast: Cast) -> None:
    photo_id = new_id()
    report = work.submit(work.fields(photos={"step_3": [str(photo_id)]})).report
    photo = declare(cast.officer, report.pk, photo=photo_id)
    assert not photo.is_draft
    assert Attachment.objects.visible_to(cast.leader.actor()).filter(pk=photo_id).exists()
    check_feed()


def test_a_photo_belongs_to_the_post_its_report_was_made_from(work: Work, cast: Cast) -> None:
    second = post_officer(actor=SYSTEM, officer=cast.officer.officer, unit=cast.express, role="officer")
    report = work.save(work.fields(posting=str(second.pk))).report
    photo = declare(cast.officer, report.pk)
    assert (photo.posting_id, photo.unit_id) == (second.pk, cast.express.pk)
    with pytest.raises(InvalidFields):
        declare(cast.officer, new_id())
    named = declare(cast.officer, new_id(), posting=str(second.pk))
    assert named.posting_id == second.pk


def test_a_photo_of_a_report_from_a_post_that_ended_is_taken(work: Work, cast: Cast) -> None:
    report = work.submit(work.fields(photos={"step_3": [str(new_id())]})).report
    end_posting(actor=SYSTEM, posting=cast.officer.posting)
    assert declare(cast.officer, report.pk).unit_id == cast.noi_bai.pk
    with pytest.raises(ScopeRevoked):
        declare(cast.officer, new_id())


@pytest.mark.parametrize("whose", ["team_mate", "outsider", "leader"])
def test_nobody_puts_a_photo_to_somebody_elses_report(work: Work, cast: Cast, whose: str) -> None:
    report = work.submit().report
    with pytest.raises(NotAllowed):
        declare(getattr(cast, whose), report.pk)
    assert not Attachment.objects.exists()


def test_a_report_is_complete_when_its_last_photo_has_come(work: Work, cast: Cast) -> None:
    ids = [new_id(), new_id()]
    report = work.submit(work.fields(photos={"step_3": [str(i) for i in ids]})).report
    photos = [declare(cast.officer, report.pk, photo=pk, digit=d) for pk, d in zip(ids, "ab", strict=True)]
    arrive(photos[0])
    tasks.settle_media(owed())
    report.refresh_from_db()
    assert report.state == "media_pending"
    arrive(photos[1])
    tasks.settle_media(owed())
    report.refresh_from_db()
    assert (report.state, report.rev) == ("complete", 2)
    change = newest_change(report.pk)
    assert (change.kind, change.data["days"]) == ("inspection.completed", [str(report.occurred_on)])
    check_feed()


def test_the_same_arrival_twice_changes_nothing(work: Work, cast: Cast) -> None:
    photo_id = new_id()
    report = work.submit(work.fields(photos={"step_3": [str(photo_id)]})).report
    arrive(declare(cast.officer, report.pk, photo=photo_id))
    reactions = owed()
    tasks.settle_media(reactions)
    changes = Change.objects.count()
    tasks.settle_media(reactions)
    tasks.settle_media([*reactions, 999_999])
    settle_media(actor=SYSTEM, report_id=report.pk)
    report.refresh_from_db()
    assert (report.state, report.rev, Change.objects.count()) == ("complete", 2, changes)


def test_photos_without_a_report_owe_nothing(work: Work, cast: Cast) -> None:
    arrive(declare(cast.officer, new_id()))
    tasks.settle_media(owed())
    assert Reaction.objects.filter(done_at=None).count() == 0


@pytest.mark.parametrize("state", ["under_review", "returned", "approved", "voided"])
def test_a_late_photo_moves_only_what_waits_for_it(work: Work, cast: Cast, state: str) -> None:
    report = work.in_state(state)
    settle_media(actor=SYSTEM, report_id=report.pk)
    assert InspectionReport.objects.get(pk=report.pk).state == state


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_arrives_while_its_report_is_submitted_is_not_waited_for(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, report_id, photo_id = Work(cast), new_id(), new_id()
    photo = declare(cast.officer, report_id, photo=photo_id)
    inside, freeze = threading.Event(), submission._freeze

    def freeze_slowly(*arguments: Any) -> None:
        inside.set()
        time.sleep(0.3)  # the other transaction would commit now if nothing held it
        freeze(*arguments)

    def store() -> None:
        inside.wait(5)
        with transaction.atomic():
            Attachment.objects.select_for_update().get(pk=photo.pk)
            arrive(photo)
        tasks.settle_media(owed())

    monkeypatch.setattr(submission, "_freeze", freeze_slowly)
    fields = work.fields(photos={"step_3": [str(photo_id)]})
    assert at_once(lambda: work.submit(fields, report=report_id), store) == []
    assert InspectionReport.objects.get(pk=report_id).state == "complete"
