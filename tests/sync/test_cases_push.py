"""Push, cases 1 to 11 of docs/sync.md as phones meet them: answers lost, receipts gone, order, refusals, failures."""

from __future__ import annotations

import itertools
from typing import Any

import orjson
import pytest
from django.db import transaction

from apps.changes.models import Change
from apps.common.actor import Actor
from apps.common.records import new_id
from apps.evidence.models import Attachment
from apps.inspections.models import InspectionReport, ReportVersion
from apps.sync.actions import push
from apps.sync.models import Mutation
from apps.sync.operations import OPERATIONS, Applied
from apps.sync.rules import Envelope
from tests.cast import Cast
from tests.near import Near
from tests.phone import ConnectionCut, Phone, VirtualClock
from tests.work import Work, check_feed, mutation

PHOTO = b"\xff\xd8" + b"x" * 5000


@pytest.fixture
def phone(near: Near, work: Work, cast: Cast) -> Phone:
    """The officer's phone, in step with the server, on a clock of its own."""
    phone = near.phone(cast.officer, clock=VirtualClock())
    phone.sync()
    return phone


def send(phone: Phone, *mutations: dict[str, Any]) -> list[dict[str, Any]]:
    """Send mutations as they are and give the results."""
    answer = phone.call("POST", "/sync/push", {"mutations": list(mutations)})
    results: list[dict[str, Any]] = answer["results"]
    return results


def of_outbox(phone: Phone) -> list[str]:
    """Give the ids of what waits on the phone, in order."""
    rows = phone.store.execute("SELECT id FROM outbox WHERE state IN ('waiting','sent') ORDER BY seq")
    return [pk for (pk,) in rows]


def test_case_01_an_answer_lost_after_the_commit_costs_nothing(phone: Phone, work: Work) -> None:
    """Expected: the same batch again is all `duplicate` with the original results; the phone keeps them as applied."""
    reports = [phone.submit(work.fields(remarks=f"số {i}")) for i in range(3)]
    phone.wire.faults.lose_answers, phone.wire.faults.only_paths = 1, "/sync/push"
    with pytest.raises(ConnectionCut):
        phone.push()
    told = {str(m.pk): m.result for m in Mutation.objects.all()}
    changes = Change.objects.count()
    results = phone.push()
    assert [(r["status"], r["original_status"], r["rev"]) for r in results] == [
        ("duplicate", "applied", 1)
    ] * 3
    assert {str(m.pk): m.result for m in Mutation.objects.all()} == told
    assert Change.objects.count() == changes
    assert (phone.waiting(), phone.attention()) == (0, [])
    phone.pull()
    assert {phone.report(r)["number"] for r in reports} == set(
        InspectionReport.objects.values_list("number", flat=True)
    )
    check_feed()


def test_case_05_a_creation_whose_receipt_is_gone_makes_no_second_object(phone: Phone, work: Work) -> None:
    """Expected: the object itself is the second line of defence: the same content is `applied` and changes nothing."""
    report, photo = phone.save(work.fields()), new_id()
    declared = {"report": report, "sha256": "a" * 64, "size": 5, "mime": "image/jpeg", "step": "step_3"}
    sent = [
        mutation("inspection.save", work.fields(remarks="không"), oid=report),
        mutation("inspection.save", {"remarks": "một"}, oid=report, base_rev=1),
        mutation("attachment.create", declared, oid=photo),
        mutation("inspection.submit", {}, oid=report, base_rev=2),
    ]
    assert {r["status"] for r in send(phone, *sent)} == {"applied"}
    before = InspectionReport.objects.values().get()
    Mutation.objects.all().delete()
    first, patch, again, submitted = send(phone, *sent)
    assert again["status"] == "applied"
    assert (first["status"], patch["code"], submitted["code"]) == ("conflict", "state-locked", "state-locked")
    assert InspectionReport.objects.values().get() == before
    assert (Attachment.objects.count(), ReportVersion.objects.count(), Mutation.objects.count()) == (1, 1, 4)


@pytest.mark.parametrize("kind", ["inspection.save", "inspection.submit"])
def test_case_05_a_creation_sent_again_under_another_id_changes_nothing(
    phone: Phone, work: Work, kind: str
) -> None:
    """Expected: `applied` at the same revision; no second object, number, version or change."""
    sent = mutation(kind, work.fields())
    (first,) = send(phone, sent)
    changes, before = Change.objects.count(), InspectionReport.objects.values().get()
    Mutation.objects.all().delete()
    (again,) = send(phone, sent)
    (third,) = send(phone, {**sent, "id": str(new_id())})
    assert (again, third["rev"]) == (first, first["rev"])
    assert (Change.objects.count(), InspectionReport.objects.values().get()) == (changes, before)


def test_case_05_a_discard_whose_receipt_is_gone_discards_nothing_else(phone: Phone, work: Work) -> None:
    """Expected: `applied`; the draft stays away, and its purged creation does not bring it back with an old edit."""
    report = phone.save(work.fields())
    phone.push()
    phone.discard(report)
    (body,) = phone.store.execute("SELECT count(*) FROM outbox").fetchone()
    assert body == 2
    assert phone.push()[0]["status"] == "applied"
    (discard,) = Mutation.objects.filter(type="inspection.discard")
    payload = discard.payload
    Mutation.objects.all().delete()
    (again,) = send(phone, orjson.loads(payload))
    assert again["status"] == "applied"
    assert not InspectionReport.objects.exists()
    check_feed()


def test_case_06_a_child_sent_before_its_parent_is_put_off(phone: Phone, work: Work) -> None:
    """Expected: `deferred/missing-dependency`, nothing stored; the phone sends both in order and both are applied."""
    phone.save(work.fields())
    (parent,) = of_outbox(phone)
    phone.submit(work.fields(), needs=[parent])
    child = of_outbox(phone)[1]
    (row,) = phone.store.execute("SELECT object, fields FROM outbox WHERE id=?", (child,)).fetchall()
    (early,) = send(
        phone, {**mutation("inspection.submit", work.fields(), oid=row[0]), "depends_on": [parent]}
    )
    assert (early["status"], early["code"], early["needs"]) == ("deferred", "missing-dependency", [parent])
    assert not Mutation.objects.exists()
    assert [r["status"] for r in phone.push()] == ["applied", "applied"]


def test_case_07_a_refused_parent_shows_one_error_and_its_child_waits(phone: Phone, work: Work) -> None:
    """Expected: one entry under "needs attention"; the child is not sent again until the officer puts it right."""
    bad = work.fields(mode="khinh khí cầu")
    phone.save(bad)
    (parent,) = of_outbox(phone)
    phone.submit(work.fields(), needs=[parent])
    results = phone.push()
    assert [(r["status"], r.get("code")) for r in results] == [
        ("rejected", "invalid-field"),
        ("deferred", "dependency-failed"),
    ]
    (shown,) = phone.attention()
    assert (shown["errors"][0]["pointer"], shown["sent"]["fields"]["mode"]) == (
        "/fields/mode",
        "khinh khí cầu",
    )
    asked = len(phone.wire.faults.log)
    assert phone.push() == []
    assert len(phone.wire.faults.log) == asked, "nothing is sent in vain"
    phone.insist(parent, {**bad, "mode": "express"})
    assert [r["status"] for r in phone.push()] == ["applied", "applied"]
    assert (phone.attention(), phone.waiting()) == ([], 0)


def test_case_08_poison_in_a_batch_reaches_the_officer_and_nothing_else_waits(
    phone: Phone, work: Work
) -> None:
    """Expected: 199 of 200 applied; the poisoned one is kept by the server and shown by the phone, not sent again."""
    for i in range(200):
        phone.save({"checklist_version": work.version, **({"mode": ["?"]} if i == 2 else {})})
    results = phone.push(batch=200)
    assert [i for i, r in enumerate(results) if r["status"] != "applied"] == [2]
    (shown,) = phone.attention()
    assert shown["sent"]["fields"]["mode"] == ["?"]
    assert Mutation.objects.filter(status="rejected", payload__contains='"mode":["?"]').count() == 1
    assert (phone.waiting(), InspectionReport.objects.count()) == (0, 199)
    assert phone.push() == []


def test_case_09_the_phone_waits_longer_each_time_a_handler_fails(
    phone: Phone, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected: `deferred/server-error` for one, the rest applied; growing pauses, then the same id is applied."""

    def explode(actor: Actor, sent: Envelope) -> Applied:
        raise ZeroDivisionError

    report = phone.save(work.fields())
    phone.push()
    with monkeypatch.context() as broken:
        broken.setitem(OPERATIONS, "inspection.submit", explode)
        phone.submit({}, report)
        other = phone.save(work.fields())
        (waiting, _) = of_outbox(phone)
        assert [r["status"] for r in phone.push()] == ["deferred", "applied"]
        assert phone.push() == [], "not again at once"
        assert not phone.sync_patiently(6)
    clock = phone.clock
    assert isinstance(clock, VirtualClock)
    assert sum(clock.slept) > 60
    clock.sleep(900)
    (result,) = phone.push()
    assert (result["id"], result["status"]) == (waiting, "applied")
    phone.pull()
    assert phone.report(report)["state"] == "complete"
    assert phone.report(other)["state"] == "local_draft"


def test_case_11_any_order_comes_to_the_same_state(work: Work, cast: Cast) -> None:
    """Expected: whatever order the client sends in, deferred ones again: the same reports, answers and photos."""
    cast.officer.client()
    actor = cast.officer.actor()
    a, b, photo = new_id(), new_id(), new_id()
    first = mutation("inspection.save", work.fields(), oid=a)
    second = mutation("inspection.submit", {"remarks": "xong"}, oid=a, base_rev=1, depends_on=[first["id"]])
    claims = {"report": str(a), "sha256": "a" * 64, "size": 5, "mime": "image/jpeg"}
    batch = [
        first,
        second,
        mutation("attachment.create", claims, oid=photo),
        mutation("inspection.submit", work.fields(place="kho khác"), oid=b, depends_on=[first["id"]]),
    ]
    reached = set()
    for order in itertools.permutations(batch):
        with transaction.atomic():
            left = list(order)
            for _ in range(len(batch)):
                results = push(actor=actor, mutations=left)
                assert {r["status"] for r in results} <= {"applied", "deferred"}
                left = [m for m, r in zip(left, results, strict=True) if r["status"] == "deferred"]
            assert not left
            check_feed()
            reached.add(_state())
            transaction.set_rollback(True)
    assert len(reached) == 1, reached


def _state() -> str:
    reports = InspectionReport.objects.order_by("pk").values_list(
        "pk", "rev", "state", "remarks", "place", "answers"
    )
    photos = Attachment.objects.order_by("pk").values_list("pk", "owner_id", "state", "is_draft")
    return repr((list(reports), list(photos)))
