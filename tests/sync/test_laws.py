"""The laws of synchronisation as properties: whatever people do, in whatever order, phones agree with the server.

1. After any actions, what a phone held plus a pull equals what a fresh phone loads.
2. Sending a batch twice changes nothing.
4. What reaches a phone is what its officer may see and a phone may hold, and all of it.
(Law 3 is for the real phones of tests/phone.py; law 5 stands in tests/domain/test_changes_feed.py.)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.actions import end_posting, post_officer
from apps.accounts.models import Posting, current
from apps.audit.models import Event
from apps.changes.models import Change, Entry, Stream
from apps.changes.rules import REF, post_stream
from apps.checklists import actions as checklists
from apps.checklists.models import ChecklistVersion
from apps.checklists.queries import body as checklist_body
from apps.common.actor import SYSTEM, Actor
from apps.common.errors import DomainError
from apps.evidence.models import Attachment
from apps.evidence.queries import body as attachment_body
from apps.inspections import actions
from apps.inspections.models import InspectionReport, ReportVersion, ReviewNote
from apps.inspections.queries import body as report_body
from apps.sync.actions import push
from apps.sync.models import Mutation
from tests.cast import Cast, Member
from tests.work import Key, Pocket, Work, check_feed, fresh

EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def example() -> Iterator[None]:
    """One example on the same ground: what it does is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class Story:
    """People doing things at random; what is refused is refused and the story goes on."""

    def __init__(self, work: Work, seed: int) -> None:
        self.work, self.cast = work, work.cast
        self.dice = random.Random(seed)
        self.reports: list[UUID] = [UUID(int=self.dice.getrandbits(128), version=4) for _ in range(4)]
        self.done = 0

    def step(self, verb: str) -> None:
        """Let one thing happen."""
        try:
            with transaction.atomic():
                getattr(self, verb)()
            self.done += 1
        except DomainError:
            pass

    def save(self) -> None:
        """Save or create, on the newest revision or an old one."""
        report, rev = self._report()
        word = {"remarks": self.dice.choice("abc")}
        fields = word if rev else self.work.fields(**word)
        self.work.save(
            fields, report=report, base_rev=self.dice.choice([rev, max(rev - 1, 0)]) or None, by=self._who()
        )

    def submit(self) -> None:
        """Submit, with a photo or without."""
        report, rev = self._report()
        photo = [str(UUID(int=report.int ^ 1))] if self.dice.random() < 0.5 else []
        fields: dict[str, Any] = {"photos": {"step_3": photo}}
        self.work.submit(
            fields if rev else {**self.work.fields(), **fields},
            report=report,
            base_rev=rev or None,
            by=self._who(),
        )

    def discard(self) -> None:
        """Take a draft back."""
        report, rev = self._report()
        actions.discard_inspection(actor=self._who().actor(), report_id=report, base_rev=rev or None)

    def declare(self) -> None:
        """Declare a photo, before its report or after."""
        report, _ = self._report()
        actions.declare_photo(
            actor=self._who().actor(),
            report_id=report,
            photo_id=UUID(int=report.int ^ 1),
            sha256="a" * 64,
            size=9,
            mime="image/jpeg",
        )

    def arrive(self) -> None:
        """Let a photo's bytes arrive, and its report know."""
        report, _ = self._report()
        photo = Attachment.objects.filter(pk=UUID(int=report.int ^ 1), state="expected").first()
        if photo:
            from apps.changes.actions import record
            from apps.evidence.actions.announcing import change

            fields = {"state": "stored", "original": "originals/a"}
            record(SYSTEM, change(SYSTEM, photo, "attachment.stored", fields))
            actions.settle_media(actor=SYSTEM, report_id=report)

    def review(self) -> None:
        """Decide on a report."""
        report, _ = self._report()
        leader: dict[str, Any] = {"actor": self.cast.region_leader.actor(), "report_id": report}
        verbs: list[Callable[[], object]] = [
            lambda: actions.start_review(**leader),
            lambda: actions.return_for_correction(**leader, notes=[], note="Bổ sung"),
            lambda: actions.approve_inspection(**leader),
            lambda: actions.void_inspection(**leader, reason="Trùng"),
        ]
        self.dice.choice(verbs)()

    def move(self) -> None:
        """End a posting, or begin one."""
        officer = self._who().officer
        posting = Posting.objects.filter(current(timezone.now()), officer=officer, role="officer").first()
        if posting and self.dice.random() < 0.6:
            end_posting(actor=SYSTEM, posting=posting)
        else:
            unit = self.dice.choice([self.cast.noi_bai, self.cast.far_gate])
            post_officer(actor=SYSTEM, officer=officer, unit=unit, role="officer")

    def publish(self) -> None:
        """Publish, close or withdraw a version."""
        dice = self.dice.random()
        if dice < 0.5:
            self.work.next_version(f"1.{self.dice.randint(1, 9)}.0")
            return
        version = ChecklistVersion.objects.order_by("?").first()
        assert version is not None
        if dice < 0.8:
            checklists.close_version(actor=SYSTEM, version_id=version.pk)
        else:
            checklists.withdraw_version(actor=SYSTEM, version_id=version.pk, reason="An toàn")

    def _who(self) -> Member:
        return self.dice.choice([self.cast.officer, self.cast.officer, self.cast.team_mate])

    def _report(self) -> tuple[UUID, int]:
        report = self.dice.choice(self.reports)
        known = InspectionReport.objects.filter(pk=report).values_list("rev", flat=True).first()
        return report, known or 0


VERBS = [
    "save",
    "save",
    "submit",
    "submit",
    "discard",
    "declare",
    "arrive",
    "review",
    "review",
    "move",
    "publish",
]
STORY = st.lists(st.sampled_from([*VERBS, "pull"]), min_size=3, max_size=30)


def may_hold(actor: Actor) -> dict[Key, tuple[int, Any]]:
    """Give what this person's phone should hold, from the tables of the domain and `visible_to` alone."""
    posts = actor.post_ids()
    held: dict[Key, tuple[int, Any]] = {}
    for report in InspectionReport.objects.visible_to(actor).filter(officer_id=actor.person):
        held[post_stream(report.posting_id), "inspection", str(report.pk)] = (report.rev, report_body(report))
    for photo in Attachment.objects.visible_to(actor).filter(officer_id=actor.person):
        held[post_stream(photo.posting_id), "attachment", str(photo.pk)] = (photo.rev, attachment_body(photo))
    for version in ChecklistVersion.objects.visible_to(actor).on_phones().select_related("checklist"):
        held[REF, "checklist", str(version.pk)] = (version.rev, checklist_body(version))
    return {key: (rev, orjson.loads(orjson.dumps(body))) for key, (rev, body) in held.items()} | {
        key: row for key, row in fresh(actor).items() if key[1] == "posting" and UUID(key[2]) in posts
    }


@pytest.fixture
def ground(work: Work, cast: Cast) -> Work:
    """The people of the story, with phones."""
    for member in (cast.officer, cast.team_mate, cast.region_leader, cast.trainer, cast.approver):
        member.client()
    return work


@EXAMPLES
@given(seed=st.integers(0, 2**32), verbs=STORY, rows=st.sampled_from([1, 2, 3, 2000]))
def test_an_old_phone_and_a_pull_equal_a_fresh_phone(
    ground: Work, seed: int, verbs: list[str], rows: int
) -> None:
    with example():
        story = Story(ground, seed)
        people = [ground.cast.officer, ground.cast.team_mate, ground.cast.region_leader]
        pockets = [Pocket() for _ in people]
        for verb in verbs:
            if verb == "pull":
                index = story.dice.randrange(len(people))
                pockets[index].page(people[index].actor(), rows=rows)
            else:
                story.step(verb)
        for member, pocket in zip(people, pockets, strict=True):
            pocket.pull(member.actor(), rows=rows)
            assert pocket.rows == fresh(member.actor())
        check_feed()


@EXAMPLES
@given(seed=st.integers(0, 2**32), verbs=STORY)
def test_what_reaches_a_phone_is_what_may_be_seen_and_all_of_it(
    ground: Work, seed: int, verbs: list[str]
) -> None:
    with example():
        story = Story(ground, seed)
        for verb in verbs:
            if verb != "pull":
                story.step(verb)
        cast = ground.cast
        for member in (cast.officer, cast.team_mate, cast.region_leader, cast.trainer):
            actor = member.actor()
            assert fresh(actor) == may_hold(actor)


def everything() -> list[list[Any]]:
    """Give the content of all tables that a push may write."""
    return [
        list(rows.order_by("pk").values())
        for rows in (
            InspectionReport.objects.all(),
            ReportVersion.objects.all(),
            ReviewNote.objects.all(),
            Attachment.objects.all(),
            Entry.objects.all(),
            Stream.objects.all(),
            Change.objects.all(),
            Event.objects.all(),
            Mutation.objects.all(),
        )
    ]


@st.composite
def batches(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw mutations of few objects, so that they meet: sound, stale, refused and repeated ones."""
    objects = [f"0192f0c1-0000-7000-8000-00000000000{i}" for i in range(3)]
    sent = []
    for i in range(draw(st.integers(1, 10))):
        kind = draw(
            st.sampled_from(
                [
                    "inspection.save",
                    "inspection.submit",
                    "inspection.discard",
                    "attachment.create",
                    "nonsense",
                ]
            )
        )
        oid = draw(st.sampled_from(objects))
        fields: dict[str, Any] = {"remarks": draw(st.sampled_from("abc"))}
        if kind == "attachment.create":
            fields = {
                "report": oid,
                "sha256": "a" * 64,
                "size": 5,
                "mime": draw(st.sampled_from(["image/jpeg", "x"])),
            }
            oid = oid[:-2] + "f" + oid[-1]
        sent.append(
            {
                "id": f"0192f0c1-0000-7000-8000-1000000000{i:02d}",
                "type": kind,
                "object": oid,
                "base_rev": draw(st.sampled_from([None, 1, 2, 3])),
                "fields": fields,
                "is_whole": draw(st.booleans()),
            }
        )
    return sent


@EXAMPLES
@given(batch=batches(), shuffled=st.randoms(use_true_random=False))
def test_a_batch_sent_twice_changes_nothing(
    ground: Work, batch: list[dict[str, Any]], shuffled: random.Random
) -> None:
    with example():
        actor = ground.cast.officer.actor()
        whole = ground.fields()
        sent = [
            {
                **m,
                "fields": {**whole, **m["fields"]}
                if m["is_whole"] and "report" not in m["fields"]
                else m["fields"],
            }
            for m in batch
        ]
        first = {r["id"]: r for r in push(actor=actor, mutations=sent)}
        assert {r["status"] for r in first.values()} <= {"applied", "conflict", "rejected"}, first
        before = everything()
        shuffled.shuffle(sent)
        for again in push(actor=actor, mutations=sent):
            original = first[again["id"]]
            assert again == {**original, "status": "duplicate", "original_status": original["status"]}
        assert everything() == before
        check_feed()


def test_a_story_gets_somewhere(ground: Work) -> None:
    """The properties above would say nothing if every step were refused."""
    with example():
        story = Story(ground, 7)
        for _ in range(10):
            for verb in VERBS:
                story.step(verb)
        assert story.done > 40
        states = set(InspectionReport.objects.values_list("state", flat=True))
        assert len(states) >= 2, states
