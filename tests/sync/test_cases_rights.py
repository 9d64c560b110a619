"""Clocks, copies and rights, cases 24 to 30 of docs/sync.md: wrong clocks, cloned phones, gates lost and changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.actions import end_posting, post_officer, reinstate_officer, suspend_officer
from apps.accounts.models import Posting
from apps.audit.models import Event
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.evidence.models import Upload
from apps.inspections.models import InspectionReport
from apps.inspections.rules import COUNTRY_TIME
from apps.sync.actions import watch_devices
from apps.sync.models import Mutation
from apps.sync.operations import OPERATIONS
from tests.cast import Cast
from tests.evidence_images import noisy_jpeg
from tests.near import Near
from tests.phone import ConnectionCut, Phone, VirtualClock
from tests.phone_patience import LONGEST_DELAY
from tests.work import Work, check_feed, mutation

YEAR = 365 * 86400.0


@pytest.fixture
def phone(near: Near, work: Work, cast: Cast) -> Phone:
    """The officer's phone, in step with the server, on a clock of its own."""
    phone = near.phone(cast.officer, clock=VirtualClock())
    phone.sync()
    return phone


def at(moment: float) -> str:
    """Write a moment as the phone claims it."""
    return datetime.fromtimestamp(moment, UTC).isoformat()


def base(phone: Phone) -> set[tuple[Any, ...]]:
    """Give what the phone holds of the server's records."""
    return set(phone.store.execute("SELECT stream, kind, id, rev, body FROM base").fetchall())


# -- 24: clocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["two years ahead", "1970"])
def test_case_24_a_wrong_clock_delays_nothing_and_is_flagged(phone: Phone, work: Work, moment: str) -> None:
    """Expected: everything is applied with `clock-doubtful`; the report counts for the day it was received."""
    assert isinstance(phone.clock, VirtualClock)
    phone.clock.at = phone.clock.at + 2 * YEAR if moment == "two years ahead" else 60.0
    claims = {
        "started_on_device_at": at(phone.clock.at),
        "ended_on_device_at": at(phone.clock.at + 600),
    }
    report = phone.submit(work.fields(**claims))
    phone.take_photo(report, "step_3", noisy_jpeg(3000))
    phone.sync()
    assert (phone.waiting(), phone.attention()) == (0, [])
    body = phone.report(report)
    assert body["flags"] == ["clock-doubtful"]
    assert body["started_on_device_at"][:4] == claims["started_on_device_at"][:4], "the claim is kept"
    assert body["occurred_on"] == timezone.now().astimezone(COUNTRY_TIME).date().isoformat()
    (kept,) = phone.store.execute("SELECT count(*) FROM journal").fetchone()
    assert kept == 2, "the journal counts its days by the server's clock"
    assert phone.clock.slept == []


def test_case_24_a_clock_that_jumps_back_makes_nobody_wait_for_years(
    phone: Phone, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected: what was put off by the old clock is sent at once, and the order of the journal stays."""
    assert isinstance(phone.clock, VirtualClock)

    def busy(*_: object) -> Any:
        raise ZeroDivisionError

    first = phone.save(work.fields())
    phone.push()
    with monkeypatch.context() as broken:
        broken.setitem(OPERATIONS, "inspection.submit", busy)
        phone.submit({}, first)
        assert phone.push()[0]["status"] == "deferred"
    phone.put("not_before", str(phone.clock.at + 30))
    phone.clock.at -= 10 * YEAR
    phone.sync()
    assert (phone.waiting(), phone.report(first)["state"]) == (0, "complete")
    assert sum(phone.clock.slept) <= LONGEST_DELAY * 1.5
    order = [
        json.loads(body)["type"] for (body,) in phone.store.execute("SELECT body FROM journal ORDER BY seq")
    ]
    assert order == ["inspection.save", "inspection.submit"]


# -- 25: a copied phone -----------------------------------------------------------------------------------------


def test_case_25_a_cloned_phone_is_flagged_and_the_work_of_both_is_kept(
    near: Near, phone: Phone, work: Work, cast: Cast
) -> None:
    """Expected: all work of both is applied; the device is flagged in audit and console, once for each find."""
    phone.save(work.fields(remarks="trước khi sao chép"))
    phone.sync()
    clone = Phone(near.url, name="clone")
    near.phones.append(clone)
    phone.store.backup(clone.store)
    assert watch_devices(actor=SYSTEM) == 0
    for i, one in enumerate((phone, clone)):
        one.save(work.fields(remarks=f"máy {i}"))
        assert [r["status"] for r in one.push()] == ["applied"]
    assert sorted(InspectionReport.objects.values_list("remarks", flat=True)) == [
        "máy 0",
        "máy 1",
        "trước khi sao chép",
    ]
    assert watch_devices(actor=SYSTEM) == 1
    assert watch_devices(actor=SYSTEM) == 0, "told once"
    event = Event.objects.get(action="device.used_twice")
    assert (str(event.oid), event.data["device_seq"]) == (phone.get("device_id"), 2)
    page = cast.leader.console().get("/console/devices/").content.decode()
    assert "Nghi máy bị sao chép" in page
    assert "Nghi máy bị sao chép" not in cast.other_leader.console().get("/console/devices/").content.decode()
    for one in (phone, clone):
        one.sync()
    assert base(phone) == base(clone)
    check_feed()


def test_case_25_an_honest_phone_is_never_suspected(phone: Phone, work: Work) -> None:
    """Expected: repetitions, conflicts, refusals and a reinstalled app number nothing twice."""
    report = phone.save(work.fields())
    phone.wire.faults.lose_answers, phone.wire.faults.only_paths = 1, "/sync/push"
    with pytest.raises(ConnectionCut):
        phone.push()
    phone.push()
    phone.save({"mode": "?"}, report)
    phone.push()
    phone.insist(phone.attention()[0]["id"], {"mode": "express"})
    phone.sync()
    phone.call(
        "POST", "/sync/push", {"mutations": [mutation("inspection.save", work.fields()) for _ in "ab"]}
    )
    assert Mutation.objects.count() == 5
    assert watch_devices(actor=SYSTEM) == 0


# -- 26 to 30: rights -------------------------------------------------------------------------------------------


def left(days: float, member: Any) -> None:
    """Let the member's posting have ended some days ago."""
    end_posting(actor=SYSTEM, posting=member.posting)
    ended = timezone.now() - timedelta(days=days)
    Posting.objects.filter(pk=member.posting.pk).update(valid_to=ended)


def test_case_26_work_for_a_gate_lost_while_offline_is_taken_within_the_grace(
    phone: Phone, work: Work, cast: Cast
) -> None:
    """Expected: `applied` with `late-after-move`, for that gate's leader; it does not come back to the phone."""
    phone.wire.faults.offline = True
    report = phone.submit(work.fields(remarks="làm khi mất mạng"))
    left(6.9, cast.officer)
    phone.wire.faults.offline = False
    phone.sync()
    assert (phone.waiting(), phone.attention()) == (0, [])
    row = InspectionReport.objects.get()
    assert (str(row.pk), row.flags, row.unit) == (report, ["late-after-move"], cast.noi_bai)
    assert phone.rows("inspection") == {}
    assert cast.leader.console().get(f"/console/review/{report}/").status_code == 200
    assert cast.other_leader.console().get(f"/console/review/{report}/").status_code == 404


def test_case_26_after_the_grace_it_is_refused_and_kept(phone: Phone, work: Work, cast: Cast) -> None:
    """Expected: `rejected/scope-revoked` with the payload kept on the server and on the phone."""
    phone.submit(work.fields(remarks="quá hạn"))
    left(7.1, cast.officer)
    (result,) = phone.push()
    assert (result["status"], result["code"]) == ("rejected", "scope-revoked")
    kept = json.loads(Mutation.objects.get(pk=result["id"]).payload)
    assert kept["fields"]["remarks"] == "quá hạn"
    phone.sync()
    (shown,) = phone.attention()
    assert shown["sent"]["fields"]["remarks"] == "quá hạn"
    assert not InspectionReport.objects.exists()


def move(cast: Cast, unit: Any) -> None:
    """Post the officer somewhere else."""
    end_posting(actor=SYSTEM, posting=cast.officer.posting)
    cast.officer.posting = post_officer(actor=SYSTEM, officer=cast.officer.officer, unit=unit, role="officer")


def test_case_27_a_moved_gate_is_one_drop_that_may_be_lost(phone: Phone, work: Work, cast: Cast) -> None:
    """Expected: the old gate's records leave the phone in one `drop`, told again until heard; unsent work stays."""
    phone.submit(work.fields())
    phone.sync()
    old = post_stream(cast.officer.posting.pk)
    phone.wire.faults.offline = True
    phone.save(work.fields(remarks="chưa gửi"))
    move(cast, cast.far_gate)
    phone.wire.faults.offline = False
    phone.wire.faults.lose_answers, phone.wire.faults.only_paths = 1, "/sync/pull"
    with pytest.raises(ConnectionCut):
        phone.pull()
    assert old in {row[0] for row in base(phone)}
    phone.pull()
    assert old not in {row[0] for row in base(phone)}
    assert old not in json.dumps([row[0] for row in base(phone)])
    assert phone.waiting() == 1
    assert [r["warnings"] for r in phone.push()] == [["late-after-move"]]


def test_case_28_moved_away_and_back_the_digest_is_equal(
    near: Near, phone: Phone, work: Work, cast: Cast
) -> None:
    """Expected: at each stop the phone holds exactly what a fresh phone loads, and the self-check agrees."""
    for unit in (cast.far_gate, cast.noi_bai):
        phone.submit(work.fields())
        phone.sync()
        move(cast, unit)
        phone.submit(work.fields(remarks=f"tại {unit.code}"))
        phone.sync()
        fresh = near.phone(cast.officer)
        fresh.sync()
        assert base(phone) == base(fresh)
        assert phone.troubles() == []
        assert {body["unit"] for body in phone.rows("inspection").values()} <= {str(unit.pk)}


def test_case_28_the_same_posting_lost_and_regained(near: Near, phone: Phone, work: Work, cast: Cast) -> None:
    """Expected: an officer suspended and reinstated loses everything and gets the same stream again, digest equal."""
    phone.submit(work.fields())
    phone.sync()
    before = base(phone)
    page = phone.call("POST", "/sync/pull", {"cursor": phone.get("cursor")})
    suspend_officer(actor=SYSTEM, officer=cast.officer.officer, reason="test")
    reinstate_officer(actor=SYSTEM, officer=cast.officer.officer, reason="test")
    again = phone.call("POST", "/sync/pull", {"cursor": None})
    assert again["complete"] == page["complete"]
    phone.pull()
    assert base(phone) == before


def test_case_29_a_new_device_never_receives_rows_of_an_old_gate(
    near: Near, phone: Phone, work: Work, cast: Cast
) -> None:
    """Expected: neither rows, nor tombstones, nor a `drop`, nor the name of the old stream in any answer."""
    kept, gone = phone.submit(work.fields()), phone.save(work.fields())
    phone.sync()
    phone.discard(gone)
    phone.sync()
    old = post_stream(cast.officer.posting.pk)
    move(cast, cast.far_gate)
    new = near.phone(cast.officer)
    told = json.dumps([new.call("POST", "/sync/pull", {"cursor": None, "limit": n}) for n in (1, 2000)])
    told += json.dumps(new.call("GET", "/sync/status"))
    for secret in (kept, gone, old, str(cast.noi_bai.pk)):
        assert secret not in told
    new.sync()
    answers = [
        new.wire.request("GET", f"/mobile/v1/snapshots/{name}", new.headers()) for name in (old, "post:x")
    ]
    assert [answer.status for answer in answers] == [404, 404]


PATHS = (
    ("GET", "/mobile/v1/attachments/{photo}"),
    ("GET", "/mobile/v1/attachments/{photo}/original"),
    ("GET", "/mobile/v1/attachments/{photo}/thumbnail"),
    ("HEAD", "/mobile/v1/uploads/{upload}"),
    ("PATCH", "/mobile/v1/uploads/{upload}"),
    ("DELETE", "/mobile/v1/uploads/{upload}"),
    ("GET", "/mobile/v1/snapshots/{stream}"),
)


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_case_30_anothers_ids_are_404_and_nothing_leaks(
    near: Near, phone: Phone, work: Work, cast: Cast, method: str, path: str
) -> None:
    """Expected: 404 with the same bytes as for an id that nothing has; nothing is changed."""
    report = phone.save(work.fields())
    photo = phone.take_photo(report, "step_3", b"\xff\xd8" + b"x" * 500)
    phone.push()
    phone._tus_create(photo, 502)
    upload = Upload.objects.get()
    stranger = near.phone(cast.team_mate)
    tus = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
        "Accept": "application/json",
    }
    heard = []
    for ids in (
        {"photo": photo, "upload": upload.pk, "stream": post_stream(cast.officer.posting.pk)},
        {"photo": new_id(), "upload": new_id(), "stream": post_stream(new_id())},
    ):
        headers = stranger.headers() | (tus if "uploads" in path else {})
        answer = stranger.wire.request(
            method, path.format(**ids), headers, b"x" if method == "PATCH" else b""
        )
        body = answer.json() if answer.body else {}
        body.pop("request_id", None)
        quiet = {key.lower() for key in answer.headers} - {"date"}
        heard.append((answer.status, body, quiet))
    assert heard[0] == heard[1]
    assert heard[0][0] == 404
    upload.refresh_from_db()
    assert (upload.offset, upload.ended_at) == (0, None)


def test_case_30_a_push_about_anothers_records_tells_nothing(
    near: Near, phone: Phone, work: Work, cast: Cast
) -> None:
    """Expected: the same verdict as for records that do not exist, whatever the operation."""
    report = phone.save(work.fields())
    phone.take_photo(report, "step_3", b"x" * 50)
    phone.push()
    stranger = near.phone(cast.team_mate)
    before = InspectionReport.objects.values().get()
    sent: list[tuple[str, dict[str, Any], str, int | None]] = [
        ("inspection.save", {"remarks": "x"}, report, 1),
        ("inspection.submit", {}, report, 1),
        ("inspection.discard", {}, report, 1),
        ("inspection.discard", {}, report, None),
    ]
    for kind, fields, oid, rev in sent:
        pair = [mutation(kind, fields, oid=pk, base_rev=rev) for pk in (oid, new_id())]
        told = stranger.call("POST", "/sync/push", {"mutations": pair})["results"]
        assert {k: v for k, v in told[0].items() if k != "id"} == {
            k: v for k, v in told[1].items() if k != "id"
        }
    assert InspectionReport.objects.values().get() == before
