"""Writes that nobody has asked about yet: they wait for the next reader, or for the COMMIT, and travel with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

Statement = tuple[str, Sequence[Any]]
"""SQL with `%s` for each value, and the values."""


@dataclass(slots=True)
class Waiting:
    """Rows to insert, in no order, and statements in their order."""

    insertions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def taken(self) -> list[Statement]:
        """Give what waits, the insertions as one statement before the others, and forget it."""
        taken, self.statements = self.statements, []
        if self.insertions:
            taken.insert(0, (_all_in_one(tuple(self.insertions)), self.values))
            self.insertions, self.values = [], []
        return taken


@lru_cache(maxsize=256)
def _all_in_one(insertions: tuple[str, ...]) -> str:
    """Make one statement of several; foreign keys between the rows are checked when all are there."""
    *first, last = insertions
    named = ", ".join(f"w{i} AS ({sql})" for i, sql in enumerate(first))
    return f"WITH {named} {last}" if named else last
