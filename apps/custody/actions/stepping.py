"""The steps of one exhibit in one hand: seal, open, seal again, store, move, take back from the laboratory, close."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.accounts.errors import SecondPersonNeeded
from apps.accounts.models import Role
from apps.changes.actions import record
from apps.common.actor import Actor, Post
from apps.common.errors import InvalidFields
from apps.common.text import clean_values
from apps.common.transactions import transactional
from apps.custody.actions.common import (
    Done,
    append,
    check_free,
    check_seen,
    hand_of,
    issued,
    locked,
    put_seals,
)
from apps.custody.errors import NotHolder
from apps.custody.models import CustodyEvent, Exhibit
from apps.custody.queries import streams_of, text
from apps.custody.rules import moves
from apps.custody.rules.comparison import agree, differences
from apps.custody.rules.forms import amount, read_step

STEPS = ("sealed", "unsealed", "resealed", "stored", "moved", "received_lab", "closed")


@transactional
def take_step(
    *, actor: Actor, exhibit_id: UUID, step: str, base_rev: int | None, fields: Mapping[str, Any]
) -> Done:
    """Take one of `STEPS`, by who holds the exhibit, or the custodian or leader of the unit that does.

    When the seals or the mass that were read differ from what should be there, the step is not taken: the difference is
    written down and stops the chain (`warnings`). A package sealed with another mass than stood keeps both. Raises
    InvalidFields, NotFound, NotHolder, ExhibitStopped, OfferOpen, ExhibitMovedOn, CustodyStep, SealUsed;
    SecondPersonNeeded when what was written down by mistake is closed by its holder or by who wrote it down.
    """
    fields = clean_values(fields)
    exhibit = locked(actor, exhibit_id)
    post = hand_of(actor, exhibit)
    check_free(exhibit)
    check_seen(actor, exhibit, base_rev)
    state = moves.next_state(step, exhibit.state)
    if step == "closed":
        _check_closer(actor, exhibit)
    said, problems = read_step(step, fields)
    if problems:
        raise InvalidFields(errors=problems)
    held = streams_of(exhibit)
    differs = _differs(exhibit, said)
    if differs:
        exhibit.stop = " ".join(differs)
        record(
            actor,
            append(actor, exhibit, "discrepancy", {**said, "at_step": step, "differs": differs}, held=held),
        )
        return Done(exhibit, tuple(differs))
    exhibit.state = state
    _apply(actor, exhibit, step, said, post)
    item = append(actor, exhibit, step, said, held=held)
    put_seals(exhibit, said.get("seals", ()))
    record(actor, item)
    return Done(exhibit)


def _check_closer(actor: Actor, exhibit: Exhibit) -> None:
    """What was never sealed and never left is struck out by somebody over the unit who had no hand in it."""
    if exhibit.state != moves.RECORDED or actor.is_system:
        return
    first = CustodyEvent.objects.filter(exhibit=exhibit, seq=1).values_list("officer_id", flat=True).get()
    if actor.officer_id in {first, exhibit.holder_id}:
        raise SecondPersonNeeded
    if exhibit.unit_id not in actor.reach_of(Role.LEADER):
        raise NotHolder


def _differs(exhibit: Exhibit, said: Mapping[str, Any]) -> list[str]:
    """Compare what was read on a package under seal with what should be there; what was not read is not compared."""
    if exhibit.state not in moves.UNDER_SEAL or "seals_read" not in said:
        return []
    read = amount(said.get("gross_mass_g"))
    mass = exhibit.gross_mass_g if read is not None else None
    return differences(exhibit.seal_numbers, mass, said["seals_read"], read)


def _apply(actor: Actor, exhibit: Exhibit, step: str, said: dict[str, Any], post: Post) -> None:
    if step in {"sealed", "resealed", "received_lab"}:
        said["seals"] = exhibit.seals = issued(exhibit, said["seals"])
        mass = Decimal(said["gross_mass_g"])
        if exhibit.gross_mass_g is not None and not agree(exhibit.gross_mass_g, mass):
            said["mass_before"] = text(exhibit.gross_mass_g)
        exhibit.gross_mass_g = mass
    if step == "unsealed":
        exhibit.seals = []
    if step == "received_lab":
        exhibit.holder_id, exhibit.posting_id, exhibit.outside = actor.person, post.posting_id, ""
    exhibit.place = said.get("place", "" if step in {"moved", "received_lab"} else exhibit.place)
