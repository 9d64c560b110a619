"""Where an exhibit may go from where it is (dictionary 4.7). A step that does not follow is refused, never bent."""

from __future__ import annotations

from collections.abc import Mapping

from apps.custody.errors import CustodyStep

RECORDED, SEALED, UNSEALED, STORED = "recorded", "sealed", "unsealed", "unit_store"
IN_TRANSIT, AT_LAB, HANDED_OVER, CLOSED = "in_transit", "at_lab", "handed_over", "closed"
SEAL_MISMATCH, WEIGHT_DISCREPANCY = "seal_mismatch", "weight_discrepancy"
# Where a seal is on the exhibit.
UNDER_SEAL = (SEALED, STORED, IN_TRANSIT)
# Where the service holds it.
HELD = (RECORDED, *UNDER_SEAL, UNSEALED)

# Where nobody of the service answers for it any more.
SETTLED = (HANDED_OVER, CLOSED)

# step → where it may start → where it leads; None: it stays where it is
_MOVES: Mapping[str, Mapping[str, str | None]] = {
    "sealed": {RECORDED: SEALED},
    "stored": {SEALED: STORED, IN_TRANSIT: STORED, STORED: STORED},
    "moved": {SEALED: IN_TRANSIT, STORED: IN_TRANSIT, IN_TRANSIT: IN_TRANSIT},
    "unsealed": dict.fromkeys(UNDER_SEAL, UNSEALED),
    "sampled": {UNSEALED: UNSEALED},
    "resealed": {UNSEALED: SEALED},
    "received_lab": {AT_LAB: SEALED},
    "handover_offered": dict.fromkeys(UNDER_SEAL, IN_TRANSIT),
    "handover_refused": {IN_TRANSIT: IN_TRANSIT},
    "handover_withdrawn": {IN_TRANSIT: IN_TRANSIT},
    "handover_accepted": {IN_TRANSIT: IN_TRANSIT},
    "handed_over": {IN_TRANSIT: HANDED_OVER},
    "sent_lab": {IN_TRANSIT: AT_LAB},
    "discrepancy": dict.fromkeys((*UNDER_SEAL, AT_LAB), None),
    "decided": dict.fromkeys((*UNDER_SEAL, AT_LAB), None),
    "corrected": dict.fromkeys(HELD, None),
    "lab_result": dict.fromkeys((*HELD, AT_LAB, HANDED_OVER, CLOSED), None),
    "closed": dict.fromkeys((RECORDED, AT_LAB, HANDED_OVER), CLOSED),
}


def next_state(step: str, state: str) -> str:
    """Give where a step leads. Raises CustodyStep when it does not follow from where the exhibit is."""
    starts = _MOVES[step]
    if state not in starts:
        raise CustodyStep
    return starts[state] or state


def steps_from(state: str) -> frozenset[str]:
    """Give the steps that may follow."""
    return frozenset(step for step, starts in _MOVES.items() if state in starts)
