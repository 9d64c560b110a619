"""Do two readings agree: the seals on a package, its mass, the exhibits of a line with what the report says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.custody.rules.forms import amount, spelling
from apps.custody.rules.moves import SEAL_MISMATCH, WEIGHT_DISCREPANCY
from apps.seizures.rules.lines import TOLERANCE_G, TOLERANCE_SHARE


def agree(one: Decimal, other: Decimal) -> bool:
    """Tell whether two masses in grams may be the same thing on two scales."""
    return abs(one - other) <= max(TOLERANCE_G, TOLERANCE_SHARE * max(one, other))


def differences(
    seals: Iterable[str], mass: Decimal | None, seals_read: Iterable[str], mass_read: Decimal | None
) -> list[str]:
    """Name what differs between what an exhibit should bear and weigh, and what was read on it.

    A mass that was known and not read again differs: the receiver confirms both.
    """
    found = []
    if {spelling(number) for number in seals} != {spelling(number) for number in seals_read}:
        found.append(SEAL_MISMATCH)
    if mass is not None and (mass_read is None or not agree(mass, mass_read)):
        found.append(WEIGHT_DISCREPANCY)
    return found


@dataclass(frozen=True)
class Balance:
    """A line's net mass by the report beside that of its exhibits and the samples taken from them."""

    mark: str
    line_g: Decimal
    exhibits_g: Decimal

    @property
    def is_even(self) -> bool:
        """Whether the two agree."""
        return agree(self.line_g, self.exhibits_g)


def result_of_line(exhibits: Iterable[Mapping[str, Any] | None]) -> dict[str, Any]:
    """Give what the laboratory says of a line from the newest result of each of its exhibits (None: none yet).

    Positive as soon as one is. The line's amounts follow the laboratory only when every exhibit has a result and every
    positive one an amount: what was not weighed there is never lost. Negative only when all are.
    """
    every = list(exhibits)
    known = [result for result in every if result]
    positive = [result for result in known if result["lab_outcome"] == "positive"]
    if not known or (not positive and len(known) < len(every)):
        return {}
    newest = max(positive or known, key=lambda result: str(result["at"]))
    keys = ("lab_outcome", "lab_substance", "lab_purity_pct", "lab_name", "lab_number", "lab_on", "lab_note")
    said = {key: newest[key] for key in keys if newest.get(key) not in {None, ""}}
    if len(known) == len(every):
        for key in ("lab_net_mass_g", "lab_volume_ml", "lab_count"):
            amounts = [amount(result.get(key)) for result in positive]
            if amounts and None not in amounts:
                total = sum((a for a in amounts if a is not None), Decimal(0))
                said[key] = int(total) if key == "lab_count" else f"{total.normalize():f}"
    return said
