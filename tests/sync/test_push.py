"""The push engine: one verdict per mutation whatever comes, receipts that answer repetitions, and twins at once."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache
from django.db import IntegrityError, OperationalError

from apps.accounts.actions import end_posting
from apps.audit.models import Event
from apps.changes.models import Change
from apps.common.actor import SYSTEM, Actor
from apps.common.records import new_id
from apps.evidence.models import Attachment
from apps.inspections.actions import start_review, void_inspection
from apps.inspections.models import InspectionReport, ReportVersion
from apps.sync.actions import push
from apps.sync.models import Mutation
from apps.sync.operations import OPERATIONS, Applied
from apps.sync.rules import MAX_MUTATION_BYTES, Envelope
from tests.cast import Cast
from tests.work import Work, at_once, check_feed, mutation

Result = dict[str, Any]
UNKNOWN = ("inspection.explode", "", "\x00")


def save(work: Work, **more: Any) -> dict[str, Any]:
    return mutation("inspection.save", work.fields(), **more)


def submit(work: Work, **more: Any) -> dict[str, Any]:
    return mutation("inspection.submit", work.fields(), **more)


@pytest.fixture
def actor(cast: Cast) -> Actor:
    """The officer with a phone."""
    cast.officer.client()
    return cast.officer.actor()


@pytest.fixture
def other_phone(cast: Cast, actor: Actor) -> Actor:
    """The same officer with another phone."""
    return replace(actor, device_id=cast.officer.another_phone().device.pk)


def one(actor: Actor, sent: object) -> Result:
    (result,) = push(actor=actor, mutations=[sent])
    return result


def test_an_applied_mutation_leaves_a_receipt(work: Work, actor: Actor) -> None:
    sent = submit(work, device_seq=7)
    result = one(actor, sent)
    assert result == {"id": sent["id"], "status": "applied", "rev": 1, "merged": False, "warnings": []}
    receipt = Mutation.objects.get()
    assert (str(receipt.pk), receipt.type, str(receipt.oid)) == (sent["id"], sent["type"], sent["object"])
    assert (receipt.status, receipt.device_seq, receipt.device_id) == ("applied", 7, actor.device_id)
    assert json.loads(receipt.result) == result
    assert json.loads(receipt.payload) == sent


def test_case_01_a_repetition_gets_the_stored_original(work: Work, actor: Actor, other_phone: Actor) -> None:
    """Expected: `duplicate` with the stored original, whatever the original was; nothing is written."""
    base = save(work)
    assert one(other_phone, base)["status"] == "applied"
    first = mutation("inspection.save", {"remarks": "một"}, oid=base["object"], base_rev=1)
    second = mutation("inspection.save", {"remarks": "hai"}, oid=base["object"], base_rev=1)
    bad = mutation("inspection.save", {"mode": "balloon"}, oid=base["object"], base_rev=1)
    originals = [one(other_phone, first), one(actor, second), one(actor, bad)]
    assert [r["status"] for r in originals] == ["applied", "conflict", "rejected"]
    changes, events = Change.objects.count(), Event.objects.count()
    for sent, original in zip((first, second, bad), originals, strict=True):
        again = one(actor, dict(reversed(sent.items())))
        assert again == {**original, "status": "duplicate", "original_status": original["status"]}
    assert (Change.objects.count(), Event.objects.count()) == (changes, events)


def test_case_03_another_content_under_the_same_id_is_refused_and_told_to_the_audit(
    work: Work, actor: Actor
) -> None:
    """Expected: `rejected/id-reused` and an audit event; the original stands."""
    sent = save(work)
    one(actor, sent)
    result = one(actor, {**sent, "fields": {**sent["fields"], "remarks": "khác"}})
    assert (result["status"], result["code"]) == ("rejected", "id-reused")
    assert Event.objects.filter(action="mutation.id_reused", oid=sent["id"]).count() == 1
    assert InspectionReport.objects.get().remarks == ""
    assert one(actor, sent)["status"] == "duplicate", "the original stands"


def test_another_persons_mutation_id_gives_nothing_away(work: Work, actor: Actor, cast: Cast) -> None:
    sent = save(work)
    one(actor, sent)
    cast.team_mate.client()
    result = one(cast.team_mate.actor(), sent)
    assert result == {"id": sent["id"], "status": "rejected", "code": "id-reused", "detail": result["detail"]}


def test_case_08_poison_at_the_third_place_spoils_nothing_else(work: Work, actor: Actor) -> None:
    """Expected: 199 `applied`, the third `rejected` with its payload kept as it came."""
    batch: list[Any] = [mutation("inspection.save", {"checklist_version": work.version}) for _ in range(200)]
    batch[2] = {**batch[2], "fields": {"answers": {"step_0": {"value": [{"deep": []}]}}, "mode": ["?"]}}
    results = push(actor=actor, mutations=batch)
    assert [r["id"] for r in results] == [m["id"] for m in batch]
    assert [i for i, r in enumerate(results) if r["status"] != "applied"] == [2]
    assert results[2]["status"] == "rejected"
    assert InspectionReport.objects.count() == 199
    kept = Mutation.objects.get(pk=batch[2]["id"])
    assert json.loads(kept.payload) == batch[2]
    check_feed()


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "inspection.explode"},
        {"type": ""},
        {"type": "\x00"},
        {"type": "x" * 61},
        {"type": None},
        {"object": "x"},
        {"object": None},
        {"fields": []},
        {"base_rev": "1"},
        {"device_seq": -1},
        {"depends_on": ["x"]},
    ],
)
def test_a_refused_envelope_is_kept_as_it_came(work: Work, actor: Actor, changed: dict[str, Any]) -> None:
    sent = {**save(work), **changed}
    result = one(actor, sent)
    assert result["status"] == "rejected"
    assert result["code"] == ("unknown-type" if changed.get("type") in UNKNOWN else "invalid-field")
    kept = Mutation.objects.get(pk=sent["id"])
    assert json.loads(kept.payload) == sent
    assert json.loads(kept.result) == result
    assert one(actor, sent)["status"] == "duplicate"
    assert not InspectionReport.objects.exists()


@pytest.mark.parametrize(
    "sent", [None, 1, "x", [], {}, {"id": 5}, {"id": "\ud800"}, {"id": "\x00"}, {"id": "x" * 100}]
)
def test_what_has_no_id_is_refused_and_the_rest_goes_on(work: Work, actor: Actor, sent: object) -> None:
    results = push(actor=actor, mutations=[sent, save(work)])
    assert [r["status"] for r in results] == ["rejected", "applied"]
    assert results[0]["code"] == "invalid-field"
    json.dumps(results).encode()
    assert str(results[0]["id"]).isascii()


def test_a_mutation_beyond_256_kb_is_refused_and_kept(work: Work, actor: Actor) -> None:
    sent = mutation("inspection.save", {"remarks": "ế" * (MAX_MUTATION_BYTES // 3)})
    result = one(actor, sent)
    assert (result["status"], result["code"]) == ("rejected", "too-large")
    assert json.loads(Mutation.objects.get().payload) == sent


def test_case_09_a_failing_handler_defers_its_mutation_and_the_rest_goes_on(
    work: Work, actor: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Expected: `deferred/server-error`, the rest processed, nothing half done; an alarm after five times."""

    def explode(actor: Actor, sent: Envelope) -> Applied:
        InspectionReport.objects.update(remarks="half done")
        raise ZeroDivisionError

    monkeypatch.setitem(OPERATIONS, "inspection.discard", explode)
    batch = [save(work), mutation("inspection.discard", {}), save(work)]
    results = push(actor=actor, mutations=batch)
    assert [r["status"] for r in results] == ["applied", "deferred", "applied"]
    assert (results[1]["code"], results[1]["retry_after"]) == ("server-error", 5)
    assert not Mutation.objects.filter(pk=batch[1]["id"]).exists(), "nothing is left behind"
    assert not InspectionReport.objects.filter(remarks="half done").exists()
    with caplog.at_level(logging.CRITICAL):
        for _ in range(4):
            one(actor, batch[1])
    assert "push.mutation_failed" in caplog.text, "the fifth time is an alarm"
    monkeypatch.undo()
    assert one(actor, batch[1])["status"] == "applied", "the same id works once the fault is mended"


def test_a_dead_cache_does_not_make_it_worse(
    work: Work, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> Any:
        raise ConnectionError

    monkeypatch.setitem(OPERATIONS, "inspection.discard", fail)
    monkeypatch.setattr(type(cache._connections["default"]), "get", fail)  # type: ignore[attr-defined]
    results = push(actor=actor, mutations=[mutation("inspection.discard", {}), save(work)])
    assert [r["status"] for r in results] == ["deferred", "applied"]


@pytest.mark.parametrize("error", [OperationalError("deadlock detected"), IntegrityError("twin")])
def test_a_busy_database_defers(
    work: Work, actor: Actor, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(actor: Actor, sent: Envelope) -> Applied:
        raise error

    monkeypatch.setitem(OPERATIONS, "inspection.discard", fail)
    result = one(actor, mutation("inspection.discard", {}))
    assert (result["status"], result["code"]) == ("deferred", "busy")


def test_case_06_a_child_waits_for_its_parent(work: Work, actor: Actor) -> None:
    """Expected: `deferred/missing-dependency` with what is needed, nothing stored; in order, both are `applied`."""
    parent = save(work)
    child = save(work, depends_on=[parent["id"]])
    first = one(actor, child)
    assert (first["status"], first["code"], first["needs"]) == (
        "deferred",
        "missing-dependency",
        [parent["id"]],
    )
    assert not Mutation.objects.exists()
    results = push(actor=actor, mutations=[parent, child])
    assert [r["status"] for r in results] == ["applied", "applied"]


@pytest.mark.parametrize("kind", ["rejected", "conflict"])
def test_case_07_a_child_of_a_refused_parent_waits_in_vain(work: Work, actor: Actor, kind: str) -> None:
    """Expected: the child is `deferred/dependency-failed` and names the parent."""
    known = save(work)
    one(actor, known)
    parent = (
        mutation("inspection.save", {"mode": "?"})
        if kind == "rejected"
        else mutation("inspection.save", {**work.fields(), "place": "khác"}, oid=known["object"])
    )
    child = save(work, depends_on=[known["id"], parent["id"]])
    results = push(actor=actor, mutations=[parent, child])
    assert results[0]["status"] == kind
    assert (results[1]["status"], results[1]["code"], results[1]["needs"]) == (
        "deferred",
        "dependency-failed",
        [parent["id"]],
    )


def test_somebody_elses_mutation_is_no_dependency(work: Work, actor: Actor, cast: Cast) -> None:
    cast.team_mate.client()
    parent = save(work)
    one(cast.team_mate.actor(), parent)
    assert one(actor, save(work, depends_on=[parent["id"]]))["code"] == "missing-dependency"


def test_the_verdicts_of_conflicts_show_both_versions(
    work: Work, actor: Actor, other_phone: Actor, cast: Cast
) -> None:
    base = save(work)
    one(actor, base)
    one(other_phone, mutation("inspection.save", {"remarks": "một"}, oid=base["object"], base_rev=1))
    sent = mutation("inspection.save", {"remarks": "hai"}, oid=base["object"], base_rev=1)
    clash = one(actor, sent)
    assert (clash["code"], clash["fields"], clash["current"], clash["rev"]) == (
        "field-conflict",
        ["remarks"],
        {"remarks": "một"},
        2,
    )
    assert clash["conflict_id"] == sent["id"]
    assert json.loads(Mutation.objects.get(pk=sent["id"]).payload)["fields"] == {"remarks": "hai"}

    one(actor, mutation("inspection.submit", {}, oid=base["object"], base_rev=2))
    late = {"remarks": "muộn"}
    locked = one(actor, mutation("inspection.save", late, oid=base["object"], base_rev=2))
    assert (locked["status"], locked["code"], locked["current"]["state"]) == (
        "conflict",
        "state-locked",
        "complete",
    )
    start_review(actor=cast.leader.actor(), report_id=UUID(base["object"]))
    moved = one(actor, mutation("inspection.save", late, oid=base["object"], base_rev=2))
    assert (moved["code"], moved["current"]["state"]) == ("state-changed", "under_review")
    void_inspection(actor=cast.leader.actor(), report_id=UUID(base["object"]), reason="Trùng")
    gone = one(actor, mutation("inspection.save", late, oid=base["object"], base_rev=2))
    assert (gone["status"], gone["code"]) == ("conflict", "deleted")
    other = one(actor, save(work, oid=base["object"]))
    assert (other["status"], other["code"]) == ("conflict", "deleted")


def test_case_04_the_same_object_made_twice_differently_is_a_conflict(work: Work, actor: Actor) -> None:
    """Expected: same content `applied` without a second object, other content `conflict/exists-different`."""
    first, same = save(work), None
    one(actor, first)
    same = {**save(work, oid=first["object"]), "fields": first["fields"]}
    assert (one(actor, same)["status"], one(actor, same)["status"]) == ("applied", "duplicate")
    result = one(actor, mutation("inspection.save", work.fields(place="khác"), oid=first["object"]))
    assert (result["status"], result["code"], result["current"]["place"]) == (
        "conflict",
        "exists-different",
        "Kho chuyển phát nhanh",
    )


def test_somebody_elses_object_and_none_get_the_same_verdict(work: Work, actor: Actor, cast: Cast) -> None:
    base = save(work)
    one(actor, base)
    cast.team_mate.client()
    stranger = cast.team_mate.actor()
    for kind in ("inspection.save", "inspection.submit", "inspection.discard"):
        told = []
        for oid in (base["object"], str(new_id())):
            result = one(stranger, mutation(kind, {"remarks": "x"}, oid=oid, base_rev=1))
            told.append({k: v for k, v in result.items() if k != "id"})
        assert told[0] == told[1], kind
    assert InspectionReport.objects.get().remarks == ""


def test_warnings_come_with_the_verdict(work: Work, actor: Actor, cast: Cast) -> None:
    draft = save(work)
    one(actor, draft)
    work.retire("closed")
    end_posting(actor=SYSTEM, posting=cast.officer.posting)
    late = cast.officer.actor()
    sent = mutation(
        "inspection.submit",
        {"started_on_device_at": "1970-01-01T00:00:00Z"},
        oid=draft["object"],
        base_rev=1,
    )
    result = one(late, sent)
    assert result["status"] == "applied"
    assert sorted(result["warnings"]) == ["checklist-closed", "clock-doubtful", "late-after-move"]
    new = one(late, save(work))
    assert (new["status"], new["code"]) == ("rejected", "scope-revoked")
    assert Mutation.objects.filter(pk=new["id"]).exists(), "the payload is kept"


def test_a_photo_is_declared_by_mutation(work: Work, actor: Actor) -> None:
    base, photo = save(work), new_id()
    fields = {"report": base["object"], "step": "step_3", "sha256": "a" * 64, "size": 5, "mime": "image/jpeg"}
    results = push(actor=actor, mutations=[base, mutation("attachment.create", fields, oid=photo)])
    assert [r["status"] for r in results] == ["applied", "applied"]
    assert str(Attachment.objects.get(pk=photo).owner_id) == base["object"]
    for bad in ({"report": "x"}, {"report": None}, {"size": "5"}, {"mime": "image/heic"}, {"sha256": 5}):
        assert one(actor, mutation("attachment.create", {**fields, **bad}))["status"] == "rejected"
    other = one(actor, mutation("attachment.create", {**fields, "sha256": "b" * 64}, oid=photo))
    assert (other["status"], other["code"]) == ("conflict", "exists-different")


@pytest.mark.django_db(transaction=True)
def test_case_02_eight_twins_at_once_are_applied_once(cast: Cast) -> None:
    """Expected: one `applied`, seven `duplicate` with the same receipt; one record, one number."""
    work = Work(cast)
    cast.officer.client()
    actor, sent = cast.officer.actor(), submit(work)
    results: list[Result] = []
    assert at_once(*[lambda: results.append(one(actor, sent))] * 8) == []
    assert sorted(r["status"] for r in results) == ["applied", *["duplicate"] * 7], results
    assert {r["rev"] for r in results} == {1}
    assert (InspectionReport.objects.count(), ReportVersion.objects.count(), Mutation.objects.count()) == (
        1,
        1,
        1,
    )
    assert Change.objects.filter(kind="inspection.submitted").count() == 1
    check_feed()


@pytest.mark.django_db(transaction=True)
def test_case_04_eight_creators_of_one_object_make_one(cast: Cast) -> None:
    """Expected: one `applied`, seven `conflict`, all eight kept, one record."""
    work, oid = Work(cast), new_id()
    cast.officer.client()
    actor = cast.officer.actor()
    batch = [mutation("inspection.submit", work.fields(place=f"nơi {i}"), oid=oid) for i in range(8)]
    results: dict[str, Result] = {}

    def send(sent: dict[str, Any]) -> None:
        for _ in range(20):
            results[sent["id"]] = one(actor, sent)
            if results[sent["id"]]["status"] != "deferred":
                return

    assert at_once(*[lambda m=m: send(m) for m in batch]) == []
    statuses = sorted(r["status"] for r in results.values())
    assert statuses == ["applied", *["conflict"] * 7], results
    assert {r["code"] for r in results.values() if r["status"] == "conflict"} <= {
        "state-locked",
        "exists-different",
    }
    assert Mutation.objects.count() == 8, "what lost is kept"
    assert (InspectionReport.objects.count(), ReportVersion.objects.count()) == (1, 1)
    check_feed()


@pytest.mark.django_db(transaction=True)
def test_many_officers_at_once_get_numbers_without_gaps(cast: Cast) -> None:
    work = Work(cast)
    members = [cast.officer, cast.team_mate, cast.neighbour, cast.outsider]
    for member in members:
        member.client()
    actors = [m.actor() for m in members]
    batches = [[submit(work) for _ in range(5)] for _ in actors]
    done: list[Result] = []

    def send(actor: Actor, batch: list[dict[str, Any]]) -> None:
        for sent in batch:
            result = one(actor, sent)
            while result["status"] == "deferred":
                result = one(actor, sent)
            done.append(result)

    jobs = zip([*actors, *actors], [*batches, *[list(reversed(b)) for b in batches]], strict=True)
    assert at_once(*[lambda a=a, b=b: send(a, b) for a, b in jobs]) == []
    assert sorted(r["status"] for r in done) == [*["applied"] * 20, *["duplicate"] * 20]
    numbers = InspectionReport.objects.filter(unit=cast.noi_bai).values_list("number", flat=True)
    assert sorted(int(str(n)[-6:]) for n in numbers) == list(range(1, 11))
    check_feed()
