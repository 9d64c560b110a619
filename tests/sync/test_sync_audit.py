"""`sync_audit`: whatever is broken by hand is named, repaired through the feed, and a phone converges."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from apps.accounts.actions import end_posting
from apps.audit.models import Event
from apps.changes.models import Entry, Stream
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.common.sql import adapted
from apps.inspections.models import InspectionReport
from apps.organisation.models import UnitName
from apps.sync.actions import renew_postings
from tests.cast import Cast
from tests.work import Pocket, Work, check_feed, fresh

pytestmark = pytest.mark.usefixtures("everything")


@pytest.fixture
def everything(work: Work, cast: Cast) -> None:
    """Records of every kind: reports in several states, photos, postings, checklists, a list."""
    reports = [work.in_state(state) for state in ("local_draft", "media_pending", "returned", "approved")]
    work.photo(reports[1].pk)
    audit("--fix")  # the photo was put straight into its table
    work.retire("closed")
    end_posting(actor=SYSTEM, posting=cast.team_mate.posting)


def audit(*options: str) -> dict[str, Any]:
    """Run the command with small batches; gives what it told, and its exit status as `status`."""
    out, status = StringIO(), 0
    try:
        call_command("sync_audit", "--json", "--batch", "2", *options, stdout=out)
    except SystemExit as end:
        status = int(str(end.code))
    told: dict[str, Any] = json.loads(out.getvalue())
    return {**told, "status": status}


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [adapted(value) for value in values])


def test_a_sound_database_has_no_difference() -> None:
    assert audit() == {"differences": {}, "repaired": 0, "examples": [], "status": 0}


ONE = "stream_id = %s AND kind = 'inspection' AND oid = %s"
BREAKS = {
    "missing": (
        f"DELETE FROM changes_entry WHERE {ONE}",
        {"inspection missing", "wrong-count", "wrong-digest"},
    ),
    "deleted": (
        f"UPDATE changes_entry SET op = 'del', body = '{{}}' WHERE {ONE}",
        {"inspection missing", "wrong-count", "wrong-digest"},
    ),
    "old revision": (
        f"UPDATE changes_entry SET rev = rev + 7 WHERE {ONE}",
        {"inspection stale", "wrong-digest"},
    ),
    "other body": (f'UPDATE changes_entry SET body = \'{{"state": "x"}}\' WHERE {ONE}', {"inspection stale"}),
    "other kind": (
        f"UPDATE changes_entry SET kind = 'thing' WHERE {ONE}",
        {"inspection missing", "thing unknown-kind", "wrong-digest"},
    ),
    "other id": (
        f"UPDATE changes_entry SET oid = '{new_id().hex}' WHERE {ONE}",
        {"inspection missing", "inspection orphan", "wrong-digest"},
    ),
}


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_entry_is_named_and_repaired(work: Work, cast: Cast, how: str) -> None:
    actor, stream = cast.officer.actor(), post_stream(cast.officer.posting.pk)
    report = work.submit().report.pk
    pocket = Pocket()
    pocket.pull(actor)
    right = fresh(actor)
    statement, named = BREAKS[how]
    sql(statement, stream, report)
    told = audit()
    assert (set(told["differences"]), told["status"]) == (named, 1)
    repaired = audit("--fix")
    assert repaired["status"] == 0
    assert audit()["differences"] == {}
    check_feed()
    pocket.pull(actor)
    assert pocket.rows == right == fresh(actor)
    assert Event.objects.filter(action="sync.repaired", oid=report).count() >= 1


@pytest.mark.parametrize("how", ["elsewhere too", "moved"])
def test_a_record_in_a_strangers_stream_leaves_it(work: Work, cast: Cast, how: str) -> None:
    report = work.submit().report.pk
    mine, theirs = (post_stream(m.posting.pk) for m in (cast.officer, cast.leader))
    if how == "moved":
        sql(f"UPDATE changes_entry SET stream_id = %s, seq = 9000 WHERE {ONE}", theirs, mine, report)
    else:
        sql(
            "INSERT INTO changes_entry (stream_id, kind, oid, seq, op, rev, body, changed_at) "
            f"SELECT %s, kind, oid, 9000, op, rev, body, changed_at FROM changes_entry WHERE {ONE}",
            theirs, mine, report,
        )  # fmt: skip
    told = audit("--fix")["differences"]
    assert told["inspection misplaced"] == 1
    assert audit()["differences"] == {}
    check_feed()
    assert not [k for k in fresh(cast.leader.actor()) if k[2] == str(report)]
    assert [k for k in fresh(cast.officer.actor()) if k[2] == str(report)]


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [("n", "n + 3", "wrong-count"), ("h", "12345", "wrong-digest"), ("seq", "1", "wrong-head")],
)
def test_a_broken_stream_is_named_and_repaired(
    work: Work, cast: Cast, column: str, value: str, what: str
) -> None:
    actor, stream = cast.officer.actor(), post_stream(cast.officer.posting.pk)
    work.submit()
    pocket = Pocket()
    pocket.pull(actor)
    before = Stream.objects.get(pk=stream)
    sql(f"UPDATE changes_stream SET {column} = {value} WHERE id = %s", stream)
    told = audit()
    assert (told["differences"], told["status"]) == ({what: 1}, 1)
    audit("--fix")
    assert audit()["differences"] == {}
    assert Stream.objects.get(pk=stream).seq == before.seq
    pocket.pull(actor)
    work.submit()
    pocket.pull(actor)
    assert pocket.rows == fresh(actor)
    check_feed()


def test_a_lost_record_leaves_the_phones(work: Work, cast: Cast) -> None:
    actor = cast.officer.actor()
    report = work.save().report.pk
    pocket = Pocket()
    pocket.pull(actor)
    InspectionReport.objects.filter(pk=report).delete()
    assert audit()["differences"] == {"inspection orphan": 1}
    audit("--fix")
    pocket.pull(actor)
    assert str(report) not in pocket.of_kind("inspection")


def test_everything_lost_comes_back(cast: Cast) -> None:
    actor = cast.officer.actor()
    right = fresh(actor)
    Entry.objects.all().delete()
    audit("--fix")
    assert audit()["differences"] == {}
    check_feed()
    assert fresh(actor) == right


def test_the_words_for_people(cast: Cast, work: Work) -> None:
    report: UUID = work.submit().report.pk
    sql("DELETE FROM changes_entry WHERE oid = %s", report)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sync_audit", stdout=out)
    assert f"missing inspection {report}" in out.getvalue()
    assert "inspection missing: 1" in out.getvalue()


def test_a_unit_that_is_called_otherwise_from_today_reaches_its_phones(cast: Cast) -> None:
    actor, posting = cast.officer.actor(), str(cast.officer.posting.pk)
    pocket = Pocket()
    pocket.pull(actor)
    UnitName.objects.filter(unit=cast.officer.posting.unit).update(vi="Cửa khẩu mới")
    assert audit()["differences"]["posting stale"] >= 1
    assert renew_postings(actor=SYSTEM) >= 1
    assert renew_postings(actor=SYSTEM) == 0
    pocket.pull(actor)
    assert pocket.of_kind("posting")[posting][1]["unit"]["vi"] == "Cửa khẩu mới"
    assert audit()["differences"] == {}
