"""Retention: what goes, what stays, what a phone far behind is told, and that a run may end anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from apps.changes.actions import Item, record, relay
from apps.changes.models import Change, Entry, Reaction, Stream
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.inspections.actions import discard_inspection
from apps.inspections.models import InspectionReport
from apps.sync.actions import retain, retention
from apps.sync.models import Mutation
from apps.sync.pull import pull
from apps.sync.rules import Keep, decode_cursor
from tests.cast import Cast
from tests.work import Pocket, Work, check_feed, fresh


def put(stream: str, oid: UUID) -> None:
    with transaction.atomic():
        record(SYSTEM, Item("thing.changed", "thing", oid, 1, body={}, streams=[stream]))


def remove(stream: str, oid: UUID) -> None:
    with transaction.atomic():
        record(SYSTEM, Item("thing.removed", "thing", oid, 2, leaves=[stream]))


def run(days: int, **options: Any) -> Any:
    """Run as if so many days had passed."""
    return retain(actor=SYSTEM, keep=Keep(), now=timezone.now() + timedelta(days=days), **options)


def test_tombstones_leave_and_only_a_cursor_below_the_floor_loads_anew(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    actor, stream = cast.officer.actor(), post_stream(cast.officer.posting.pk)
    things = [new_id() for _ in range(7)]
    for thing in things:
        put(stream, thing)
    behind, current = Pocket(), Pocket()
    behind.pull(actor)
    for thing in things[:5]:
        remove(stream, thing)
    current.pull(actor)
    floor = Stream.objects.get(pk=stream).seq
    put(stream, new_id())
    assert run(89).tombstones == 0
    removed = run(91)
    assert (removed.tombstones, removed.floors) == (5, {stream: floor})
    assert not Entry.objects.filter(op="del").exists()
    check_feed()
    (page,) = behind.pull(actor)
    assert page["reset"] == [stream], "the other stream goes on from the cursor"
    (page,) = current.pull(actor)
    assert page["reset"] == []
    assert behind.rows == current.rows == fresh(actor)
    assert run(91) == retention.Removed()


def test_a_run_that_is_cut_short_leaves_a_sound_feed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    actor, stream = cast.officer.actor(), post_stream(cast.officer.posting.pk)
    behind = Pocket()
    things = [new_id() for _ in range(6)]
    for thing in things:
        put(stream, thing)
    behind.pull(actor)
    for thing in things:
        remove(stream, thing)
    calls = iter([False, True])

    def killed(*_args: Any, **_options: Any) -> Any:
        if next(calls):
            raise KeyboardInterrupt
        return bury(*_args, **_options)

    bury = retention._bury
    monkeypatch.setattr(retention, "_bury", killed)
    with pytest.raises(KeyboardInterrupt):
        run(91)
    check_feed()
    assert Entry.objects.filter(op="del").count() == 4
    assert Stream.objects.get(pk=stream).floor == Entry.objects.filter(op="del").order_by("seq")[0].seq - 1
    (page,) = behind.pull(actor)
    assert page["reset"] == [stream]
    assert behind.rows == fresh(actor)
    assert run(91, seconds=0.0).is_done is False


def sent(work: Work, kind: str = "inspection.submit", **changed: Any) -> dict[str, Any]:
    return {
        "id": str(new_id()),
        "type": kind,
        "object": str(new_id()),
        "base_rev": None,
        "fields": work.fields(**changed),
    }


@pytest.fixture
def on_phone(cast: Cast) -> Any:
    """Pushes as the officer's phone."""
    client = cast.officer.client()

    def send(mutation: dict[str, Any]) -> dict[str, Any]:
        answer = client.post("/mobile/v1/sync/push", {"mutations": [mutation]}, format="json")
        result: dict[str, Any] = answer.json()["results"][0]
        return result

    return send


def test_payloads_of_applied_mutations_go_and_their_answers_stay(work: Work, on_phone: Any) -> None:
    good, bad = sent(work), sent(work, outcome="nonsense")
    first, refused = on_phone(good), on_phone(bad)
    assert (first["status"], refused["status"]) == ("applied", "rejected")
    assert run(179).payloads == 0
    assert run(181).payloads == 1
    assert Mutation.objects.get(pk=good["id"]).payload == ""
    assert "nonsense" in Mutation.objects.get(pk=bad["id"]).payload, "kept until somebody has decided"
    again = on_phone(good)
    assert (again["status"], again["original_status"], again["rev"]) == ("duplicate", "applied", first["rev"])
    assert on_phone({**good, "fields": {}})["code"] == "id-reused"


def test_a_creation_repeated_after_its_receipt_went_is_checked_against_the_record(
    work: Work, on_phone: Any
) -> None:
    good, bad = sent(work), sent(work, outcome="nonsense")
    on_phone(good)
    on_phone(bad)
    assert run(399).receipts == 0
    assert run(401).receipts == 1
    assert not Mutation.objects.filter(pk=good["id"]).exists()
    assert Mutation.objects.filter(pk=bad["id"]).exists()
    assert on_phone(good)["status"] == "applied"
    assert InspectionReport.objects.filter(pk=good["object"]).count() == 1
    other = {**good, "id": str(new_id()), "fields": {**good["fields"], "remarks": "khác"}}
    assert on_phone(other)["status"] == "conflict"


def test_settled_changes_go_and_owed_ones_and_deletions_stay(work: Work, cast: Cast) -> None:
    draft = work.save().report
    discard_inspection(actor=cast.officer.actor(), report_id=draft.pk, base_rev=draft.rev)
    submitted = work.submit().report
    while relay({"inspection.submitted": ("reporting.refresh",)}, lambda _task, _ids: None):
        pass
    Change.objects.update(relayed_at=timezone.now() - timedelta(days=31))
    assert run(0).changes > 0
    kinds = set(Change.objects.values_list("kind", flat=True))
    assert kinds == {"inspection.discarded", "inspection.submitted"}
    Reaction.objects.update(done_at=timezone.now())
    run(0)
    assert set(Change.objects.values_list("kind", flat=True)) == {"inspection.discarded"}
    assert not Change.objects.filter(oid=submitted.pk).exists()


def test_nothing_unrelayed_is_ever_removed(work: Work) -> None:
    work.submit()
    assert run(4000).changes == 0


def test_the_pull_of_a_phone_far_behind_is_a_reset_of_that_stream_alone(cast: Cast) -> None:
    actor, stream = cast.officer.actor(), post_stream(cast.officer.posting.pk)
    Stream.objects.filter(pk=stream).update(floor=3, seq=5)
    known = decode_cursor(pull(actor, None, rows=10, max_bytes=1000)["cursor"])
    assert known
    answer = pull(actor, type(known)(known.epoch, {**known.seqs, stream: 2}), rows=10, max_bytes=1000)
    assert answer["reset"] == [stream]
