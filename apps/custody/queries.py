"""Reads around exhibits: their body for phones, streams, the store of a unit on a day, how lines and exhibits agree."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Count, OuterRef, QuerySet, Subquery

from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.common.errors import Problem
from apps.custody.models import CustodyEvent, Exhibit, ExhibitState, HandOver
from apps.custody.rules.comparison import Balance
from apps.custody.rules.forms import WORDS, problem
from apps.custody.rules.moves import SETTLED
from apps.seizures.models import SeizureReport
from apps.seizures.queries import absorbed_by
from apps.seizures.rules.lines import standing

KIND, HAND_OVER, STORE_COUNT = "exhibit", "hand_over", "store_count"


def body(exhibit: Exhibit) -> dict[str, Any]:
    """Give an exhibit as phones hold it."""
    return {
        "report": exhibit.report_id,
        "number": exhibit.number,
        "parent": exhibit.parent_id,
        "mark": exhibit.mark,
        "description": exhibit.description,
        "packages": exhibit.packages,
        "gross_mass_g": text(exhibit.gross_mass_g),
        "net_mass_g": text(exhibit.net_mass_g),
        "volume_ml": text(exhibit.volume_ml),
        "count": exhibit.count,
        "count_unit": exhibit.count_unit,
        "state": exhibit.state,
        "stop": exhibit.stop.split(),
        "seals": exhibit.seals,
        "place": exhibit.place,
        "unit": exhibit.unit_id,
        "holder": exhibit.holder_id,
        "posting": exhibit.posting_id,
        "outside": exhibit.outside,
        "offer": exhibit.offer_id,
        "seq": exhibit.seq,
        "head": exhibit.head,
    }


def text(value: Decimal | None) -> str | None:
    """Write an amount in its one spelling."""
    return None if value is None else f"{value.normalize():f}"


def hand_over_body(offer: HandOver) -> dict[str, Any]:
    """Give a hand-over as the phones of both sides hold it."""
    return {
        "number": offer.number,
        "report": offer.report_id,
        "report_number": SeizureReport.objects.values_list("number", flat=True).get(pk=offer.report_id),
        "state": offer.state,
        "kind": offer.kind,
        "items": offer.items,
        "giver": offer.giver_id,
        "giver_posting": offer.giver_posting_id,
        "receiver": offer.receiver_id,
        "receiver_posting": offer.receiver_posting_id,
        "receiver_name": offer.receiver_name,
        "receiver_badge": offer.receiver_badge,
        "receiver_office": offer.receiver_office,
        "legal_basis": offer.legal_basis,
        "documents": offer.documents,
        "persons": offer.persons,
        "vehicles": offer.vehicles,
        "copies": offer.copies,
        "document_number": offer.document_number,
        "note": offer.note,
        "offered_at": offer.offered_at,
        "answered_at": offer.answered_at,
    }


def facts(exhibit: Exhibit) -> dict[str, Any]:
    """Give everything that an exhibit's row says; each event repeats it as it was after the step."""
    return {
        "exhibit": exhibit.pk,
        "report": exhibit.report_id,
        "number": exhibit.number,
        "parent": exhibit.parent_id,
        "mark": exhibit.mark,
        "seq": exhibit.seq,
        "rev": exhibit.rev,
        "state": exhibit.state,
        "stop": exhibit.stop,
        "unit": exhibit.unit_id,
        "holder": exhibit.holder_id,
        "posting": exhibit.posting_id,
        "outside": exhibit.outside,
        "place": exhibit.place,
        "seals": exhibit.seals,
        "offer": exhibit.offer_id,
        "gross_mass_g": text(exhibit.gross_mass_g),
        "net_mass_g": text(exhibit.net_mass_g),
        "volume_ml": text(exhibit.volume_ml),
        "count": exhibit.count,
        "count_unit": exhibit.count_unit,
        "packages": exhibit.packages,
        "description": exhibit.description,
    }


def hand_over_bytes(offer: HandOver) -> bytes:
    """Give everything that is said of a hand-over, as the bytes whose hash the ledger names."""
    told = {**hand_over_body(offer), "id": offer.pk, "rev": offer.rev, "answered_by": offer.answered_by_id}
    told = {key: value for key, value in told.items() if value or key not in _LATER}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


# What hand-overs did not say at first: when it is empty it is left out, so that the hashes of old ones stay.
_LATER = frozenset({"persons", "vehicles", "copies"})


def hand_over_hash(offer: HandOver) -> str:
    """Give the SHA-256 over everything that is said of a hand-over."""
    return hashlib.sha256(hand_over_bytes(offer)).hexdigest()


def streams_of(exhibit: Exhibit) -> list[str]:
    """Give the streams that hold an exhibit: of the report's author, of who holds it, of who is asked to take it."""
    posts = {exhibit.report.posting_id, exhibit.posting_id}
    if exhibit.offer is not None:
        posts.add(exhibit.offer.receiver_posting_id)
    return sorted(post_stream(post) for post in posts if post is not None)


def hand_over_streams(offer: HandOver) -> list[str]:
    """Give the streams that hold a hand-over: of both sides."""
    posts = {offer.giver_posting_id, offer.receiver_posting_id}
    return sorted(post_stream(post) for post in posts if post is not None)


@dataclass(frozen=True)
class Stored:
    """An exhibit as it lay in a store at a moment."""

    exhibit: Exhibit
    since: dt.datetime
    place: str
    seals: list[str]
    gross_mass_g: str | None


def in_store(actor: Actor, unit_id: UUID, moment: dt.datetime) -> list[Stored]:
    """Give what lay in a unit's store at a moment by the events received until then, of what the actor may see.

    The server's clock decides, not the phones': what came later counts from when it came.
    """
    rows = _put_away(actor, [unit_id], moment).select_related("exhibit__report")
    return [_stored(event) for event in rows.order_by("exhibit__report__number", "exhibit__number")]


def count_in_stores(actor: Actor, unit_ids: Collection[UUID], moment: dt.datetime) -> dict[UUID, int]:
    """Tell for each unit how many exhibits `in_store` would give; units whose store was empty are left out."""
    rows = _put_away(actor, unit_ids, moment).order_by().values_list("unit_id").annotate(Count("pk"))
    return dict(rows)


def _put_away(actor: Actor, unit_ids: Collection[UUID], moment: dt.datetime) -> QuerySet[CustodyEvent]:
    latest = CustodyEvent.objects.filter(exhibit=OuterRef("exhibit"), at__lte=moment).order_by("-seq")
    found: QuerySet[CustodyEvent] = CustodyEvent.objects.visible_to(actor)
    return found.filter(
        seq=Subquery(latest.values("seq")[:1]), unit_id__in=unit_ids, state=ExhibitState.UNIT_STORE
    )


def _stored(event: CustodyEvent) -> Stored:
    said = event.said
    return Stored(
        event.exhibit,
        event.at,
        said["place"],
        [seal["number"] for seal in said["seals"]],
        said["gross_mass_g"],
    )


def balances(report: SeizureReport) -> list[Balance]:
    """Compare each line's net mass with that of its exhibits and samples, where both are known."""
    masses: dict[str, list[Decimal | None]] = {}
    for exhibit in Exhibit.objects.filter(report=report):
        if exhibit.is_struck:
            continue
        masses.setdefault(exhibit.mark, []).append(exhibit.net_mass_g)
    found = []
    for mark, parts in sorted(masses.items()):
        known = [mass for mass in parts if mass is not None]
        line = (report.lines.get(mark) or {}).get("net_mass_g")
        if line and len(known) == len(parts):
            found.append(Balance(mark, Decimal(line), sum(known, Decimal(0))))
    return found


def left_open(report: SeizureReport) -> list[Problem]:
    """Name what keeps a seizure from being closed.

    Exhibits, also of reports merged into it, that are in somebody's hand; and lines of which nothing was ever handed
    over, unless the report says why (`handover_reason`).
    """
    exhibits = _with_absorbed(report)
    found = [
        Problem(f"/exhibits/{label(exhibit)}", "not-settled", *WORDS["not-settled"])
        for exhibit in exhibits
        if exhibit.state not in SETTLED
    ]
    if not report.fields.get("handover_reason"):
        kept = {exhibit.mark for exhibit in exhibits if not exhibit.is_struck}
        found += [
            problem(f"lines/{mark}", "no-exhibit") for mark in standing(report.lines) if mark not in kept
        ]
    return found


def in_hand(report: SeizureReport) -> list[Problem]:
    """Name the exhibits that keep a report from being merged into a closed one: those in somebody's hand."""
    return [
        Problem(f"/exhibits/{name}", "not-settled", *(f"{name}: {words}" for words in WORDS["not-settled"]))
        for name in (label(exhibit) for exhibit in _with_absorbed(report) if exhibit.state not in SETTLED)
    ]


def _with_absorbed(report: SeizureReport) -> list[Exhibit]:
    """Give the exhibits of a report and of all that were merged into it."""
    rows = Exhibit.objects.filter(report__in={report.pk, *absorbed_by(report)}).select_related("report")
    return list(rows.order_by("report__number", "number"))


def results_of(exhibits: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Give the newest laboratory result of each exhibit that has one."""
    rows = CustodyEvent.objects.filter(exhibit__in=list(exhibits), kind="lab_result").order_by("seq")
    return {event.exhibit_id: {**event.said["said"], "at": event.said["at"]} for event in rows}


def label(exhibit: Exhibit) -> str:
    """Name an exhibit as it stands on paper: the report's number and its own."""
    return f"{exhibit.report.number}/{exhibit.number}"
