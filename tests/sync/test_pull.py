"""Pull: pages, digests, resets, drops, epochs, tombstones; what a phone holds is what the server holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import transaction

from apps.accounts.actions import end_posting, post_officer, suspend_officer
from apps.changes.actions import Item, record
from apps.changes.models import Stream
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM, Actor
from apps.common.records import new_id
from apps.inspections.actions import discard_inspection
from apps.sync import pull as pull_module
from apps.sync.actions import new_epoch
from apps.sync.errors import EpochChanged
from apps.sync.pull import pull
from apps.sync.queries import epoch, subscriptions
from apps.sync.rules import Cursor, decode_cursor
from apps.sync.waiting import ENVIRON, Turn, Wish, leave_wish, read_heads
from tests.cast import Cast
from tests.work import Pocket, Work, fresh


@pytest.fixture
def stream(cast: Cast) -> str:
    """The officer's own stream, with its posting in it."""
    return post_stream(cast.officer.posting.pk)


@pytest.fixture
def actor(cast: Cast) -> Actor:
    """The officer."""
    return cast.officer.actor()


def put(stream: str, oid: UUID, rev: int = 1, size: int = 10) -> None:
    with transaction.atomic():
        record(SYSTEM, Item("thing.changed", "thing", oid, rev, body={"text": "x" * size}, streams=[stream]))


def remove(stream: str, oid: UUID, rev: int = 9) -> None:
    with transaction.atomic():
        record(SYSTEM, Item("thing.removed", "thing", oid, rev, leaves=[stream]))


def things(pocket: Pocket) -> dict[str, int]:
    return {oid: rev for oid, (rev, _) in pocket.of_kind("thing").items()}


def test_a_first_pull_gives_everything_with_digests(
    work: Work, cast: Cast, actor: Actor, stream: str
) -> None:
    report = work.submit().report
    pocket = Pocket()
    (page,) = pocket.pull(actor)
    assert page["reset"] == [stream, "ref"]
    assert (page["drop"], page["snapshot"], page["more"]) == ([], [], False)
    assert set(page["complete"]) == {stream, "ref"}
    assert {k for _, k, _ in pocket.rows} == {"posting", "inspection", "checklist"}
    rev, body = pocket.of_kind("inspection")[str(report.pk)]
    assert (rev, body["number"], body["state"]) == (1, report.number, "complete")
    change = next(c for c in page["changes"] if c["k"] == "inspection")
    assert change["s"] == stream


def test_a_pull_without_news_is_empty_and_still_complete(work: Work, actor: Actor, stream: str) -> None:
    pocket = Pocket()
    pocket.pull(actor)
    (page,) = pocket.pull(actor)
    assert (page["changes"], page["reset"], page["more"]) == ([], [], False)
    assert set(page["complete"]) == {stream, "ref"}


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 50])
def test_pages_by_rows_give_everything_once(actor: Actor, stream: str, rows: int) -> None:
    ids = [new_id() for _ in range(20)]
    for oid in ids:
        put(stream, oid)
    pocket = Pocket()
    pages = pocket.pull(actor, rows=rows)
    assert all(len(p["changes"]) <= rows for p in pages)
    assert set(things(pocket)) == set(map(str, ids))
    given = [c["id"] for p in pages for c in p["changes"]]
    assert len(given) == len(set(given)) == 21


def test_pages_by_bytes_give_everything_once(actor: Actor, stream: str) -> None:
    ids = [new_id() for _ in range(20)]
    for oid in ids:
        put(stream, oid, size=3000)
    pocket = Pocket()
    pages = pocket.pull(actor, max_bytes=10_000)
    assert len(pages) >= 5
    assert all(len(orjson.dumps(p["changes"])) < 14_000 for p in pages)
    assert set(things(pocket)) == set(map(str, ids))


def test_a_row_larger_than_a_page_still_comes(actor: Actor, stream: str) -> None:
    put(stream, new_id(), size=50_000)
    pocket = Pocket()
    pocket.pull(actor, max_bytes=1000)
    assert len(things(pocket)) == 1


@pytest.mark.parametrize("chunk", [1, 2, 3, 500])
@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_tombstones_hide_nothing_behind_them(
    actor: Actor, stream: str, monkeypatch: pytest.MonkeyPatch, chunk: int, rows: int
) -> None:
    """A page full of tombstones is skipped in a first load, and the rows behind it come all the same."""
    monkeypatch.setattr(pull_module, "CHUNK", chunk)
    ids = [new_id() for _ in range(12)]
    for oid in ids:
        put(stream, oid)
    for oid in ids[:8]:
        remove(stream, oid)
    last = new_id()
    put(stream, last)
    pocket = Pocket()
    pocket.pull(actor, rows=rows)
    assert set(things(pocket)) == {*map(str, ids[8:]), str(last)}


def test_a_first_load_skips_tombstones_and_later_pulls_do_not(actor: Actor, stream: str) -> None:
    kept, gone = new_id(), new_id()
    put(stream, kept)
    put(stream, gone)
    old = Pocket()
    old.pull(actor)
    remove(stream, gone)
    (page,) = Pocket().pull(actor)
    assert "del" not in {c["op"] for c in page["changes"]}
    (page,) = old.pull(actor)
    assert [(c["op"], c["id"]) for c in page["changes"]] == [("del", str(gone))]
    assert "body" not in page["changes"][0]
    assert set(things(old)) == {str(kept)}


def test_what_is_deleted_while_a_load_goes_on_is_deleted_on_the_phone(actor: Actor, stream: str) -> None:
    ids = [new_id() for _ in range(6)]
    for oid in ids:
        put(stream, oid)
    pocket = Pocket()
    pocket.page(actor, rows=4)
    remove(stream, ids[0])
    pocket.pull(actor, rows=4)
    assert set(things(pocket)) == set(map(str, ids[1:]))


def test_case_33_a_row_changed_while_paging_comes_newest_and_once_per_page(actor: Actor, stream: str) -> None:
    """Expected: the newest revision, once; nothing is skipped."""
    ids = [new_id() for _ in range(6)]
    for oid in ids:
        put(stream, oid)
    pocket = Pocket()
    pocket.page(actor, rows=3)
    put(stream, ids[0], rev=2)
    put(stream, ids[5], rev=2)
    pages = pocket.pull(actor, rows=3)
    assert things(pocket) == {str(oid): 2 if oid in (ids[0], ids[5]) else 1 for oid in ids}
    given = [c["id"] for p in pages for c in p["changes"]]
    assert given.count(str(ids[5])) == 1


def test_case_34_what_came_and_went_between_pulls_is_at_most_a_deletion(actor: Actor, stream: str) -> None:
    """Expected: at most a deletion of something the phone never had; never the body."""
    pocket = Pocket()
    pocket.pull(actor)
    oid = new_id()
    put(stream, oid)
    remove(stream, oid)
    (page,) = pocket.pull(actor)
    assert [(c["op"], c["id"]) for c in page["changes"]] == [("del", str(oid))]
    assert things(pocket) == {}


def test_a_discarded_draft_leaves_the_other_phone(work: Work, cast: Cast, actor: Actor) -> None:
    report = work.save().report
    pocket = Pocket()
    pocket.pull(actor)
    assert str(report.pk) in pocket.of_kind("inspection")
    discard_inspection(actor=actor, report_id=report.pk, base_rev=1)
    pocket.pull(actor)
    assert pocket.of_kind("inspection") == {}
    assert pocket.rows == fresh(actor)


def test_case_37_a_cursor_below_the_floor_loads_that_stream_anew(
    work: Work, actor: Actor, stream: str
) -> None:
    """Expected: `reset` names that stream alone, once."""
    oid = new_id()
    put(stream, oid)
    pocket = Pocket()
    pocket.pull(actor)
    put(stream, new_id())
    Stream.objects.filter(pk=stream).update(floor=Stream.objects.get(pk=stream).seq)
    pages = pocket.pull(actor, rows=1)
    assert pages[0]["reset"] == [stream]
    assert all(p["reset"] == [] for p in pages[1:]), "the load goes on, it does not begin again"
    assert pocket.rows == fresh(actor)


def test_a_phone_may_ask_for_a_stream_anew(actor: Actor, stream: str) -> None:
    put(stream, new_id())
    pocket = Pocket()
    pocket.pull(actor)
    key = next(k for k in pocket.rows if k[1] == "thing")
    pocket.rows[key] = (77, "damaged")
    with pytest.raises(AssertionError, match="self-check"):
        pocket.pull(actor)
    (page,) = pocket.pull(actor, reset=[stream, "nonsense"])
    assert page["reset"] == [stream]
    assert pocket.rows == fresh(actor)


def test_a_cursor_ahead_of_the_head_loads_anew(actor: Actor, stream: str) -> None:
    put(stream, new_id())
    pocket = Pocket()
    pocket.cursor = Cursor(epoch(), {stream: 10**6, "ref": 10**6}).encode()
    (page,) = pocket.pull(actor)
    assert sorted(page["reset"]) == sorted([stream, "ref"])
    assert pocket.rows == fresh(actor)


def test_case_27_the_end_of_a_posting_is_one_drop_repeated_until_heard(work: Work, cast: Cast) -> None:
    """Expected: one `drop` without any rows of the old gate, repeated until the cursor no longer names it."""
    work.submit()
    pocket = Pocket()
    pocket.pull(cast.officer.actor())
    held = pocket.cursor
    old = post_stream(cast.officer.posting.pk)
    end_posting(actor=SYSTEM, posting=cast.officer.posting)
    post_officer(actor=SYSTEM, officer=cast.officer.officer, unit=cast.far_gate, role="officer")
    actor = cast.officer.actor()
    pocket.page(actor)
    pocket.cursor = held  # the answer was lost
    (page,) = pocket.pull(actor)
    assert page["drop"] == [old]
    assert not [c for c in page["changes"] if c["s"] == old]
    (page,) = pocket.pull(actor)
    assert page["drop"] == []
    assert pocket.rows == fresh(actor)
    assert pocket.of_kind("inspection") == {}


def test_who_is_suspended_loses_everything(work: Work, cast: Cast) -> None:
    pocket = Pocket()
    pocket.pull(cast.officer.actor())
    suspend_officer(actor=SYSTEM, officer=cast.officer.officer, reason="test")
    (page,) = pocket.pull(cast.officer.actor())
    assert len(page["drop"]) == 2
    assert pocket.rows == {}


def test_a_stream_invented_by_a_cursor_is_dropped_and_gives_nothing(work: Work, cast: Cast) -> None:
    mine, other = post_stream(cast.officer.posting.pk), post_stream(cast.team_mate.posting.pk)
    work.submit(by=cast.team_mate)
    forged = Cursor(epoch(), {other: 0, "ref": 0, "unit:x": 3}, frozenset({other, "everything"}))
    answer = pull(cast.officer.actor(), forged, rows=100, max_bytes=10**6, reset=[other])
    page = orjson.loads(orjson.dumps(answer))
    assert page["drop"] == sorted([other, "unit:x"])
    assert {c["s"] for c in page["changes"]} == {mine, "ref"}
    after = decode_cursor(page["cursor"])
    assert after is not None
    assert set(after.seqs) == {mine, "ref"}
    assert not after.loading


def test_a_restored_server_is_told_apart(work: Work, actor: Actor) -> None:
    pocket = Pocket()
    pocket.pull(actor)
    value = new_epoch(actor=SYSTEM)
    with pytest.raises(EpochChanged) as refused:
        pocket.pull(actor)
    assert refused.value.current == {"epoch": value}
    pocket.cursor = None
    (page,) = pocket.pull(actor)
    assert page["epoch"] == value
    assert pocket.rows == fresh(actor)


def test_urgent_streams_come_first(work: Work, cast: Cast) -> None:
    work.submit()
    (page,) = Pocket().pull(cast.officer.actor())
    streams = [c["s"] for c in page["changes"]]
    assert streams == sorted(streams, key=subscriptions(cast.officer.actor()).index)
    assert streams[-1] == "ref"


@pytest.mark.parametrize("person", ["officer", "leader", "hq_analyst", "trainer", "liaison"])
def test_everyone_holds_their_own_posting_and_no_other(work: Work, cast: Cast, person: str) -> None:
    cast.everyone()
    work.submit()
    member = getattr(cast, person)
    pocket = Pocket()
    pocket.pull(member.actor())
    assert set(pocket.of_kind("posting")) == {str(member.posting.pk)}
    assert bool(pocket.of_kind("checklist")) == (person != "liaison")
    assert bool(pocket.of_kind("inspection")) == (person == "officer")


@pytest.mark.parametrize(
    "why", ["nothing new", "other server", "no wait", "no cursor", "behind", "dropped", "reset", "loading"]
)
def test_a_pull_waits_only_when_there_is_nothing_to_tell(actor: Actor, stream: str, why: str) -> None:
    put(stream, new_id())
    heads = dict(Stream.objects.filter(pk__in=[stream, "ref"]).values_list("pk", "seq"))
    here = Cursor(epoch(), {stream: heads[stream], "ref": heads.get("ref", 0)})
    cursors: dict[str, Cursor | None] = {
        "no cursor": None,
        "behind": Cursor(here.epoch, here.seqs | {stream: heads[stream] - 1}),
        "dropped": Cursor(here.epoch, here.seqs | {"unit:x": 1}),
        "loading": Cursor(here.epoch, here.seqs, frozenset({"ref"})),
    }
    cursor, turn = cursors.get(why, here), Turn()
    answer = pull(actor, cursor, rows=100, max_bytes=10_000, reset=["ref"] if why == "reset" else [])
    meta = {} if why == "other server" else {ENVIRON: turn}
    leave_wish(meta, cursor, answer, 0 if why == "no wait" else 20)
    assert turn.wish == (Wish(here.epoch, here.seqs, 20) if why == "nothing new" else None)


@pytest.mark.django_db(transaction=True)
def test_one_question_tells_the_heads_of_many_streams(cast: Cast) -> None:
    stream = post_stream(cast.officer.posting.pk)
    put(stream, new_id())
    heads = read_heads([stream, *(f"post:{i}" for i in range(2500))])
    assert (heads.epoch, heads.seqs) == (epoch(), {stream: Stream.objects.get(pk=stream).seq})


def test_a_page_costs_few_statements(
    work: Work, actor: Actor, stream: str, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        put(stream, new_id())
    with django_assert_max_num_queries(6):
        pull(actor, None, rows=5000, max_bytes=10**6)
