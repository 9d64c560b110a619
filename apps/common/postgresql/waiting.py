"""Writes that nobody has asked about yet: they wait for the next reader, or for the COMMIT, and travel with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Statement = tuple[str, Sequence[Any]]
"""SQL with `%s` for each value, and the values."""


FEW = 12
"""So many insertions make one statement. More, of a task that does many records at once, would be a statement of a new
length each time, and planning it costs more than it saves."""


@dataclass(slots=True)
class Waiting:
    """Rows to insert, in no order, and statements in their order."""

    insertions: list[Statement] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.insertions or self.statements)

    def taken(self) -> list[Statement]:
        """Give what waits, the insertions before the others and a few of them as one statement, and forget it."""
        insertions, statements = self.insertions, self.statements
        self.insertions, self.statements = [], []
        if 1 < len(insertions) <= FEW:
            values = [value for _, row in insertions for value in row]
            return [(_all_in_one(tuple(sql for sql, _ in insertions)), values), *statements]
        return insertions + statements


@lru_cache(maxsize=256)
def _all_in_one(insertions: tuple[str, ...]) -> str:
    """Make one statement of several; foreign keys between the rows are checked when all are there."""
    *first, last = insertions
    named = ", ".join(f"w{i} AS ({sql})" for i, sql in enumerate(first))
    return f"WITH {named} {last}"
