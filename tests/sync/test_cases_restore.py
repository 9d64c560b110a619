"""A server that has gone back in time, cases 38 and 39 of docs/sync.md.

The database goes back to a savepoint, as a backup would take it back; files stay, as a storage does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import transaction

from apps.changes.actions import Item, record
from apps.changes.models import Stream
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.evidence.models import Attachment
from apps.inspections.actions import return_for_correction, settle_media
from apps.inspections.models import InspectionReport
from apps.sync.actions import new_epoch
from tests.cast import Cast
from tests.evidence_images import noisy_jpeg
from tests.near import Near
from tests.phone import ConnectionCut, Phone
from tests.work import Work, check_feed

Restore = Callable[[], None]


@pytest.fixture
def backup(db: None) -> Callable[[], Restore]:
    """Take a backup of the database; gives what brings it back."""

    def take() -> Restore:
        point = transaction.savepoint()

        def restore() -> None:
            transaction.savepoint_rollback(point)
            cache.clear()  # the processes are started again

        return restore

    return take


@pytest.fixture
def phone(near: Near, work: Work, cast: Cast) -> Phone:
    """The officer's phone, in step with the server."""
    phone = near.phone(cast.officer)
    phone.sync()
    return phone


def seen(phone: Phone) -> dict[str, dict[str, Any]]:
    """Give what the officer wrote in each report, as the phone shows it."""
    fields = ("state", "remarks", "place", "answers", "photos")
    return {pk: {key: body[key] for key in fields} for pk, body in phone.rows("inspection").items()}


def a_days_work(phone: Phone, work: Work, name: str) -> str:
    """Submit a report with a photo and begin another; gives the submitted report."""
    report = phone.save(work.fields())
    photo = phone.take_photo(report, "step_3", noisy_jpeg(3000, seed=len(name)))
    phone.sync()
    phone.submit({"remarks": name, "photos": {"step_3": [photo]}}, report)
    phone.save(work.fields(remarks=f"nháp {name}"))
    phone.sync()
    return report


def test_case_38_a_restored_server_gets_the_journal_and_loses_nothing(
    phone: Phone, work: Work, backup: Callable[[], Restore]
) -> None:
    """Expected: after 410 the phone sends its journal: reports, drafts and photos of the lost time are all back."""
    a_days_work(phone, work, "trước")
    restore = backup()
    a_days_work(phone, work, "sau khi sao lưu")
    before = seen(phone)
    restore()
    assert InspectionReport.objects.count() == 2
    new_epoch(actor=SYSTEM)
    phone.sync()
    for late in InspectionReport.objects.filter(state="media_pending"):
        settle_media(actor=SYSTEM, report_id=late.pk)  # as the worker does when a photo has arrived
    phone.pull()
    assert seen(phone) == before
    assert (phone.waiting(), phone.attention(), phone.troubles()) == (0, [], [])
    assert InspectionReport.objects.count() == 4
    assert list(Attachment.objects.values_list("state", flat=True)) == ["stored", "stored"]
    check_feed()
    phone.sync()
    assert seen(phone) == before


def test_case_38_new_work_pushed_before_the_phone_knows_is_not_refused_for_good(
    phone: Phone, work: Work, backup: Callable[[], Restore]
) -> None:
    """Expected: an edit of a report the restored server has lost is sent again after the journal, and applied."""
    restore = backup()
    report = phone.save(work.fields(remarks="một"))
    phone.sync()
    restore()
    new_epoch(actor=SYSTEM)
    phone.submit({"remarks": "hai"}, report)
    other = phone.submit(work.fields(remarks="khác"))
    phone.sync()
    assert (phone.waiting(), phone.attention()) == (0, [])
    shown = seen(phone)
    assert {pk: (body["remarks"], body["state"]) for pk, body in shown.items()} == {
        report: ("hai", "complete"),
        other: ("khác", "complete"),
    }
    check_feed()


def test_case_38_a_photo_that_waits_longer_than_the_journal_lasts_is_declared_again(
    phone: Phone, work: Work, backup: Callable[[], Restore]
) -> None:
    """Expected: its declaration stays in the journal for as long as the bytes wait, here 15 days."""
    report = phone.save(work.fields())
    phone.sync()
    restore = backup()
    photo = phone.take_photo(report, "step_3", noisy_jpeg(3000, seed=1))
    phone.push()
    phone.store.execute("UPDATE journal SET acked_at = acked_at - 15 * 86400")
    restore()
    phone.submit({"photos": {"step_3": [photo]}}, report)
    phone.sync()  # by the old epoch still: the server lets the phone know that it does not know the photo
    assert Attachment.objects.get(pk=photo).state == "stored"
    assert (phone.waiting(), phone.attention(), phone.refused_photos()) == (0, [], [])


def test_case_38_a_photo_that_the_server_does_not_know_stops_no_other(
    phone: Phone, work: Work, cast: Cast
) -> None:
    """Expected: the others arrive; this one, when sending the journal again has not helped, is kept for the officer."""
    report = phone.save(work.fields())
    unknown = phone.take_photo(report, "step_3", noisy_jpeg(3000, seed=1))
    other = phone.take_photo(report, "step_3", noisy_jpeg(3000, seed=2))
    phone.push()
    Attachment.objects.filter(pk=unknown).delete()
    phone.sync()
    assert Attachment.objects.get(pk=other).state == "stored"
    assert phone.refused_photos() == [unknown]
    assert phone.waiting() == 0


@pytest.mark.parametrize("after", [0, 1])
def test_case_38_a_journal_cut_on_the_way_begins_again(
    phone: Phone, work: Work, backup: Callable[[], Restore], after: int
) -> None:
    """Expected: the connection breaks while the journal is sent; the next sync sends it again, nothing is doubled."""
    restore = backup()
    report = phone.save(work.fields())
    phone.sync()
    phone.submit({}, report)
    phone.sync()
    before = seen(phone)
    restore()
    new_epoch(actor=SYSTEM)
    phone.wire.faults.lose_answers, phone.wire.faults.only_paths = 1 + after, "/sync/push"
    for _ in range(1 + after):
        with pytest.raises(ConnectionCut):
            phone.sync()
    phone.sync()
    assert seen(phone) == before
    assert InspectionReport.objects.count() == 1


def test_case_38_what_the_restored_server_cannot_take_is_told_to_the_officer(
    phone: Phone, work: Work, cast: Cast, backup: Callable[[], Restore]
) -> None:
    """Expected: a correction whose return was lost meets the old state; its text is kept under "needs attention"."""
    report, desk = phone.submit(work.fields()), cast.leader.console()
    phone.sync()
    restore = backup()
    return_for_correction(actor=cast.leader.actor(), report_id=UUID(report), notes=[], note="Bổ sung")
    phone.pull()
    phone.submit({"remarks": "đã bổ sung"}, report)
    phone.sync()
    assert phone.report(report)["remarks"] == "đã bổ sung"
    restore()
    new_epoch(actor=SYSTEM)
    phone.sync()
    (shown,) = phone.attention()
    assert (shown["code"], shown["sent"]["fields"]["remarks"]) == ("state-locked", "đã bổ sung")
    page = desk.get(f"/console/review/{report}/")
    assert [c.after for edit in page.context["late_edits"] for c in edit.changes] == ["đã bổ sung"]
    return_for_correction(actor=cast.leader.actor(), report_id=UUID(report), notes=[], note="Bổ sung")
    phone.pull()
    phone.insist(shown["id"])
    phone.sync()
    assert (phone.report(report)["remarks"], phone.attention()) == ("đã bổ sung", [])


def test_case_38_two_phones_send_their_journals(
    near: Near, phone: Phone, work: Work, cast: Cast, backup: Callable[[], Restore]
) -> None:
    """Expected: each phone's own work comes back, whichever syncs first; both end equal."""
    other = near.phone(cast.officer)
    other.sync()
    restore = backup()
    mine, yours = phone.submit(work.fields(remarks="máy một")), other.submit(work.fields(remarks="máy hai"))
    for one in (phone, other, phone):
        one.sync()
    restore()
    new_epoch(actor=SYSTEM)
    for one in (other, phone, other):
        one.sync()
    assert seen(phone) == seen(other)
    assert {body["remarks"] for body in seen(phone).values()} == {"máy một", "máy hai"}
    assert set(seen(phone)) == {mine, yours}
    check_feed()


def test_case_38_an_edit_that_comes_before_its_report_waits_for_the_officer(
    near: Near, phone: Phone, work: Work, cast: Cast, backup: Callable[[], Restore]
) -> None:
    """Expected: the phone that edited may be first; its text is kept and sent at the officer's word."""
    other = near.phone(cast.officer)
    restore = backup()
    report = phone.save(work.fields())
    phone.sync()
    other.sync()
    other.save({"remarks": "từ máy hai"}, report)
    other.sync()
    restore()
    new_epoch(actor=SYSTEM)
    other.sync()
    (shown,) = other.attention()
    assert (shown["code"], shown["sent"]["fields"]) == ("forbidden", {"remarks": "từ máy hai"})
    phone.sync()
    other.pull()
    other.insist(shown["id"])
    other.sync()
    phone.sync()
    assert phone.report(report)["remarks"] == other.report(report)["remarks"] == "từ máy hai"
    assert (other.attention(), other.waiting()) == ([], 0)


def test_case_39_a_restore_that_nobody_declared_is_caught_by_the_digest(
    phone: Phone, work: Work, cast: Cast, backup: Callable[[], Restore]
) -> None:
    """Expected: numbers have passed the phone's cursor again; its digest disagrees, it loads anew and re-pushes."""
    stream = post_stream(cast.officer.posting.pk)
    restore = backup()
    report = phone.submit(work.fields(remarks="sau khi sao lưu"))
    phone.sync()
    head = Stream.objects.get(pk=stream).seq
    restore()
    kept = [new_id() for _ in range(5)]
    for oid in kept:
        record(SYSTEM, Item("thing.changed", "thing", oid, 1, {"rev": 1}, streams=[stream]))
    assert Stream.objects.get(pk=stream).seq > head
    page = phone.call("POST", "/sync/pull", {"cursor": phone.get("cursor")})
    assert (page["reset"], page["drop"]) == ([], []), "the cursor alone tells nothing"
    phone.sync()
    assert set(phone.rows("thing")) == set(map(str, kept))
    assert phone.report(report)["state"] == "complete"
    assert InspectionReport.objects.get().remarks == "sau khi sao lưu"
    assert phone.troubles() == []
    check_feed()


def test_case_39_a_cursor_ahead_of_the_restored_head_loads_anew(
    phone: Phone, work: Work, cast: Cast, backup: Callable[[], Restore]
) -> None:
    """Expected: `reset` of the stream whose number the server has not reached; then the phone equals the server."""
    stream = post_stream(cast.officer.posting.pk)
    phone.sync()
    restore = backup()
    phone.submit(work.fields())
    phone.sync()
    restore()
    page = phone.call("POST", "/sync/pull", {"cursor": phone.get("cursor")})
    assert page["reset"] == [stream]
    phone.pull()
    assert phone.rows("inspection") == {}
    assert phone.troubles() == []
