"""When two reports may tell of one seizure (dictionary 6.3): they share a number, or time, place, substance and mass.

A candidate is a question to a person, never an answer: only a person merges, and what was merged can be parted again.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.reference.rules.folding import fold
from apps.seizures.rules.lines import Measure

WITHIN = dt.timedelta(hours=24)
TOLERANCE = Decimal("0.1")
# Kinds of numbers that name one consignment, seal or person; a flight or a tariff code does not.
GOODS = ("mawb", "hawb", "courier_no", "s10", "bl_no", "container_no", "declaration_no")
PAPERS = ("passport_no", "citizen_no", "mrz")
SEAL = "seal"
TELLING = frozenset({*GOODS, *PAPERS, SEAL})
SHORTEST = 5  # digits and letters below which a number tells nothing


@dataclass(frozen=True)
class Facts:
    """What of a report is compared: numbers as (kind, spelling), the moment, where, who, and what counts."""

    numbers: frozenset[tuple[str, str]]
    moment: dt.datetime | None
    place: str
    units: frozenset[str]
    lines: tuple[Measure, ...]


def is_telling(kind: str, normalised: str) -> bool:
    """Tell whether a number is worth comparing."""
    return kind in TELLING and len(normalised) >= SHORTEST


def alike(one: Facts, other: Facts) -> list[str]:
    """Give why two reports may tell of one seizure: `consignment`, `seal`, `person`, `circumstances`; or nothing."""
    kinds = {kind for kind, _ in one.numbers & other.numbers}
    found = []
    if kinds.intersection(GOODS):
        found.append("consignment")
    if SEAL in kinds:
        found.append("seal")
    if kinds.intersection(PAPERS):
        found.append("person")
    if _is_near(one, other) and _is_as_much(one.lines, other.lines):
        found.append("circumstances")
    return found


def neighbours(several: Sequence[Facts]) -> Iterator[tuple[int, int]]:
    """Give the places of every two that may be alike, the earlier place first, with few others and none twice.

    Whatever is alike shares a number, or has near each other: moment, place or unit, substance, and amount. So each is
    compared with those under its keys alone, and not with all.
    """
    under: dict[_Key, list[int]] = defaultdict(list)
    for place, facts in enumerate(several):
        keys = list(_keys(facts))
        found = {other for key in keys for near in _around(key) for other in under.get(near, ())}
        yield from ((other, place) for other in sorted(found))
        for key in keys:
            under[key].append(place)


_Key = tuple[Any, ...]
_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# Amounts within the tolerance lie in one step or in two that adjoin; a little wider than exact, for what floats lose.
_STEP = -math.log(1 - float(TOLERANCE)) * 1.001


def _keys(facts: Facts) -> Iterator[_Key]:
    yield from facts.numbers
    if facts.moment is None:
        return
    day = (facts.moment - _EPOCH) // WITHIN
    place = fold(facts.place)
    where = [("unit", unit) for unit in facts.units] + ([("place", place)] if place else [])
    amounts = {
        (m.substance, what, math.floor(math.log(amount) / _STEP))
        for m in facts.lines
        if m.is_counted
        for what, amount in (("g", m.mass_g), ("ml", m.volume_ml), ("n", m.count))
        if amount
    }
    yield from ((*at, day, *amount) for at in where for amount in amounts)


def _around(key: _Key) -> Iterator[_Key]:
    """Give a key and those that adjoin it, by day and by amount."""
    if len(key) == 2:
        yield key
        return
    kind, where, day, substance, what, amount = key
    for d in (-1, 0, 1):
        yield from ((kind, where, day + d, substance, what, amount + a) for a in (-1, 0, 1))


def _is_near(one: Facts, other: Facts) -> bool:
    """One place and one day: the same words for the place, or a unit that stands in both."""
    if one.moment is None or other.moment is None or abs(one.moment - other.moment) > WITHIN:
        return False
    same_place = bool(fold(one.place)) and fold(one.place) == fold(other.place)
    return same_place or not one.units.isdisjoint(other.units)


def _is_as_much(one: Iterable[Measure], other: Iterable[Measure]) -> bool:
    """The same substance in about the same amount, somewhere among the lines."""
    others = [m for m in other if m.is_counted]
    return any(
        mine.substance == theirs.substance and _is_about(mine, theirs)
        for mine in one
        if mine.is_counted
        for theirs in others
    )


def _is_about(mine: Measure, theirs: Measure) -> bool:
    pairs = (
        (mine.mass_g, theirs.mass_g),
        (mine.volume_ml, theirs.volume_ml),
        (Decimal(mine.count or 0), Decimal(theirs.count or 0)),
    )
    return any(a and b and abs(a - b) <= TOLERANCE * max(a, b) for a, b in pairs)
