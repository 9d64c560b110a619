"""The relay: what a change owes is written once, sent, sent again when lost, and settled once."""

from __future__ import annotations

from datetime import timedelta
from queue import Queue
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from apps.changes import tasks
from apps.changes.actions import Item, record, relay, resend_overdue, settle
from apps.changes.models import Change, Reaction
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from tests.work import at_once

TABLE = {"thing.made": ["app.count", "app.draw"], "thing.seen": ["app.count"]}


class Broker:
    """What was sent; may be down."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[int]]] = []
        self.is_down = False

    def __call__(self, task: str, ids: list[int]) -> None:
        if self.is_down:
            raise ConnectionError("no broker")
        self.sent.append((task, ids))


@pytest.fixture
def broker() -> Broker:
    return Broker()


def happen(*kinds: str) -> None:
    with transaction.atomic():
        record(SYSTEM, *(Item(kind, "thing", new_id(), 1) for kind in kinds))


def make_late(**fields: object) -> None:
    Reaction.objects.update(sent_at=timezone.now() - timedelta(minutes=5), **fields)


def test_each_change_is_relayed_once(db: None, broker: Broker) -> None:
    happen("thing.made", "thing.seen", "thing.forgotten")
    assert relay(TABLE, broker) == 3
    assert relay(TABLE, broker) == 0
    assert sorted((task, len(ids)) for task, ids in broker.sent) == [("app.count", 2), ("app.draw", 1)]
    assert Reaction.objects.count() == 3
    assert not Change.objects.filter(relayed_at=None).exists()


def test_a_settled_reaction_is_done_once(db: None, broker: Broker) -> None:
    happen("thing.made", "thing.made")
    relay(TABLE, broker)
    ids = next(ids for task, ids in broker.sent if task == "app.count")
    done: list[Change] = []
    assert settle(ids, done.extend) == 2
    assert settle(ids, done.extend) == 0
    assert settle([*ids, 10**9], done.extend) == 0
    assert [c.kind for c in done] == ["thing.made", "thing.made"]


def test_an_effect_that_fails_leaves_its_reactions_open(db: None, broker: Broker) -> None:
    happen("thing.seen")
    relay(TABLE, broker)
    ids = broker.sent[0][1]

    def fail(changes: list[Change]) -> None:
        happen("thing.forgotten")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        settle(ids, fail)
    assert not Change.objects.filter(kind="thing.forgotten").exists(), "its writes are gone as well"
    assert settle(ids, lambda _changes: None) == 1


def test_a_crash_between_commit_and_send_loses_nothing(db: None, broker: Broker) -> None:
    happen("thing.seen")
    broker.is_down = True
    with pytest.raises(ConnectionError):
        relay(TABLE, broker)
    broker.is_down = False
    assert relay(TABLE, broker) == 0
    assert resend_overdue(broker) == 0, "it is not late yet"
    make_late()
    assert resend_overdue(broker) == 1
    assert [task for task, _ in broker.sent] == ["app.count"]


def test_a_lost_message_is_sent_again_until_it_is_settled(db: None, broker: Broker) -> None:
    happen("thing.seen")
    relay(TABLE, broker)
    for times in range(2, 5):
        make_late()
        assert resend_overdue(broker) == 1
        assert resend_overdue(broker) == 0
        assert Reaction.objects.get().attempts == times
    settle(broker.sent[0][1], lambda _changes: None)
    make_late()
    assert resend_overdue(broker) == 0
    assert {tuple(ids) for _, ids in broker.sent} == {(Reaction.objects.get().pk,)}


def test_what_keeps_failing_is_sent_alone(db: None, broker: Broker) -> None:
    happen(*["thing.seen"] * 4)
    relay(TABLE, broker)
    make_late()
    broker.sent.clear()
    resend_overdue(broker)
    assert [len(ids) for _, ids in broker.sent] == [4]
    make_late()
    broker.sent.clear()
    resend_overdue(broker)
    assert [len(ids) for _, ids in broker.sent] == [1, 1, 1, 1], "one that fails does not hold up the others"


def test_the_sweep_does_both(
    db: None, broker: Broker, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(tasks, "send", broker)
    settings.REACTIONS = f"{__name__}.TABLE"
    happen("thing.seen")
    tasks.sweep()
    make_late()
    tasks.sweep()
    assert len(broker.sent) == 2


@pytest.mark.django_db(transaction=True)
def test_relays_and_deliveries_at_once_do_everything_once() -> None:
    happen(*["thing.made"] * 40)
    broker, done = Broker(), Queue[int]()

    def effect(changes: list[Change]) -> None:
        for change in changes:
            done.put(change.pk)

    def deliver() -> None:
        for task, ids in list(broker.sent):
            if task == "app.count":
                settle(ids, effect)

    def run() -> None:
        while relay(TABLE, broker):
            deliver()
        deliver()

    assert at_once(*[run] * 4) == []
    deliver()
    assert Reaction.objects.count() == 80
    assert sorted(done.queue) == sorted(Change.objects.values_list("pk", flat=True))
