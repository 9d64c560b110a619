"""Push: each mutation in its own transaction, each with its verdict; a repetition gets the stored original.

The receipt is the last row of the transaction that does the work, under the mutation's id: of twins sent at once, one
commits; the other waits at that row, loses its work with the transaction, and gives the same receipt. A refused
mutation is kept with its payload; a deferred one leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.core.cache import cache
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import Conflict, DomainError, Invalid, InvalidFields, Problem, TooLarge, Unavailable
from apps.common.sql import as_uuid, execute, insert, places
from apps.common.text import pick
from apps.common.transactions import whole
from apps.inspections.errors import FieldConflict
from apps.sync.actions.versions import put_off
from apps.sync.errors import (
    Busy,
    DependencyFailed,
    IdReused,
    MissingDependency,
    MutationFailed,
    MutationTooLarge,
    UnknownType,
)
from apps.sync.models import Mutation
from apps.sync.operations import OPERATIONS
from apps.sync.rules import MAX_MUTATION_BYTES, NO_OBJECT, Envelope, Verdict, read_envelope

logger = structlog.get_logger(__name__)
ALARM_AFTER = 5
TRIES = 3
DEADLOCKED = frozenset({"40P01", "40001"})  # PostgreSQL: deadlock_detected, serialization_failure


def push(
    *,
    actor: Actor,
    mutations: Sequence[object],
    faults: Mapping[int, Sequence[Problem]] | None = None,
    app_version: str = "",
) -> list[dict[str, Any]]:
    """Process the mutations in their order and give a result for each.

    `faults` are texts and numbers that no database can hold, found by the reader of the body, by position.
    """
    return list(_results(actor, mutations, faults or {}, app_version))


def _results(
    actor: Actor, mutations: Sequence[object], faults: Mapping[int, Sequence[Problem]], app_version: str
) -> Iterator[dict[str, Any]]:
    envelopes = [read_envelope(mutation) for mutation in mutations]
    ids = [sent.id for sent in envelopes if isinstance(sent, Envelope)]
    known = _receipts(ids) if len(ids) > 1 else {}  # one alone finds out by itself, at its receipt's key
    for position, (mutation, sent) in enumerate(zip(mutations, envelopes, strict=True)):
        if not isinstance(sent, Envelope):
            yield _verdict(InvalidFields(errors=sent)).as_json(_shown_id(mutation))
        elif sent.id in known:
            yield _repeated(actor, sent, known[sent.id])
        elif waits := put_off(sent, app_version):
            stored = _receipts([sent.id])
            yield _repeated(actor, sent, stored[sent.id]) if stored else waits
        else:
            yield _process(actor, sent, (*faults.get(position, ()), *sent.problems))


def _shown_id(mutation: object) -> str:
    """Give back what stands for an id, as far as it can be written, so that the phone finds its mutation."""
    shown = mutation.get("id") if isinstance(mutation, Mapping) else None
    return (
        shown
        if isinstance(shown, str) and len(shown) <= 64 and shown.isascii() and shown.isprintable()
        else ""
    )


def _process(actor: Actor, sent: Envelope, faults: Sequence[Problem]) -> dict[str, Any]:
    """Give the result of one mutation, whatever happens to it."""
    refusal: DomainError
    try:
        refused = _refuse(sent, faults)
        if refused is None:
            return _apply(actor, sent)
        refusal = refused
    except DomainError as error:
        refusal = error
    except IntegrityError:
        # Most likely a twin was faster, or somebody made the same record; if it comes again and again, it is a fault
        # of ours.
        refusal = Busy()
    except OperationalError as error:
        logger.warning("push.database_busy", mutation=str(sent.id), error=str(error)[:200])
        refusal = Busy()
    except Exception:  # noqa: BLE001  one bad mutation must not spoil the others
        refusal = MutationFailed()
        _alarm(sent)
    return _conclude(actor, sent, refusal)


def _conclude(actor: Actor, sent: Envelope, refusal: DomainError) -> dict[str, Any]:
    """Give the stored result when a twin was faster; otherwise keep the refusal if it is final."""
    known = _receipts([sent.id])
    if known:
        return _repeated(actor, sent, known[sent.id])
    verdict = _verdict(refusal, sent.id)
    result = verdict.as_json(sent.id)
    if not verdict.is_final:
        if isinstance(refusal, Busy):
            _alarm(sent)
        return result
    try:
        with transaction.atomic():
            _keep(actor, sent, verdict.status, result)
    except IntegrityError:
        return _repeated(actor, sent, _receipts([sent.id])[sent.id])
    return result


def _refuse(sent: Envelope, faults: Sequence[Problem]) -> DomainError | None:
    if faults:
        return InvalidFields(errors=faults)
    if sent.size > MAX_MUTATION_BYTES:
        return MutationTooLarge()
    return None if sent.type in OPERATIONS else UnknownType()


def _apply(actor: Actor, sent: Envelope) -> dict[str, Any]:
    """Do the work; a victim of a deadlock is tried twice more, for the other side has gone on by then."""
    for _ in range(TRIES - 1):
        try:
            return _apply_once(actor, sent)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") not in DEADLOCKED:
                raise
    return _apply_once(actor, sent)


def _apply_once(actor: Actor, sent: Envelope) -> dict[str, Any]:
    with whole():
        _check_dependencies(actor, sent)
        done = OPERATIONS[sent.type](actor, sent)
        members: dict[str, Any] = {"rev": done.rev, "merged": done.merged, "warnings": list(done.warnings)}
        result = Verdict("applied", members).as_json(sent.id)
        _keep(actor, sent, "applied", result)
    return result


def _keep(actor: Actor, sent: Envelope, status: str, result: Mapping[str, Any]) -> None:
    """Write the receipt with the payload as it came. Raises IntegrityError when the mutation has one already."""
    row = {
        "id": sent.id,
        "officer_id": actor.officer_id,
        "device_id": actor.device_id,
        "device_seq": sent.device_seq,
        "type": sent.type if sent.type.isprintable() else repr(sent.type)[:60],
        "oid": None if sent.object == NO_OBJECT else sent.object,
        "hash": sent.hash,
        "status": status,
        "result": orjson.dumps(result).decode(),
        "payload": sent.payload,
        "received_at": timezone.now(),
    }
    insert("sync_mutation", row)


@dataclass(frozen=True)
class _Receipt:
    officer: UUID
    hash: str
    result: str


def _receipts(ids: Sequence[UUID]) -> dict[UUID, _Receipt]:
    """Give the receipts that are here, of whomever they are."""
    if not ids:
        return {}
    rows = execute(
        f"SELECT id, officer_id, hash, result FROM sync_mutation WHERE id IN ({places(ids)})",  # noqa: S608  no input
        ids,
    )
    return {as_uuid(pk): _Receipt(as_uuid(officer), *rest) for pk, officer, *rest in rows.fetchall()}


def _repeated(actor: Actor, sent: Envelope, stored: _Receipt) -> dict[str, Any]:
    """Give the stored original to a repetition; refuse another content under the same id."""
    if stored.hash != sent.hash or stored.officer != actor.officer_id:
        with transaction.atomic():
            log(actor, "mutation.id_reused", "mutation", sent.id)
        return Verdict("rejected", {"code": IdReused.code, "detail": pick(*IdReused.titles())}).as_json(
            sent.id
        )
    original: dict[str, Any] = orjson.loads(stored.result)
    return {**original, "status": "duplicate", "original_status": original["status"]}


def _check_dependencies(actor: Actor, sent: Envelope) -> None:
    if not sent.depends_on:
        return
    rows = Mutation.objects.filter(pk__in=sent.depends_on, officer_id=actor.person)
    known = dict(rows.values_list("pk", "status"))
    missing = [str(pk) for pk in sent.depends_on if pk not in known]
    if missing:
        raise MissingDependency(current={"needs": missing})
    failed = [str(pk) for pk, status in known.items() if status != "applied"]
    if failed:
        raise DependencyFailed(current={"needs": failed})


def _verdict(error: DomainError, mutation_id: object = "") -> Verdict:
    """Turn a refusal of the domain into the protocol's words (docs/sync.md, the verdict table)."""
    members: dict[str, Any] = {"code": error.code, "detail": pick(*error.titles())}
    if isinstance(error, (MissingDependency, DependencyFailed)):
        return Verdict("deferred", {**members, "needs": (error.current or {})["needs"], "retry_after": 0})
    if isinstance(error, Unavailable):
        return Verdict("deferred", {**members, "retry_after": 5})
    if isinstance(error, Conflict):
        if isinstance(error, FieldConflict):
            members["rev"] = error.rev
        fields = list(getattr(error, "fields", ()))
        current = orjson.loads(orjson.dumps(error.current or {}))
        return Verdict(
            "conflict", {**members, "fields": fields, "current": current, "conflict_id": str(mutation_id)}
        )
    if isinstance(error, TooLarge):
        members["code"] = "too-large"
    elif isinstance(error, Invalid):
        members["code"] = "invalid-field"
    return Verdict("rejected", {**members, "errors": [_fault(p) for p in error.errors]})


def _fault(problem: Problem) -> dict[str, str]:
    return {"pointer": problem.pointer, "code": problem.code, "detail": pick(problem.vi, problem.en)}


def _alarm(sent: Envelope) -> None:
    """Log a failure of our own; from the fifth time on, as an alarm for the people on duty."""
    key, times = f"push-failed:{sent.id}", 1
    with suppress(Exception):  # a cache that is down must not turn one failed mutation into a failed push
        times = (cache.get(key) or 0) + 1
        cache.set(key, times, 86400)
    tell = logger.critical if times >= ALARM_AFTER else logger.error
    tell("push.mutation_failed", mutation=str(sent.id), type=sent.type, times=times, exc_info=True)
