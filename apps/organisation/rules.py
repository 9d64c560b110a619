"""Pure reading of a dated tree: which units stand below or above a unit on a day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID


def children_of(links: Iterable[tuple[UUID, UUID]]) -> dict[UUID, list[UUID]]:
    """Turn (unit, parent) pairs into parent → units."""
    children: dict[UUID, list[UUID]] = {}
    for unit, parent in links:
        children.setdefault(parent, []).append(unit)
    return children


def below(unit: UUID, children: Mapping[UUID, list[UUID]]) -> frozenset[UUID]:
    """Give the unit and everything below it."""
    found: set[UUID] = set()
    waiting = [unit]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            waiting.extend(children.get(here, ()))
    return frozenset(found)


def chain(unit: UUID, parent_of: Mapping[UUID, UUID]) -> list[UUID]:
    """Give the unit, its parent, and so on up to the root; a broken (cyclic) chain ends where it repeats."""
    line: list[UUID] = []
    here: UUID | None = unit
    while here is not None and here not in line:
        line.append(here)
        here = parent_of.get(here)
    return line
