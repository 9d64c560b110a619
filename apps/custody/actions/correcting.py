"""Correcting what was written down wrongly about an exhibit: a step of its own with a reason; the old is still read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.accounts.errors import SecondPersonNeeded
from apps.accounts.models import Role
from apps.changes.actions import record
from apps.common.actor import Actor
from apps.common.errors import InvalidFields
from apps.common.text import clean_text, clean_values
from apps.common.transactions import transactional
from apps.custody.actions.common import Done, append, check_free, check_seen, hand_of, locked
from apps.custody.errors import NotHolder
from apps.custody.models import CustodyEvent, Exhibit
from apps.custody.queries import streams_of, text
from apps.custody.rules import moves
from apps.custody.rules.forms import CORRECTED, amount, problem, read_correction
from apps.inspections.errors import NoteRequired

_MASSES = ("gross_mass_g", "net_mass_g", "volume_ml")


@transactional
def correct_exhibit(
    *, actor: Actor, exhibit_id: UUID, base_rev: int | None, fields: Mapping[str, Any], reason: str
) -> Done:
    """Put right the line, description or amounts of an exhibit that the service holds, for a stated reason.

    What was never sealed is corrected by who holds it. Once it was, people were there who saw what was weighed: a
    leader or reviewer over the unit corrects it, who neither holds it nor wrote it down. A field that is not named
    stays; one that is empty is taken back. Raises InvalidFields, NotFound, NotHolder, SecondPersonNeeded,
    NoteRequired, ExhibitStopped, OfferOpen, ExhibitMovedOn, CustodyStep.
    """
    fields = clean_values(fields)
    exhibit = locked(actor, exhibit_id)
    _check_who(actor, exhibit)
    check_free(exhibit)
    check_seen(actor, exhibit, base_rev)
    moves.next_state("corrected", exhibit.state)
    reason = clean_text(reason)[:1000]
    if not reason:
        raise NoteRequired
    before = _spelt(exhibit)
    said, problems = read_correction(before, fields)
    if not problems and said["mark"] not in exhibit.report.lines:
        problems.append(problem("mark", "no-line"))
    changed = {name: [before[name], said[name]] for name in CORRECTED if before[name] != said[name]}
    if not problems and not changed:
        problems.append(problem("description", "unchanged"))
    if problems:
        raise InvalidFields(errors=problems)
    held = streams_of(exhibit)
    for name, (_, value) in changed.items():
        empty = "" if name == "count_unit" else None
        setattr(exhibit, name, amount(value) if name in _MASSES else empty if value is None else value)
    record(actor, append(actor, exhibit, "corrected", {"changed": changed, "note": reason}, held=held))
    return Done(exhibit)


def may_correct(actor: Actor, exhibit: Exhibit) -> bool:
    """Tell whether somebody may correct an exhibit as it is."""
    try:
        _check_who(actor, exhibit)
    except (NotHolder, SecondPersonNeeded):
        return False
    return exhibit.state in moves.HELD and not exhibit.stop and exhibit.offer_id is None


def _check_who(actor: Actor, exhibit: Exhibit) -> None:
    steps = CustodyEvent.objects.filter(exhibit=exhibit)
    if not steps.filter(kind="sealed").exists():
        hand_of(actor, exhibit)
        return
    if exhibit.unit_id not in actor.reach_of(Role.LEADER, Role.HQ_REVIEWER):
        raise NotHolder
    wrote = steps.filter(seq=1).values_list("officer_id", flat=True).get()
    if actor.officer_id is not None and actor.officer_id in {wrote, exhibit.holder_id}:
        raise SecondPersonNeeded


def _spelt(exhibit: Exhibit) -> dict[str, Any]:
    """Give what may be corrected, as it is written in events."""
    found = {name: getattr(exhibit, name) for name in CORRECTED}
    return {name: text(v) if name in _MASSES else None if v == "" else v for name, v in found.items()}
