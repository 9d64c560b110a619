"""`record`: numbers, counts and digests of streams, tombstones, moves between streams; and writers that race."""

from __future__ import annotations

import json
import random
import threading
import time
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.changes.actions import Item, record, set_wake
from apps.changes.models import Change, Entry, Stream
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.sync.pull import _rows
from tests.work import check_feed

IDS = [UUID(int=i) for i in range(4)]
STREAMS = ["a", "b", "c"]


def put(oid: UUID, rev: int, *streams: str, leaves: tuple[str, ...] = (), body: Any = None) -> Item:
    return Item("thing.changed", "thing", oid, rev, body=body or {"rev": rev}, streams=streams, leaves=leaves)


def test_a_record_needs_a_transaction(transactional_db: None) -> None:
    with pytest.raises(RuntimeError):
        record(SYSTEM, put(IDS[0], 1, "a"))


def test_a_record_moves_forward_in_its_stream(db: None) -> None:
    with transaction.atomic():
        record(SYSTEM, put(IDS[0], 1, "a"), put(IDS[1], 1, "a"))
        record(SYSTEM, put(IDS[0], 2, "a"))
    assert list(Entry.objects.order_by("seq").values_list("oid", "seq", "rev")) == [
        (IDS[1], 2, 1),
        (IDS[0], 3, 2),
    ]
    assert Stream.objects.get(pk="a").n == 2
    check_feed()


def test_a_record_that_leaves_becomes_a_tombstone_once(db: None) -> None:
    with transaction.atomic():
        record(SYSTEM, put(IDS[0], 1, "a"))
        record(SYSTEM, put(IDS[0], 2, leaves=("a",)))
        record(SYSTEM, put(IDS[0], 3, leaves=("a", "b")))
    stream = Stream.objects.get()
    assert (stream.seq, stream.n, stream.h) == (2, 0, 0)
    assert Entry.objects.get().body == "{}"
    assert Change.objects.count() == 3
    check_feed()


def test_a_record_moves_between_streams_in_one_step(db: None) -> None:
    with transaction.atomic():
        record(SYSTEM, put(IDS[0], 1, "a"))
        record(SYSTEM, put(IDS[0], 2, "b", leaves=("a",)))
    assert {s.pk: s.n for s in Stream.objects.all()} == {"a": 0, "b": 1}
    check_feed()


def test_what_is_placed_and_removed_at_once_is_decided_by_the_last(db: None) -> None:
    with transaction.atomic():
        record(SYSTEM, put(IDS[0], 1, "a"))
        record(SYSTEM, put(IDS[0], 2, "a"), put(IDS[0], 3, "a"))
    assert Entry.objects.get().rev == 3
    check_feed()


def test_a_rolled_back_action_leaves_nothing(db: None) -> None:
    with transaction.atomic():
        record(SYSTEM, put(IDS[0], 1, "a"))
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert not Change.objects.exists()
    assert not Stream.objects.exists()


STEP = st.tuples(
    st.sampled_from(IDS),
    st.lists(st.sampled_from(STREAMS), unique=True),
    st.lists(st.sampled_from(STREAMS), unique=True),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=15))
def test_counts_and_digests_hold_after_any_history(
    db: None, steps: list[tuple[UUID, list[str], list[str]]]
) -> None:
    held: dict[str, dict[UUID, int]] = {s: {} for s in STREAMS}
    revs = dict.fromkeys(IDS, 0)
    with transaction.atomic():
        for oid, streams, leaves in steps:
            revs[oid] += 1
            gone = tuple(s for s in leaves if s not in streams)
            record(SYSTEM, put(oid, revs[oid], *streams, leaves=gone))
            for stream in streams:
                held[stream][oid] = revs[oid]
            for stream in gone:
                held[stream].pop(oid, None)
        check_feed()
        for stream, rows in held.items():
            live = Entry.objects.filter(stream_id=stream, op="put").values_list("oid", "rev")
            assert dict(live) == rows
        transaction.set_rollback(True)


def test_a_wake_that_fails_does_not_undo_what_was_committed(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(import_module("apps.changes.actions.relay"), "_wake", [])
    set_wake(fail)
    with transaction.atomic():
        record(SYSTEM, put(IDS[0], 1, "a"))
    assert Change.objects.count() == 1


WRITERS, COMMITS = 12, 15


@pytest.mark.django_db(transaction=True)
def test_a_reader_misses_no_row_of_twelve_racing_writers() -> None:
    """Law 5: readers step by number; a number that became visible late would be stepped over."""
    written: list[UUID] = []
    errors: list[str] = []
    start = threading.Barrier(WRITERS + 1)

    def write(seed: int) -> None:
        dice = random.Random(seed)
        start.wait()
        try:
            for _ in range(COMMITS):
                mine = [new_id() for _ in range(dice.randint(1, 3))]
                with transaction.atomic():
                    record(SYSTEM, *(put(oid, 1, *dice.sample(["race", "other"], 2)) for oid in mine))
                    if dice.random() < 0.3:
                        time.sleep(dice.random() * 0.01)  # a transaction that stays open while others commit
                written.extend(mine)
        except Exception as error:  # noqa: BLE001  told by the assertion below
            errors.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(WRITERS)]
    for thread in threads:
        thread.start()
    start.wait()
    seen: set[UUID] = set()
    after, steps = 0, 0
    while True:
        running = any(thread.is_alive() for thread in threads)
        rows = [row for row in _rows("race", after, 7, skips_deletions=False) if row[3] is not None]
        numbers = [row[3] for row in rows]
        assert numbers == sorted(set(numbers))
        for *_, number, text in rows:
            seen.add(UUID(json.loads("{" + text)["id"]))
            after = number
        steps += bool(rows)
        if not running and not rows:
            break
    for thread in threads:
        thread.join()
    assert not errors
    assert len(written) >= WRITERS * COMMITS
    assert seen == set(written)
    assert steps > 5, "the reader read while they wrote"
    check_feed()
