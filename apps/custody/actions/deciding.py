"""A leader's word about a difference: the reading stands and the chain goes on, or the giver keeps the exhibit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Role
from apps.changes.actions import record
from apps.common.actor import Actor
from apps.common.errors import InvalidFields
from apps.common.text import clean_text
from apps.custody.actions.accepting import pass_on
from apps.custody.actions.common import Done, append, check_seen, locked, put_seals
from apps.custody.errors import CustodyStep, OwnDiscrepancy
from apps.custody.models import CustodyEvent, Exhibit, HandOver
from apps.custody.queries import body, streams_of
from apps.custody.rules.forms import amount, problem, spelling
from apps.inspections.errors import NoteRequired, NotReviewer
from apps.organisation.queries import code_of

VERDICTS = ("as_read", "stay")


@transaction.atomic
def decide_discrepancy(
    *, actor: Actor, exhibit_id: UUID, base_rev: int | None, verdict: str, note: str
) -> Done:
    """Let a stopped exhibit go on, with a note: `as_read` (what was read stands; an offer is completed) or `stay`.

    By a leader or reviewer over the unit that holds it, who neither gave nor received nor read it. Raises NotFound,
    NotReviewer, OwnDiscrepancy, NoteRequired, CustodyStep when nothing is open, ExhibitMovedOn, SealUsed,
    InvalidFields.
    """
    exhibit = locked(actor, exhibit_id)
    if exhibit.unit_id not in actor.reach_of(Role.LEADER, Role.HQ_REVIEWER):
        raise NotReviewer
    if not exhibit.stop:
        raise CustodyStep(current=body(exhibit))
    found = CustodyEvent.objects.filter(exhibit=exhibit, kind="discrepancy").latest("seq")
    offer = exhibit.offer
    parties = {exhibit.holder_id, found.officer_id}
    if offer is not None:
        parties |= {offer.giver_id, offer.receiver_id, offer.answered_by_id}
    if actor.officer_id in parties:
        raise OwnDiscrepancy
    note = clean_text(note)[:1000]
    if not note:
        raise NoteRequired
    if verdict not in VERDICTS:
        raise InvalidFields(errors=[problem("verdict", "choice")])
    check_seen(actor, exhibit, base_rev)
    return _decided(actor, exhibit, found.said["said"], verdict, note)


def _decided(actor: Actor, exhibit: Exhibit, read: dict[str, Any], verdict: str, note: str) -> Done:
    held, offer = streams_of(exhibit), exhibit.offer
    exhibit.stop = ""
    exhibit.offer = None
    new: list[dict[str, Any]] = []
    if verdict == "as_read":
        known = {spelling(seal["number"]): seal for seal in exhibit.seals}
        exhibit.seals = [known.get(spelling(n)) or _unknown(exhibit, n) for n in read.get("seals_read", ())]
        new = [seal for seal in exhibit.seals if spelling(seal["number"]) not in known]
        mass = amount(read.get("mass_read") or read.get("gross_mass_g"))
        exhibit.gross_mass_g = mass if mass is not None else exhibit.gross_mass_g
    told = {"verdict": verdict, "note": note, "differs": read.get("differs")}
    items = [append(actor, exhibit, "decided", told, held=held, hand_over=offer)]
    put_seals(exhibit, new)
    if verdict == "as_read" and offer is not None and offer.state == HandOver.State.ACCEPTED:
        held = sorted({*held, *streams_of(exhibit)})
        kind = pass_on(exhibit, offer)
        items = [append(actor, exhibit, kind, {"note": note}, held=held, hand_over=offer)]
    record(actor, *items)
    return Done(exhibit)


def _unknown(exhibit: Exhibit, number: str) -> dict[str, Any]:
    """A seal that stands on the package and was never written down here: used up from now on."""
    return {
        "number": number,
        "type": "",
        "issuer": spelling(code_of(exhibit.report.unit_id)),
        "year": timezone.localdate().year,
    }
