"""Plain SQL with real commits: what waits is seen by whoever reads, travels with the commit, and fails as a whole."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from apps.audit.models import Event
from apps.changes.models import Change, Stream
from apps.common.sql import as_moment, as_uuid, execute, execute_all, insert, with_commit, write
from apps.common.transactions import transactional, whole

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)


def change(kind: str) -> dict[str, object]:
    return {
        "kind": kind,
        "record_kind": "r",
        "oid": uuid4(),
        "rev": 1,
        "actor_id": None,
        "data": {},
        "at": AT,
    }


def stream(name: str) -> dict[str, object]:
    return {"id": name, "seq": 1, "floor": 0, "n": 0, "h": 0}


def kinds() -> list[str]:
    return sorted(Change.objects.values_list("kind", flat=True))


def test_what_waits_is_committed() -> None:
    with with_commit():
        insert("changes_change", change("a"))
        insert("changes_change", change("b"))
        insert("changes_stream", stream("s"))
        write("UPDATE changes_stream SET seq = seq + %s WHERE id = %s", [1, "s"])
        write("UPDATE changes_stream SET seq = seq * %s WHERE id = %s", [10, "s"])
    assert kinds() == ["a", "b"]
    assert Stream.objects.get(pk="s").seq == 20


def test_many_rows_that_wait_are_committed_in_their_order_or_none_is() -> None:
    names = [f"k{i:02}" for i in range(40)]
    with with_commit():
        for name in names:
            insert("changes_change", change(name))
    assert list(Change.objects.order_by("pk").values_list("kind", flat=True)) == names
    with pytest.raises(IntegrityError), with_commit():  # noqa: PT012  the commit is what raises
        for name in names:
            insert("changes_stream", stream(name))
        insert("changes_stream", stream("k39"))
    assert not Stream.objects.filter(pk__in=names).exists()


def test_whoever_reads_sees_what_waited() -> None:
    with with_commit():
        insert("changes_change", change("a"))
        assert kinds() == ["a"]
        insert("changes_change", change("b"))
        assert execute("SELECT count(*) FROM changes_change").fetchone()[0] == 2
        insert("changes_change", change("c"))
    assert kinds() == ["a", "b", "c"]


def test_statements_sent_together_see_each_other_and_what_waited() -> None:
    with with_commit():
        insert("changes_stream", stream("s"))
        raised = "UPDATE changes_stream SET seq = seq + %s WHERE id = %s RETURNING seq"
        one, two, none, all_ = execute_all(
            [
                (raised, [1, "s"]),
                (raised, [1, "s"]),
                (raised, [1, "elsewhere"]),
                ("SELECT id FROM changes_stream", []),
            ]
        )
        assert (one.fetchone()[0], two.fetchone()[0], none.fetchone()) == (2, 3, None)
        assert all_.fetchall() in ([("s",)], [["s"]])
    assert Stream.objects.get(pk="s").seq == 3


def test_of_statements_sent_together_one_that_fails_undoes_all() -> None:
    insert("changes_stream", stream("here"))
    twice = "INSERT INTO changes_stream (id, seq, floor, n, h) VALUES (%s, 0, 0, 0, 0)"
    with pytest.raises(IntegrityError), with_commit():  # noqa: PT012  the block is what is tested
        insert("changes_change", change("lost"))
        execute_all([(twice, ["there"]), (twice, ["here"]), (twice, ["nowhere"])])
    assert kinds() == []
    assert [s.pk for s in Stream.objects.all()] == ["here"]
    with with_commit():
        insert("changes_change", change("kept"))
    assert kinds() == ["kept"]


def test_a_write_that_fails_undoes_all_and_the_connection_goes_on() -> None:
    insert("changes_stream", stream("here"))
    with pytest.raises(IntegrityError), with_commit():  # noqa: PT012  the commit raises
        insert("changes_change", change("lost"))
        insert("changes_stream", stream("here"))
    assert kinds() == []
    with with_commit():
        insert("changes_change", change("kept"))
    assert kinds() == ["kept"]
    assert connection.get_autocommit()


def test_a_foreign_key_is_checked_at_the_commit() -> None:
    with pytest.raises(IntegrityError), with_commit():  # noqa: PT012  the commit raises
        row = {"stream_id": "nowhere", "kind": "k", "oid": uuid4(), "seq": 1, "op": "put", "rev": 1}
        insert("changes_entry", {**row, "body": "{}", "changed_at": AT})
    with with_commit():
        insert("changes_change", change("kept"))
    assert kinds() == ["kept"]


def test_an_exception_inside_sends_nothing() -> None:
    with pytest.raises(ZeroDivisionError), with_commit():  # noqa: PT012  the block is what is tested
        insert("changes_change", change("lost"))
        raise ZeroDivisionError
    insert("changes_change", change("kept"))
    assert kinds() == ["kept"]


def test_what_is_to_be_undone_is_not_sent() -> None:
    insert("changes_stream", stream("here"))
    with with_commit():
        insert("changes_change", change("lost"))
        with suppress(IntegrityError):  # at once on SQLite, with the commit on PostgreSQL
            insert("changes_stream", stream("here"))
        transaction.set_rollback(True)
    assert kinds() == []
    with with_commit():
        insert("changes_change", change("kept"))
    assert kinds() == ["kept"]


def test_hooks_run_after_the_commit_and_only_then() -> None:
    seen: list[list[str]] = []
    with with_commit():
        insert("changes_change", change("a"))
        transaction.on_commit(lambda: seen.append(kinds()))
        assert seen == []
    assert seen == [["a"]]


def test_values_come_back_as_they_were() -> None:
    oid = uuid4()
    with with_commit():
        row = {
            "id": oid,
            "at": AT,
            "actor_id": None,
            "device_id": None,
            "request_id": "%s $1",
            "action": "x.y",
        }
        row |= {"record_kind": "r", "oid": oid, "note": "ạ", "data": {"d": [1, "ế", None]}}
        insert("audit_event", {**row, "body": b"\x00\xff", "salt": b"", "leaf_hash": b""})
    pk, at, day, data_note = execute(
        "SELECT id, at, %s, note FROM audit_event WHERE id = %s", [date(2026, 1, 2), oid]
    ).fetchone()
    assert (as_uuid(pk), as_moment(at), str(day), data_note) == (oid, AT, "2026-01-02", "ạ")
    event = Event.objects.get(pk=oid)
    assert (event.data, event.request_id, event.actor_id) == ({"d": [1, "ế", None]}, "%s $1", None)
    assert bytes(event.body) == b"\x00\xff"
    assert isinstance(as_uuid(str(oid)), UUID)


def test_the_parts_of_a_whole_stand_or_fall_together() -> None:
    @transactional
    def part(kind: str) -> None:
        insert("changes_change", change(kind))
        if kind == "bad":
            raise ValueError(kind)

    with pytest.raises(transaction.TransactionManagementError), whole():  # noqa: PT012  the point of the test
        part("good")
        with pytest.raises(ValueError, match="bad"):
            part("bad")
        kinds()
    assert kinds() == []
    with transaction.atomic():
        part("good")
        with pytest.raises(ValueError, match="bad"):
            part("bad")
    assert kinds() == ["good"]


def test_a_question_that_was_half_read_holds_no_later_write_up() -> None:
    half_read = execute("SELECT name FROM django_migrations ORDER BY id")
    assert half_read.fetchone() is not None
    other = threading.Thread(target=_write_and_close, args=("written by another",))
    other.start()
    other.join()
    with transaction.atomic():
        execute(_NAME, ["written after it"])
    assert half_read.fetchall(), "what was asked is still there"


_NAME = "INSERT INTO inspections_numberseries (series, last) VALUES (%s, 1)"


def _write_and_close(name: str) -> None:
    try:
        execute(_NAME, [name])
    finally:
        connection.close()
