"""Hand-over, the giver's side: offer exhibits, take the offer back; and the receiver's refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.models import Posting, Role, current
from apps.changes.actions import Item, record
from apps.common.actor import Actor
from apps.common.errors import ExistsDifferent, InvalidFields, NotFound, Problem
from apps.common.text import clean_text, clean_values
from apps.common.transactions import transactional
from apps.custody.actions.common import append, check_free, hand_of, locked, tell
from apps.custody.errors import HandOverAnswered, NotHolder, NotReceiver
from apps.custody.models import Exhibit, HandOver
from apps.custody.queries import hand_over_body, streams_of, text
from apps.custody.rules import moves
from apps.custody.rules.forms import EVENT, MAX_COPIES, MAX_EXHIBITS, RECEIVER, missing, problem, read_fields
from apps.inspections.actions.submission import next_number
from apps.inspections.errors import NoteRequired
from apps.seizures.rules.fields import read_value
from apps.seizures.rules.lines import standing


@transactional
def offer_hand_over(*, actor: Actor, offer_id: UUID, fields: Mapping[str, Any]) -> HandOver:
    """Offer sealed exhibits of one seizure to an officer (by badge number), or to an agency outside on paper.

    Until the receiver has confirmed seals and mass the giver holds them, in transit. Raises InvalidFields, NotFound,
    NotHolder, ExhibitStopped, OfferOpen, CustodyStep, OwnOffer; ExistsDifferent when the id stands for other exhibits.
    """
    fields = clean_values(fields)
    said, problems = read_fields(fields, {**EVENT, **RECEIVER})
    ids = _exhibit_ids(fields.get("exhibits"))
    known = HandOver.objects.filter(pk=offer_id).first()
    if known is not None:
        return _again(actor, known, ids, said)
    problems += [] if ids else [problem("exhibits", "required")]
    problems += missing(said, ("kind",))
    if said.get("kind", "inside") == "inside":
        problems += missing(said, ("badge_no",))
    else:
        problems += missing(said, ("office",))
    if problems:
        raise InvalidFields(errors=problems)
    exhibits = [locked(actor, pk) for pk in sorted(ids)]
    offer = _offer(actor, offer_id, exhibits, said)
    items: list[Item] = []
    for exhibit in exhibits:
        held = streams_of(exhibit)
        exhibit.offer = offer
        items.append(
            append(actor, exhibit, "handover_offered", _told(said, offer), held=held, hand_over=offer)
        )
    record(actor, *items, tell(actor, offer, "hand_over.offered"))
    return offer


@transactional
def withdraw_hand_over(*, actor: Actor, offer_id: UUID, note: str = "") -> HandOver:
    """Take back an offer that nobody answered, by the giver. Raises NotFound, NotHolder, HandOverAnswered."""
    offer = locked_offer(actor, offer_id)
    if offer.receiver_id == actor.officer_id and actor.officer_id is not None:
        raise NotHolder  # the receiver refuses
    if offer.giver_id != actor.officer_id:
        for exhibit in Exhibit.objects.filter(offer=offer):
            hand_of(actor, exhibit)
    return _ended(actor, offer, HandOver.State.WITHDRAWN, clean_text(note)[:1000])


@transactional
def refuse_hand_over(*, actor: Actor, offer_id: UUID, note: str) -> HandOver:
    """Refuse an offer with the reason; the giver holds the exhibits as before.

    Raises NotFound, NotReceiver, HandOverAnswered, NoteRequired.
    """
    offer = locked_offer(actor, offer_id)
    if offer.kind != HandOver.Kind.INSIDE or offer.receiver_id != actor.officer_id:
        raise NotReceiver
    note = clean_text(note)[:1000]
    if not note:
        raise NoteRequired
    return _ended(actor, offer, HandOver.State.REFUSED, note)


def locked_offer(actor: Actor, offer_id: UUID) -> HandOver:
    """Lock a visible hand-over that waits for its answer. Raises NotFound, HandOverAnswered."""
    if not HandOver.objects.visible_to(actor).filter(pk=offer_id).exists():
        raise NotFound
    offer = HandOver.objects.select_for_update(of=("self",)).get(pk=offer_id)
    if offer.state != HandOver.State.OFFERED:
        raise HandOverAnswered(current=hand_over_body(offer))
    return offer


def offered(actor: Actor, offer: HandOver) -> list[Exhibit]:
    """Lock the exhibits of an open offer, in the order in which everybody does."""
    rows = Exhibit.objects.select_for_update(of=("self",)).select_related("report")
    return list(rows.filter(offer=offer).order_by("pk"))


def answer(actor: Actor, offer: HandOver, state: HandOver.State, note: str) -> None:
    """Save what became of an offer."""
    offer.state, offer.note = state, note
    offer.answered_at, offer.answered_by_id = timezone.now(), actor.officer_id
    offer.rev += 1
    offer.save()


def _ended(actor: Actor, offer: HandOver, state: HandOver.State, note: str) -> HandOver:
    items: list[Item] = []
    kind = "handover_refused" if state == HandOver.State.REFUSED else "handover_withdrawn"
    for exhibit in offered(actor, offer):
        held = streams_of(exhibit)
        exhibit.offer = None
        items.append(append(actor, exhibit, kind, {"note": note}, held=held, hand_over=offer))
    answer(actor, offer, state, note)
    change = "hand_over.refused" if state == HandOver.State.REFUSED else "hand_over.withdrawn"
    record(actor, *items, tell(actor, offer, change))
    return offer


def _exhibit_ids(value: Any) -> list[UUID]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_EXHIBITS:
        return []
    read = [read_value("uuid", one) for one in value]
    return sorted({UUID(found) for found, fault in read if not fault}) if not any(f for _, f in read) else []


def _again(actor: Actor, known: HandOver, ids: list[UUID], said: Mapping[str, Any]) -> HandOver:
    """Answer an offer that is made once more; another's looks like none. Raises NotFound, ExistsDifferent."""
    if (
        known.giver_id != actor.officer_id
        or not HandOver.objects.visible_to(actor).filter(pk=known.pk).exists()
    ):
        raise NotFound
    if (set(known.items), known.kind) != ({str(pk) for pk in ids}, said.get("kind")):
        raise ExistsDifferent(current=hand_over_body(known))
    return known


def _offer(actor: Actor, offer_id: UUID, exhibits: list[Exhibit], said: Mapping[str, Any]) -> HandOver:
    first = exhibits[0]
    post = hand_of(actor, first)
    for exhibit in exhibits:
        hand_of(actor, exhibit)
        check_free(exhibit)
        exhibit.state = moves.next_state("handover_offered", exhibit.state)
        if exhibit.report_id != first.report_id:
            raise InvalidFields(errors=[problem("exhibits", "other-report")])
    faults = _faults_of_others(first, said)
    if faults:
        raise InvalidFields(errors=faults)
    inside = said["kind"] == HandOver.Kind.INSIDE
    receiver = _receiver(said["badge_no"]) if inside else None
    if receiver is not None and receiver.officer_id in {actor.officer_id, *(e.holder_id for e in exhibits)}:
        raise InvalidFields(errors=[problem("badge_no", "to-oneself")])
    now = timezone.now()
    offer = HandOver(
        id=offer_id,
        number=next_number("BG", first.unit_id, now),
        report_id=first.report_id,
        kind=said["kind"],
        items={
            str(exhibit.pk): {
                "number": exhibit.number,
                "seals": exhibit.seal_numbers,
                "gross_mass_g": text(exhibit.gross_mass_g),
            }
            for exhibit in exhibits
        },
        giver_id=actor.person,
        giver_posting_id=post.posting_id,
        receiver_posting=receiver,
        receiver_id=receiver.officer_id if receiver else None,
        receiver_name=receiver.officer.full_name if receiver else said.get("name", ""),
        receiver_badge=receiver.officer.badge_no if receiver else said.get("badge_no", ""),
        receiver_office="" if receiver else said["office"],
        legal_basis=said.get("legal_basis", ""),
        documents=said.get("documents", ""),
        persons=said.get("persons", []),
        vehicles=said.get("vehicles", []),
        copies=said.get("copies"),
        offered_at=now,
    )
    offer.save(force_insert=True)
    return offer


def _faults_of_others(exhibit: Exhibit, said: Mapping[str, Any]) -> list[Problem]:
    """Name the people and vehicles of an offer that the report does not have, and a number of copies that is none."""
    report = exhibit.report
    known = {"persons": standing(report.persons), "vehicles": standing(report.conveyances)}
    faults = [
        problem(key, "not-in-report")
        for key, rows in known.items()
        if not set(said.get(key, ())) <= set(rows)
    ]
    copies = said.get("copies")
    return faults + ([] if copies is None or 0 < copies <= MAX_COPIES else [problem("copies", "number")])


# In which capacity somebody takes an exhibit, when they serve in several.
_TAKES = (Role.CUSTODIAN, Role.OFFICER, Role.LEADER)


def _receiver(badge: str) -> Posting:
    """Find who serves now under a badge number. Raises InvalidFields."""
    rows = Posting.objects.filter(
        current(timezone.now()),
        officer__badge_no__iexact=badge.strip(),
        officer__is_active=True,
        role__in=_TAKES,
    )
    found = sorted(rows.select_related("officer"), key=lambda p: (_TAKES.index(Role(p.role)), str(p.pk)))
    if not found:
        raise InvalidFields(errors=[problem("badge_no", "unknown-badge")])
    return found[0]


def _told(said: Mapping[str, Any], offer: HandOver) -> dict[str, Any]:
    to = offer.receiver_badge if offer.kind == HandOver.Kind.INSIDE else offer.receiver_office
    return {**said, "hand_over": offer.number, "to": to}
