"""Are exhibits, their steps, seals, hand-overs and counts what the ledger says? For `verify_evidence`."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from apps.audit.models import Event
from apps.audit.rules.findings import Finding
from apps.custody.models import CustodyEvent, Exhibit, HandOver, Seal, StoreCount
from apps.custody.queries import HAND_OVER, KIND, STORE_COUNT, facts, hand_over_hash
from apps.custody.rules.forms import spelling
from apps.evidence.checking import Bench

BATCH = 200


def check_custody(bench: Bench, report_id: UUID | None = None) -> Iterator[Finding]:
    """Check every exhibit, hand-over and count, or those of one seizure report."""
    exhibits = Exhibit.objects.all() if report_id is None else Exhibit.objects.filter(report_id=report_id)
    offers = HandOver.objects.all() if report_id is None else HandOver.objects.filter(report_id=report_id)
    told = Event.objects.filter(record_kind=KIND)
    told = told if report_id is None else told.filter(data__report=str(report_id))
    known = {pk for pk in told.order_by().values_list("oid", flat=True).distinct() if pk is not None}
    ids = sorted(known | set(exhibits.values_list("pk", flat=True)))
    for start in range(0, len(ids), BATCH):
        yield from _check_exhibits(bench, ids[start : start + BATCH])
    yield from _check_hand_overs(bench, {offer.pk: offer for offer in offers}, is_all=report_id is None)
    if report_id is None:
        yield from _check_counts(bench)


def _check_exhibits(bench: Bench, ids: Collection[UUID]) -> Iterator[Finding]:
    rows = {row.pk: row for row in Exhibit.objects.filter(pk__in=list(ids)).select_related("report")}
    steps: dict[UUID, list[CustodyEvent]] = {}
    for step in CustodyEvent.objects.filter(exhibit__in=list(ids)).order_by("seq"):
        steps.setdefault(step.exhibit_id, []).append(step)
    events: dict[UUID | None, list[Event]] = {}
    for event in Event.objects.filter(record_kind=KIND, oid__in=list(ids)).order_by("id"):
        events.setdefault(event.oid, []).append(event)
    seals: dict[UUID, list[Seal]] = {}
    for seal in Seal.objects.filter(exhibit__in=list(ids)):
        seals.setdefault(seal.exhibit_id, []).append(seal)
    for pk in ids:
        bench.records += 1
        place = f"{KIND} {pk}"
        own, told = steps.get(pk, []), events.get(pk, [])
        yield from _check_steps(place, own, told)
        yield from _check_seals(place, own, seals.get(pk, []))
        row = rows.get(pk)
        if row is None:
            yield Finding("record-missing", place)
        elif not own or row.head != own[-1].hash or _now(row) != _then(row, own[-1]):
            yield Finding("record-differs", place, ", ".join(_differing(row, own)))


def _now(row: Exhibit) -> Mapping[str, object]:
    found: Mapping[str, object] = orjson.loads(orjson.dumps(facts(row)))
    return found


def _then(row: Exhibit, last: CustodyEvent) -> Mapping[str, object]:
    try:
        said = last.said
    except orjson.JSONDecodeError:
        return {}
    return {key: said.get(key) for key in facts(row)}


def _differing(row: Exhibit, steps: Sequence[CustodyEvent]) -> list[str]:
    if not steps:
        return ["no step"]
    then = _then(row, steps[-1])
    return sorted(key for key, value in _now(row).items() if then.get(key) != value) or ["head"]


def _check_steps(place: str, steps: Sequence[CustodyEvent], events: Sequence[Event]) -> Iterator[Finding]:
    """Compare each step with its own hash, the one before, its columns, and the ledger's event about it."""
    told = {event.data["seq"]: event for event in events if "seq" in event.data}
    here = {step.seq: step for step in steps}
    for seq in sorted(told.keys() - here.keys()):
        yield Finding("custody-missing", place, f"step {seq}")
    previous = ""
    for seq, step in sorted(here.items()):
        digest = hashlib.sha256(bytes(step.body)).hexdigest()
        event = told.get(seq)
        if event is None:
            yield Finding("event-missing", place, f"step {seq}")
        elif (event.data["sha256"], event.data["event"]) != (digest, str(step.pk)):
            yield Finding("custody-differs", place, f"step {seq}: content")
        elif step.hash != digest or not _agrees(step, previous):
            yield Finding("custody-differs", place, f"step {seq}: columns")
        previous = digest


def _agrees(step: CustodyEvent, previous: str) -> bool:
    said = step.said
    columns = {
        "id": step.pk,
        "exhibit": step.exhibit_id,
        "seq": step.seq,
        "kind": step.kind,
        "at": step.at,
        "actor": step.officer_id,
        "state": step.state,
        "unit": step.unit_id,
        "hand_over": step.hand_over_id,
        "previous": previous,
    }
    repeated = orjson.loads(orjson.dumps(columns))
    return all(said.get(key) == value for key, value in repeated.items())


def _check_seals(place: str, steps: Sequence[CustodyEvent], seals: Sequence[Seal]) -> Iterator[Finding]:
    """Compare the seals that were used up for an exhibit with what its steps say was put on."""
    by_step: dict[UUID, list[Seal]] = {}
    for seal in seals:
        by_step.setdefault(seal.event_id, []).append(seal)
    for strange in sorted(by_step.keys() - {step.pk for step in steps}):
        yield from (Finding("custody-differs", place, f"seal {s.number}: no step") for s in by_step[strange])
    on_package: set[tuple[Any, ...]] = set()
    for step in steps:
        try:
            said = step.said
        except orjson.JSONDecodeError:
            continue  # named already
        now = {(s["number"], s["type"], s["issuer"], s["year"]) for s in said["seals"]}
        used = {(s.number, s.type, s.issuer, s.year) for s in by_step.get(step.pk, ())}
        spelt = all(s.spelling == spelling(s.number) for s in by_step.get(step.pk, ()))
        for number, *_ in sorted(now - on_package - used, key=str):
            yield Finding("custody-missing", place, f"seal {number}")
        if used - now or not spelt:
            yield Finding("custody-differs", place, f"seals of step {step.seq}")
        on_package = now


def _check_hand_overs(bench: Bench, rows: Mapping[UUID, HandOver], *, is_all: bool) -> Iterator[Finding]:
    events = Event.objects.filter(record_kind=HAND_OVER).exclude(action="hand_over.printed").order_by("id")
    events = events if is_all else events.filter(oid__in=list(rows))
    newest = {event.oid: event for event in events.iterator(chunk_size=BATCH)}
    for pk in sorted({pk for pk in newest if pk is not None} | rows.keys()):
        bench.records += 1
        row, event = rows.get(pk), newest.get(pk)
        place = f"{HAND_OVER} {row.number if row else pk}"
        if row is None:
            yield Finding("record-missing", place)
        elif event is None:
            yield Finding("event-missing", place)
        elif event.data["sha256"] != hand_over_hash(row):
            yield Finding("record-differs", place)


def _check_counts(bench: Bench) -> Iterator[Finding]:
    told = {event.oid: event for event in Event.objects.filter(record_kind=STORE_COUNT)}
    rows = {row.pk: row for row in StoreCount.objects.all()}
    for pk in sorted({pk for pk in told if pk is not None} | rows.keys()):
        bench.records += 1
        row, event = rows.get(pk), told.get(pk)
        place = f"{STORE_COUNT} {pk}"
        if row is None:
            yield Finding("record-missing", place)
        elif event is None:
            yield Finding("event-missing", place)
        elif event.data["sha256"] != hashlib.sha256(bytes(row.body)).hexdigest() or not _repeats(row):
            yield Finding("record-differs", place)


def _repeats(row: StoreCount) -> bool:
    said = row.said
    columns = orjson.loads(orjson.dumps({"unit": row.unit_id, "at": row.at, "actor": row.officer_id}))
    return all(said.get(key) == value for key, value in columns.items())
