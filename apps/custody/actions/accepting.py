"""Hand-over, the receiver's side: seals and mass of each exhibit are confirmed; what differs stops the chain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.changes.actions import Item, record
from apps.common.actor import Actor
from apps.common.errors import InvalidFields
from apps.common.text import clean_values
from apps.common.transactions import transactional
from apps.custody.actions.common import append, post_at, tell
from apps.custody.actions.offering import answer, locked_offer, offered
from apps.custody.errors import NotReceiver, OwnOffer
from apps.custody.models import Exhibit, HandOver
from apps.custody.queries import streams_of
from apps.custody.rules import moves
from apps.custody.rules.comparison import differences
from apps.custody.rules.forms import EVENT, amount, missing, problem, read_fields

_READ = {"seals_read": "texts 60", "mass_read": "decimal 4"}
_PAPER = {"receiver_name": "text 200", "receiver_badge": "text 20", "document_number": "text 60"}


@transactional
def accept_hand_over(*, actor: Actor, offer_id: UUID, fields: Mapping[str, Any]) -> HandOver:
    """Confirm what was offered, exhibit by exhibit, with the seal numbers and the mass as read; never one's own offer.

    Within the service the receiver confirms. What was signed on paper with somebody outside is entered by a colleague
    of the giver: the receiver's name and the document's number. Exhibits that differ stop with the giver; the others
    pass. Raises InvalidFields, NotFound, OwnOffer, NotReceiver, HandOverAnswered.
    """
    fields = clean_values(fields)
    offer = locked_offer(actor, offer_id)
    exhibits = offered(actor, offer)
    _check_who(actor, offer, exhibits)
    said, problems = read_fields(fields, {**EVENT, **_PAPER})
    if offer.kind != HandOver.Kind.INSIDE:
        offer.receiver_name = said.get("receiver_name", offer.receiver_name)
        offer.receiver_badge = said.get("receiver_badge", offer.receiver_badge)
        offer.document_number = said.get("document_number", "")
        problems += missing(said, ("document_number",))
        problems += [] if offer.receiver_name else [problem("receiver_name", "required")]
    readings, faults = _readings(fields.get("items"), exhibits)
    if problems or faults:
        raise InvalidFields(errors=[*problems, *faults])
    items: list[Item] = []
    for exhibit in exhibits:
        reading = readings[str(exhibit.pk)]
        mass = amount(reading.get("mass_read"))
        differs = differences(exhibit.seal_numbers, exhibit.gross_mass_g, reading["seals_read"], mass)
        offer.items[str(exhibit.pk)] |= {**reading, "differs": differs}
        items.append(_take(actor, offer, exhibit, {**said, **reading}, differs))
    answer(actor, offer, HandOver.State.ACCEPTED, said.get("note", ""))
    record(actor, *items, tell(actor, offer, "hand_over.accepted"))
    return offer


def _take(
    actor: Actor, offer: HandOver, exhibit: Exhibit, said: Mapping[str, Any], differs: list[str]
) -> Item:
    held = streams_of(exhibit)
    if differs:
        exhibit.stop = " ".join(differs)
        told = {**said, "at_step": "handover_accepted", "differs": differs}
        return append(actor, exhibit, "discrepancy", told, held=held, hand_over=offer)
    kind = pass_on(exhibit, offer)
    return append(actor, exhibit, kind, said, held=held, hand_over=offer)


def pass_on(exhibit: Exhibit, offer: HandOver) -> str:
    """Put an exhibit into the receiver's hand; gives the kind of event that this is."""
    exhibit.offer, exhibit.place = None, ""
    if offer.kind == HandOver.Kind.INSIDE:
        posting = offer.receiver_posting
        assert posting is not None  # noqa: S101  the database demands it of this kind
        exhibit.state = moves.next_state("handover_accepted", exhibit.state)
        exhibit.holder_id, exhibit.posting, exhibit.unit_id = offer.receiver_id, posting, posting.unit_id
        return "handover_accepted"
    step = "sent_lab" if offer.kind == HandOver.Kind.LAB else "handed_over"
    exhibit.state = moves.next_state(step, exhibit.state)
    exhibit.holder, exhibit.posting = None, None
    exhibit.outside = f"{offer.receiver_office}: {offer.receiver_name}"[:400]
    return "sent_lab" if step == "sent_lab" else "handover_accepted"


def _check_who(actor: Actor, offer: HandOver, exhibits: list[Exhibit]) -> None:
    if actor.officer_id == offer.giver_id:
        raise OwnOffer
    if offer.kind == HandOver.Kind.INSIDE:
        if actor.officer_id != offer.receiver_id:
            raise NotReceiver
        return
    if any(actor.officer_id == exhibit.holder_id for exhibit in exhibits):
        raise OwnOffer
    if any(post_at(actor, exhibit.unit_id) is None for exhibit in exhibits):
        raise NotReceiver


def _readings(value: Any, exhibits: list[Exhibit]) -> tuple[dict[str, dict[str, Any]], list[Any]]:
    """Read what was read on each exhibit: exactly on those that were offered."""
    if not isinstance(value, Mapping) or set(value) != {str(exhibit.pk) for exhibit in exhibits}:
        return {}, [problem("items", "not-offered")]
    found: dict[str, dict[str, Any]] = {}
    problems = []
    for pk, one in value.items():
        said, faults = read_fields(one if isinstance(one, Mapping) else {}, _READ, f"items/{pk}/")
        problems += faults
        found[pk] = {"seals_read": said.get("seals_read", []), **said}
    return found, problems
