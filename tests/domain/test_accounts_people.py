"""Officers and postings: who may, what is written, what phones are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import (
    AlreadyPosted,
    OfficerSuspended,
    PasswordTooWeak,
    PostingEnded,
    SecondPersonNeeded,
    UsernameTaken,
)
from apps.accounts.models import Officer, Posting, Role
from apps.audit.models import Event
from apps.changes.models import Change, Entry
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM
from apps.common.errors import InvalidFields, NotAllowed
from apps.sync.queries import subscriptions
from tests.cast import PASSWORD, Cast


def test_create_officer_writes_row_audit_and_change(cast: Cast) -> None:
    officer = actions.create_officer(
        actor=cast.administrator.actor(),
        username=" New.One ",
        badge_no="HQ-77",
        full_name="  Ngô\u202e Thị Mới ",
        password=PASSWORD,
    )
    row = Officer.objects.get(pk=officer.pk)
    assert (row.username, row.full_name) == ("new.one", "Ngô Thị Mới")
    assert row.check_password(PASSWORD)
    assert not row.postings.exists()
    event = Event.objects.get(action="officer.created", oid=row.pk)
    assert event.actor_id == cast.administrator.officer.pk
    assert PASSWORD not in str(event.data)
    assert Change.objects.filter(kind="officer.created", oid=row.pk).exists()


@pytest.mark.parametrize("role", ["officer", "leader", "hq_reviewer", "trainer", "auditor", "liaison"])
def test_only_administrators_manage_people(cast: Cast, role: str) -> None:
    me = getattr(cast, role)
    actor, mate = me.actor(), cast.team_mate
    attempts: list[Callable[[], Any]] = [
        lambda: actions.create_officer(actor=actor, username="xx", badge_no="1", full_name="X"),
        lambda: actions.post_officer(actor=actor, officer=me.officer, unit=cast.hq, role=Role.ADMINISTRATOR),
        lambda: actions.end_posting(actor=actor, posting=mate.posting),
        lambda: actions.suspend_officer(actor=actor, officer=mate.officer, reason="x"),
        lambda: actions.reinstate_officer(actor=actor, officer=mate.officer, reason="x"),
        lambda: actions.set_password(actor=actor, officer=mate.officer, password="Long-enough-2024"),
    ]
    events = Event.objects.count()
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    assert Event.objects.count() == events


def test_names_are_checked_and_unique(cast: Cast) -> None:
    create = actions.create_officer
    taken = cast.officer.officer
    with pytest.raises(UsernameTaken):
        create(actor=SYSTEM, username=taken.username.upper(), badge_no="HQ-1", full_name="A")
    with pytest.raises(UsernameTaken):
        create(actor=SYSTEM, username="fresh", badge_no=taken.badge_no, full_name="A")
    with pytest.raises(InvalidFields) as caught:
        create(actor=SYSTEM, username="có dấu", badge_no="", full_name="\u200f")
    assert [p.pointer for p in caught.value.errors] == ["/username", "/badge_no", "/full_name"]
    for weak in ("short", "qwertyuiop123", "fresh-officer"):
        with pytest.raises(PasswordTooWeak):
            create(actor=SYSTEM, username="fresh-officer", badge_no="HQ-1", full_name="A", password=weak)
    assert not Officer.objects.filter(username__startswith="fresh").exists()


def test_without_a_password_nobody_signs_in(cast: Cast) -> None:
    officer = actions.create_officer(actor=SYSTEM, username="sso", badge_no="HQ-2", full_name="A")
    assert not officer.has_usable_password()


def test_an_officer_changes_their_own_password(cast: Cast) -> None:
    actions.set_password(
        actor=cast.officer.actor(), officer=cast.officer.officer, password="Moi-hai-dang-2025"
    )
    assert Officer.objects.get(pk=cast.officer.officer.pk).check_password("Moi-hai-dang-2025")


def test_posting_reaches_the_phone_with_names_in_both_languages(cast: Cast) -> None:
    posting = cast.officer.posting
    entry = Entry.objects.get(stream_id=post_stream(posting.pk), kind="posting", oid=posting.pk)
    body = orjson.loads(entry.body)
    assert body["unit"] == {
        "id": str(cast.noi_bai.pk),
        "code": "NBA",
        "vi": "Sân bay Nội Bài",
        "en": "Noi Bai Airport",
    }
    assert body["role"] == "officer"
    assert body["officer"]["full_name"] == "Nguyễn Văn An"
    assert body["valid_to"] is None
    assert set(body) == {"id", "unit", "role", "officer", "valid_from", "valid_to"}


def test_ending_a_posting_takes_rights_and_stream_at_once(cast: Cast) -> None:
    me = cast.officer
    assert post_stream(me.posting.pk) in subscriptions(me.actor())
    ended = actions.end_posting(actor=cast.administrator.actor(), posting=me.posting)
    assert ended.valid_to
    assert ended.valid_to <= timezone.now()
    assert me.actor().posts == ()
    assert subscriptions(me.actor()) == []
    entry = Entry.objects.get(stream_id=post_stream(me.posting.pk), kind="posting")
    assert entry.rev == 2
    assert orjson.loads(entry.body)["valid_to"]
    with pytest.raises(PostingEnded):
        actions.end_posting(actor=SYSTEM, posting=me.posting)


def test_a_posting_that_has_not_begun_ends_before_it_begins(cast: Cast) -> None:
    begin = timezone.now() + timedelta(days=3)
    posting = actions.post_officer(
        actor=SYSTEM, officer=cast.officer.officer, unit=cast.express, role=Role.OFFICER, valid_from=begin
    )
    assert actions.end_posting(actor=SYSTEM, posting=posting).valid_to == begin


def test_postings_do_not_overlap_in_one_role_at_one_unit(cast: Cast) -> None:
    me, now = cast.officer, timezone.now()

    def post(**term: Any) -> Posting:
        return actions.post_officer(
            actor=SYSTEM, officer=me.officer, unit=cast.noi_bai, role=Role.OFFICER, **term
        )

    with pytest.raises(AlreadyPosted):
        post()
    with pytest.raises(AlreadyPosted):
        post(valid_from=now - timedelta(days=400))
    post(valid_from=now - timedelta(days=400), valid_to=now - timedelta(days=390))
    actions.end_posting(actor=SYSTEM, posting=me.posting)
    post()
    assert Posting.objects.filter(officer=me.officer).count() == 3
    with pytest.raises(InvalidFields):
        post(valid_from=now, valid_to=now - timedelta(days=1))
    with pytest.raises(InvalidFields):
        actions.post_officer(actor=SYSTEM, officer=me.officer, unit=cast.hq, role="emperor")


def test_an_administrator_gives_themselves_nothing(cast: Cast) -> None:
    admin = cast.administrator
    for attempt in (
        lambda: actions.post_officer(
            actor=admin.actor(), officer=admin.officer, unit=cast.hq, role=Role.HQ_REVIEWER
        ),
        lambda: actions.reinstate_officer(actor=admin.actor(), officer=admin.officer, reason="x"),
    ):
        with pytest.raises(SecondPersonNeeded):
            attempt()


def test_a_suspended_officer_is_out_of_the_console_too(cast: Cast, rf: Any) -> None:
    me = cast.officer
    browser = me.console()
    actions.suspend_officer(actor=cast.administrator.actor(), officer=me.officer, reason="điều tra")
    assert me.actor().posts == ()
    assert authenticate(rf.post("/"), username="officer", password=PASSWORD) is None
    assert browser.get("/console/").status_code in {302, 403}
    event = Event.objects.get(action="officer.suspended", oid=me.officer.pk)
    assert event.data == {"reason": "điều tra"}
    actions.suspend_officer(actor=SYSTEM, officer=me.officer, reason="again")
    assert Event.objects.filter(action="officer.suspended").count() == 1
    with pytest.raises(OfficerSuspended):
        actions.post_officer(actor=SYSTEM, officer=me.officer, unit=cast.hq, role=Role.OFFICER)
    actions.reinstate_officer(actor=SYSTEM, officer=me.officer, reason="xong")
    assert len(me.actor().posts) == 1


def test_the_cast_has_the_relations_it_promises(cast: Cast) -> None:
    everyone = cast.everyone()
    assert len(everyone) == 19
    assert cast.noi_bai.pk in cast.region_leader.actor().reach_of(Role.LEADER)
    assert cast.noi_bai.pk not in cast.other_leader.actor().reach_of(Role.LEADER)
    assert [p.unit_id for p in cast.moved.actor().posts] == [cast.far_gate.pk]
    assert cast.suspended.actor().posts == ()
    names = set(Officer.objects.visible_to(cast.leader.actor()).values_list("username", flat=True))
    assert names == {"officer", "team_mate", "leader", "custodian", "suspended", "revoked"}
    assert set(Officer.objects.visible_to(cast.officer.actor())) == {cast.officer.officer}
