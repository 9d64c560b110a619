"""Pull, cases 32 to 46 of docs/sync.md as phones meet them: slow writers, cuts, mistakes, caches, deadlocks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from apps.changes.actions import Item, record
from apps.changes.models import Entry, Stream
from apps.changes.rules import REF, post_stream
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.inspections.actions.common import announce as announce_report
from apps.inspections.models import InspectionReport
from tests import phone_store
from tests.cast import Cast
from tests.near import Near
from tests.phone import OutOfStep, Phone, Refused, VirtualClock
from tests.work import Work, check_feed


@pytest.fixture
def stream(cast: Cast) -> str:
    """The officer's own stream."""
    return post_stream(cast.officer.posting.pk)


@pytest.fixture
def phone(near: Near, work: Work, cast: Cast, stream: str) -> Phone:
    """The officer's phone, in step with the server, on a clock of its own."""
    phone = near.phone(cast.officer, clock=VirtualClock())
    phone.sync()
    return phone


def put(stream: str, oid: UUID, rev: int = 1, *, leaves: str = "") -> None:
    """Write a record into a stream, out of another one if named."""
    with transaction.atomic():
        gone = [leaves] if leaves else []
        record(SYSTEM, Item("thing.changed", "thing", oid, rev, {"rev": rev}, streams=[stream], leaves=gone))


def remove(stream: str, oid: UUID, rev: int = 9) -> None:
    """Take a record out of a stream."""
    with transaction.atomic():
        record(SYSTEM, Item("thing.removed", "thing", oid, rev, leaves=[stream]))


def things(phone: Phone) -> dict[str, int]:
    """Give the revisions of the things a phone holds."""
    return {pk: body["rev"] for pk, body in phone.rows("thing").items()}


def restart(phone: Phone, stop: Callable[[], object]) -> None:
    """Let the app die in the middle of something; its store rolls back what was not committed."""
    with pytest.raises(KeyboardInterrupt):
        stop()
    assert not phone.store.in_transaction


# -- 32 to 35: what a cursor must not skip ----------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_case_32_a_row_of_a_long_transaction_arrives(near: Near, cast: Cast) -> None:
    """Expected: rows written later in other streams do not carry the cursor past it; after the commit it comes."""
    Work(cast)
    stream = post_stream(cast.officer.posting.pk)
    phone = near.phone(cast.officer)
    phone.sync()
    slow, quick = new_id(), new_id()
    written, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                record(SYSTEM, Item("thing.changed", "thing", slow, 1, {"rev": 1}, streams=[stream]))
                written.set()
                assert go_on.wait(10)
        finally:
            connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert written.wait(10)
    put(REF, quick)
    phone.pull()
    assert things(phone) == {str(quick): 1}
    go_on.set()
    writer.join()
    put(stream, new_id())
    phone.pull()
    assert str(slow) in things(phone)
    assert len(things(phone)) == 3
    check_feed()


@pytest.mark.django_db(transaction=True)
def test_case_32_writers_of_one_stream_are_numbered_in_the_order_of_their_commits(
    near: Near, cast: Cast
) -> None:
    """Expected: a phone that pulls all the time while others write misses none, on either database."""
    Work(cast)
    stream = post_stream(cast.officer.posting.pk)
    phone = near.phone(cast.officer)
    ids = [[new_id() for _ in range(12)] for _ in range(3)]

    def write(mine: list[UUID]) -> None:
        try:
            for oid in mine:
                put(stream, oid)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(mine,)) for mine in ids]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        phone.pull(limit=5)
    for writer in writers:
        writer.join()
    phone.pull()
    assert set(things(phone)) == {str(oid) for mine in ids for oid in mine}
    check_feed()


def test_case_33_a_row_updated_while_paging_comes_newest(phone: Phone, stream: str) -> None:
    """Expected: the newest revision once, and nothing is skipped; the self-check agrees."""
    ids = [new_id() for _ in range(6)]
    for oid in ids:
        put(stream, oid)
    page = phone.call("POST", "/sync/pull", {"cursor": phone.get("cursor"), "limit": 3})
    assert phone_store.take_page(phone.store, page) == []
    for oid in (ids[0], ids[5]):
        put(stream, oid, 2)
    phone.pull(limit=3)
    assert things(phone) == {str(oid): 2 if oid in (ids[0], ids[5]) else 1 for oid in ids}


def test_case_34_created_and_deleted_between_pulls_leaves_nothing(phone: Phone, stream: str) -> None:
    """Expected: the phone holds nothing of it, and its self-check agrees."""
    oid = new_id()
    put(stream, oid)
    remove(stream, oid)
    phone.pull()
    assert things(phone) == {}
    assert phone.troubles() == []


def test_case_35_a_record_that_moves_stream_is_put_before_it_is_deleted(phone: Phone, stream: str) -> None:
    """Expected: at no moment is the record away; it exists while any stream holds it."""
    oid = new_id()
    put(REF, oid)
    phone.pull()
    put(stream, oid, 2, leaves=REF)
    cursor = phone.get("cursor")
    seen = []
    while True:
        page = phone.call("POST", "/sync/pull", {"cursor": phone.get("cursor"), "limit": 1})
        phone_store.take_page(phone.store, page)
        seen.append([(c["s"], c["op"]) for c in page["changes"]])
        assert str(oid) in things(phone)
        if not page["more"]:
            break
    assert cursor != phone.get("cursor")
    assert seen == [[(stream, "put")], [(REF, "del")]]
    assert things(phone) == {str(oid): 2}


# -- 36, 37, 40, 41, 45: the phone's side -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "after"), [("_photo_stored", 0), ("_photo_stored", 2), ("put", 0), ("put", 1)]
)
def test_case_36_killed_between_page_and_cursor(
    phone: Phone, stream: str, name: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected: page and cursor are one local transaction: both are there or neither; the next pull completes."""
    ids = [new_id() for _ in range(3)]
    for oid in ids:
        put(stream, oid)
    before, cursor = things(phone), phone.get("cursor")
    calls = iter(range(10))

    def dies(*of: Any) -> None:
        if next(calls) == after:
            raise KeyboardInterrupt
        real(*of)

    real = getattr(phone_store, name)
    with monkeypatch.context() as power:
        power.setattr(phone_store, name, dies)
        restart(phone, phone.pull)
    assert (things(phone), phone.get("cursor")) == (before, cursor)
    phone.pull()
    assert set(things(phone)) == set(map(str, ids))


def test_case_37_a_cursor_below_the_floor_resets_that_stream_only(
    phone: Phone, work: Work, stream: str
) -> None:
    """Expected: `reset` of that stream alone; unsent work, drafts and photos are not touched."""
    put(stream, new_id())
    phone.sync()
    phone.save(work.fields(remarks="chưa gửi"))
    put(stream, new_id())
    Stream.objects.filter(pk=stream).update(floor=Stream.objects.get(pk=stream).seq)
    page = phone.call("POST", "/sync/pull", {"cursor": phone.get("cursor")})
    assert page["reset"] == [stream]
    phone.pull()
    assert (len(things(phone)), phone.waiting()) == (2, 1)
    assert phone.push()[0]["status"] == "applied"


def test_case_40_a_server_that_lists_nothing_by_mistake_sweeps_nothing(
    phone: Phone, work: Work, stream: str
) -> None:
    """Expected: count and digest disagree, so nothing is deleted; three loads, then it is told and left alone."""
    report = phone.submit(work.fields())
    put(stream, new_id())
    phone.sync()
    held = set(phone.rows("inspection")) | set(things(phone))
    kept = list(Entry.objects.filter(stream_id=stream).values())
    Entry.objects.filter(stream_id=stream).delete()
    phone.put("cursor", "")
    before = len(phone.wire.faults.log)
    with pytest.raises(OutOfStep):
        phone.sync()
    assert len(phone.wire.faults.log) - before <= 5, "three loads and no more"
    assert set(phone.rows("inspection")) | set(things(phone)) == held
    assert phone.report(report)["state"] == "complete"
    assert phone.troubles() == [stream]
    before = len(phone.wire.faults.log)
    with pytest.raises(OutOfStep):
        phone.pull()
    assert len(phone.wire.faults.log) - before == 1, "no hot loop"

    Entry.objects.bulk_create([Entry(**row) for row in kept])
    assert isinstance(phone.clock, VirtualClock)
    phone.clock.sleep(3601)
    phone.pull()
    assert phone.troubles() == []
    assert set(phone.rows("inspection")) | set(things(phone)) == held
    check_feed()


def test_case_41_a_cache_on_the_way_makes_no_loop(phone: Phone, stream: str) -> None:
    """Expected: answers forbid storing; a stale answer given again and again ends in a report, not in a loop."""
    put(stream, new_id())
    stale = phone.wire.request(
        "POST", "/mobile/v1/sync/pull", phone.headers() | {"Content-Type": "application/json"}, b"{}"
    )
    for method, path, body in (
        ("POST", "/mobile/v1/sync/pull", b"{}"),
        ("POST", "/mobile/v1/sync/push", b'{"mutations": []}'),
        ("GET", "/mobile/v1/sync/status", b""),
        ("GET", "/mobile/v1/nothing", b""),
    ):
        answer = phone.wire.request(
            method, path, phone.headers() | {"Content-Type": "application/json"}, body
        )
        headers = {key.lower(): value for key, value in answer.headers.items()}
        assert "no-store" in headers.get("cache-control", ""), path
    phone.pull()
    put(stream, new_id())
    phone.pull()
    real, asked = phone.wire.request, []

    def cached(method: str, path: str, headers: Any, body: bytes = b"") -> Any:
        if path.endswith("/sync/pull"):
            asked.append(path)
            assert len(asked) < 20, "a loop"
            return stale
        return real(method, path, headers, body)

    phone.wire.request = cached  # type: ignore[method-assign]
    for _ in range(3):
        phone.pull()
    assert len(asked) <= 12
    phone.wire.request = real  # type: ignore[method-assign]
    phone.pull()
    assert len(things(phone)) == 2
    assert phone.troubles() == []


def test_case_45_a_local_edit_during_a_long_pull_survives(phone: Phone, work: Work, stream: str) -> None:
    """Expected: the edit lies over each page that comes in, is sent after it, and is never shown away meanwhile."""
    report = phone.save(work.fields(remarks="đầu"))
    phone.sync()
    for _ in range(10):
        put(stream, new_id())
    shown: list[str] = []
    for _ in range(4):
        page = phone.call("POST", "/sync/pull", {"cursor": phone.get("cursor"), "limit": 3})
        if not shown:
            phone.save({"remarks": "sửa giữa chừng"}, report)
        phone_store.take_page(phone.store, page)
        shown.append(phone.report(report)["remarks"])
    assert set(shown) == {"sửa giữa chừng"}
    phone.push()
    assert phone.report(report)["remarks"] == "sửa giữa chừng", "applied, and not yet pulled"
    phone.pull()
    assert phone.report(report)["remarks"] == InspectionReport.objects.get().remarks == "sửa giữa chừng"


# -- 46: deadlocks ----------------------------------------------------------------------------------------------


class Crosswise:
    """Another connection that locks a stream and then a report: the other way round than a push does."""

    def __init__(self, stream: str, report: str, *, waits: float) -> None:
        self.holds, self.go_on = threading.Event(), threading.Event()
        self.error = ""
        self._thread = threading.Thread(target=self._run, args=(stream, report, waits))
        self._thread.start()
        assert self.holds.wait(10)

    def _run(self, stream: str, report: str, waits: float) -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL deadlock_timeout = '{waits}s'")
                cursor.execute("SELECT 1 FROM changes_stream WHERE id = %s FOR UPDATE", [stream])
                self.holds.set()
                assert self.go_on.wait(10)
                cursor.execute(
                    "SELECT 1 FROM inspections_inspectionreport WHERE id = %s FOR UPDATE", [report]
                )
        except Exception as error:  # noqa: BLE001  told to the test
            self.error = repr(error)
        finally:
            connection.close()

    def join(self) -> str:
        """Wait for the end; gives what was raised."""
        self._thread.join(20)
        return self.error


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_case_46_a_push_that_loses_a_deadlock_is_tried_again(
    near: Near, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected: the victim is tried again within the request and applied; the other transaction commits too."""
    work = Work(cast)
    phone = near.phone(cast.officer)
    phone.sync()
    report = phone.save(work.fields())
    phone.sync()
    phone.save({"remarks": "hai"}, report)
    other = Crosswise(post_stream(cast.officer.posting.pk), report, waits=20)
    tries = []
    real = announce_report

    def announce(*of: Any, **more: Any) -> None:
        tries.append(1)
        other.go_on.set()
        real(*of, **more)

    monkeypatch.setattr("apps.inspections.actions.editing.announce", announce)
    results = phone.push()
    assert [r["status"] for r in results] == ["applied"], results
    assert other.join() == ""
    assert len(tries) == 2, "the push was the victim"
    assert InspectionReport.objects.get().remarks == "hai"
    check_feed()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_case_46_other_requests_that_lose_a_deadlock_are_503(
    near: Near, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected: 503 with `Retry-After`, nothing half done; the same request succeeds afterwards."""
    from apps.accounts.actions import sessions

    Work(cast)
    phone = near.phone(cast.officer, clock=VirtualClock())
    phone.sync()
    stream = post_stream(cast.officer.posting.pk)
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '20s'")
                cursor.execute("SELECT 1 FROM changes_stream WHERE id = %s FOR UPDATE", [stream])
                holds.set()
                assert done.wait(10)
                cursor.execute("SELECT 1 FROM accounts_devicetoken FOR UPDATE")
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(10)
    real = sessions._issue

    def issue(*of: Any) -> Any:
        done.set()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM changes_stream WHERE id = %s FOR UPDATE", [stream])
        return real(*of)

    with monkeypatch.context() as crossed:
        crossed.setattr(sessions, "_issue", issue)
        with pytest.raises(Refused) as refused:
            phone.refresh()
    thread.join(20)
    assert (refused.value.status, refused.value.code) == (503, "unavailable")
    assert refused.value.retry_after
    phone.refresh()
    phone.sync()
