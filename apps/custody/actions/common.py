"""What every step ends with: the event with the hash of the one before, the exhibit's row, audit; the feed is last."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.actions import log
from apps.audit.queries import revisions_by_device
from apps.changes.actions import Item
from apps.common.actor import Actor, Post
from apps.common.errors import NotFound
from apps.common.records import new_id
from apps.custody.errors import ExhibitMovedOn, ExhibitStopped, NotHolder, OfferOpen, SealUsed
from apps.custody.models import CustodyEvent, Exhibit, HandOver, Seal
from apps.custody.queries import (
    HAND_OVER,
    KIND,
    body,
    facts,
    hand_over_body,
    hand_over_hash,
    hand_over_streams,
    streams_of,
)
from apps.custody.rules.forms import spelling
from apps.organisation.queries import code_of

# event → what the feed calls it
CHANGES = {
    "recorded": "exhibit.recorded",
    "sealed": "exhibit.sealed",
    "stored": "exhibit.stored",
    "moved": "exhibit.moved",
    "unsealed": "exhibit.unsealed",
    "sampled": "exhibit.sampled",
    "resealed": "exhibit.resealed",
    "sent_lab": "exhibit.sent_lab",
    "received_lab": "exhibit.received_lab",
    "lab_result": "exhibit.lab_result",
    "handover_offered": "exhibit.handover_offered",
    "handover_refused": "exhibit.handover_refused",
    "handover_withdrawn": "exhibit.handover_withdrawn",
    "handover_accepted": "exhibit.handover_accepted",
    "discrepancy": "exhibit.discrepancy",
    "decided": "exhibit.decided",
    "corrected": "exhibit.corrected",
    "closed": "exhibit.closed",
}
KEEPERS = (Role.CUSTODIAN, Role.LEADER)


@dataclass(frozen=True)
class Done:
    """The exhibit after a step, and what the phone should be told: what differed."""

    exhibit: Exhibit
    warnings: tuple[str, ...] = ()


def locked(actor: Actor, exhibit_id: UUID) -> Exhibit:
    """Lock a visible exhibit; what is hidden is answered like what does not exist. Raises NotFound."""
    if not Exhibit.objects.visible_to(actor).filter(pk=exhibit_id).exists():
        raise NotFound
    return Exhibit.objects.select_for_update(of=("self",)).select_related("report").get(pk=exhibit_id)


def check_free(exhibit: Exhibit) -> None:
    """Refuse a step while a discrepancy or an offer is open. Raises ExhibitStopped, OfferOpen."""
    if exhibit.stop:
        raise ExhibitStopped(current=body(exhibit))
    if exhibit.offer_id is not None:
        raise OfferOpen(current=body(exhibit))


def check_seen(actor: Actor, exhibit: Exhibit, base_rev: int | None) -> None:
    """Refuse a step that was decided on without what somebody else did since; a phone's own steps are no strangers.

    A phone names no revision of what it has never pulled; a desk names none when it has just looked. Raises
    ExhibitMovedOn.
    """
    seen = base_rev if base_rev is not None else 0 if actor.device_id else exhibit.rev
    unseen = set(range(seen + 1, exhibit.rev + 1))
    if unseen and unseen - revisions_by_device(KIND, exhibit.pk, actor.device_id):
        raise ExhibitMovedOn(current=body(exhibit))


def hand_of(actor: Actor, exhibit: Exhibit) -> Post:
    """Give the post from which somebody may handle an exhibit: who holds it, its unit's custodian or leader.

    What is outside the service may be taken back by anybody who serves at the unit that gave it. Raises NotHolder.
    """
    for post in actor.posts:
        is_holder = post.posting_id == exhibit.posting_id
        keeps = post.role in KEEPERS and exhibit.unit_id in post.reach
        takes_back = exhibit.posting_id is None and post.unit_id == exhibit.unit_id
        if is_holder or keeps or takes_back:
            return post
    raise NotHolder


def post_at(actor: Actor, unit_id: UUID) -> Post | None:
    """Give a post at a unit, or a leader's above it."""
    own = [post for post in actor.posts if post.unit_id == unit_id]
    above = [post for post in actor.posts if post.role == Role.LEADER and unit_id in post.reach]
    return next(iter((*own, *above)), None)


def append(
    actor: Actor,
    exhibit: Exhibit,
    kind: str,
    said: Mapping[str, Any],
    *,
    held: Iterable[str] = (),
    hand_over: HandOver | None = None,
) -> Item:
    """Write an event about an exhibit as the caller has changed it, save the row, audit; gives what to record last."""
    now = timezone.now()
    is_new = exhibit.seq == 0
    exhibit.seq += 1
    exhibit.rev += 0 if is_new else 1
    pk = new_id()
    sealed = orjson.dumps(
        {
            "v": 1,
            **facts(exhibit),
            "id": pk,
            "kind": kind,
            "at": now,
            "actor": actor.officer_id,
            "device": actor.device_id,
            "hand_over": hand_over.pk if hand_over else None,
            "said": dict(said),
            "previous": exhibit.head,
        },
        option=orjson.OPT_SORT_KEYS,
    )
    exhibit.head = hashlib.sha256(sealed).hexdigest()
    exhibit.save(force_insert=is_new)
    CustodyEvent.objects.create(
        id=pk,
        exhibit=exhibit,
        seq=exhibit.seq,
        kind=kind,
        at=now,
        officer_id=actor.officer_id,
        state=exhibit.state,
        unit_id=exhibit.unit_id,
        hand_over=hand_over,
        body=sealed,
        hash=exhibit.head,
    )
    told = {
        "rev": exhibit.rev,
        "seq": exhibit.seq,
        "event": str(pk),
        "sha256": exhibit.head,
        "report": str(exhibit.report_id),
    }
    log(actor, f"custody.{kind}", KIND, exhibit.pk, told)
    return _item(exhibit, CHANGES[kind], held)


def _item(exhibit: Exhibit, change: str, held: Iterable[str]) -> Item:
    """Give an exhibit for the feed; it leaves the streams that held it and are no longer its own."""
    streams = streams_of(exhibit)
    return Item(
        change,
        KIND,
        exhibit.pk,
        exhibit.rev,
        body=body(exhibit),
        streams=streams,
        leaves=sorted(set(held) - set(streams)),
        data={"unit": str(exhibit.unit_id), "report": str(exhibit.report_id)},
    )


def tell(actor: Actor, offer: HandOver, change: str) -> Item:
    """Audit what a hand-over now says, by its hash; gives it for the feed."""
    log(actor, change, HAND_OVER, offer.pk, {"rev": offer.rev, "sha256": hand_over_hash(offer)})
    return Item(
        change,
        HAND_OVER,
        offer.pk,
        offer.rev,
        body=hand_over_body(offer),
        streams=hand_over_streams(offer),
        data={"report": str(offer.report_id)},
    )


def put_seals(exhibit: Exhibit, seals: Iterable[Mapping[str, Any]]) -> None:
    """Use up seals for the exhibit's newest event. Raises SealUsed for a number that stands on anything already.

    A seal that names no issuer was issued by the unit of the report, in this year.
    """
    event = CustodyEvent.objects.get(exhibit=exhibit, seq=exhibit.seq)
    for seal in seals:
        row, is_new = Seal.objects.get_or_create(
            issuer=seal["issuer"],
            year=seal["year"],
            spelling=spelling(seal["number"]),
            defaults={
                "exhibit": exhibit,
                "event": event,
                "number": seal["number"],
                "type": seal["type"],
            },
        )
        if not is_new and row.event_id != event.pk:
            raise SealUsed(seal["number"])


def issued(exhibit: Exhibit, seals: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give seals with issuer and year written out."""
    unit, year = code_of(exhibit.report.unit_id), timezone.localdate().year
    return [
        {
            "number": seal["number"],
            "type": seal["type"],
            "issuer": (spelling(seal.get("issuer", "")) or spelling(unit))[:40],
            "year": seal.get("year") or year,
        }
        for seal in seals
    ]
