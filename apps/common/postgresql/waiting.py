"""Writes that nobody has asked about yet: they wait for the next reader, or for the COMMIT, and travel with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Statement = tuple[str, Sequence[Any]]
"""SQL with `%s` for each value, and the values."""


@dataclass(slots=True)
class Waiting:
    """Rows to insert, in no order, and statements in their order."""

    insertions: list[Statement] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.insertions or self.statements)

    def taken(self) -> list[Statement]:
        """Give what waits and forget it; the insertions before the others, which may lock what many wait for."""
        taken = self.insertions + self.statements
        self.insertions, self.statements = [], []
        return taken
