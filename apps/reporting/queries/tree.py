"""The tree behind figures: which units a person may choose, how they roll up on each day, what they are called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from apps.accounts.models import FIGURE_READERS
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.organisation.models import Unit
from apps.organisation.queries import children, lines_of_command, names, roots, subtrees, today, tree_changes
from apps.reporting.rules import Period


@dataclass(frozen=True)
class UnitRef:
    """A unit with its name as of the last day of the period (today's when restated)."""

    id: UUID
    code: str
    level: str
    name: str


@dataclass(frozen=True)
class Part:
    """Days with one and the same tree; `row_of` says in which row of the board each unit's figures stand."""

    period: Period
    row_of: Mapping[UUID, UUID]


def top_unit(actor: Actor) -> UUID:
    """Give the unit at which the actor's board opens: the one that reaches furthest. Raises NotFound."""
    if actor.is_system:
        tops = roots()
        if tops:
            return tops[0]
        raise NotFound
    posts = [post for post in actor.posts if post.role in FIGURE_READERS]
    if not posts:
        raise NotFound
    return max(posts, key=lambda post: len(post.reach)).unit_id


def chosen_unit(actor: Actor, unit_id: UUID | None) -> UUID:
    """Give the unit, the actor's top unit when none is named. Raises NotFound for one whose figures are not theirs."""
    if unit_id is None:
        return top_unit(actor)
    may = actor.is_system or unit_id in actor.reach_of(*FIGURE_READERS)
    if not (may and Unit.objects.visible_to(actor).filter(pk=unit_id).exists()):
        raise NotFound
    return unit_id


def parts_of(unit: UUID, period: Period, *, restate: bool) -> list[Part]:
    """Cut the period where the tree changes; map each unit of the chosen one's subtree to its row."""
    if restate:
        return [Part(period, row_of(unit, today()))]
    cuts = period.cut_at(tree_changes(period.first, period.last))
    return [Part(part, row_of(unit, part.first)) for part in cuts]


def row_of(unit: UUID, day: dt.date) -> dict[UUID, UUID]:
    """Map each unit at and below the chosen one to the row of the board in which it stands."""
    below = subtrees(children(unit, day), day)
    return {unit: unit} | {member: child for child, members in below.items() for member in members}


def path_to(actor: Actor, unit: UUID, day: dt.date) -> list[UUID]:
    """Give the line from the actor's furthest readable unit down to the chosen one."""
    line = lines_of_command([unit], day)[unit]
    reach = None if actor.is_system else actor.reach_of(*FIGURE_READERS)
    return [u for u in reversed(line) if reach is None or u in reach]


def refs(units: Iterable[UUID], day: dt.date) -> dict[UUID, UnitRef]:
    """Give units with their names on a day."""
    called = names(units, day)
    rows = Unit.objects.filter(pk__in=list(units)).values_list("pk", "code", "level")
    return {pk: UnitRef(pk, code, level, called.get(pk, code)) for pk, code, level in rows}
