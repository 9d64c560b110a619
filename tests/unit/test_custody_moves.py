"""The way of an exhibit (dictionary 4.7), written out: a step that is added, lost or bent shows here."""

from __future__ import annotations

import pytest

from apps.custody.errors import CustodyStep
from apps.custody.models import ExhibitState
from apps.custody.rules.moves import HELD, SETTLED, next_state, steps_from

SEALED = ("sealed", "unit_store", "in_transit")
HERE = ("recorded", *SEALED, "unsealed")
# step → where it may start → where it leads
WAY: dict[str, dict[str, str]] = {
    "sealed": {"recorded": "sealed"},
    "stored": dict.fromkeys(SEALED, "unit_store"),
    "moved": dict.fromkeys(SEALED, "in_transit"),
    "unsealed": dict.fromkeys(SEALED, "unsealed"),
    "sampled": {"unsealed": "unsealed"},
    "resealed": {"unsealed": "sealed"},
    "handover_offered": dict.fromkeys(SEALED, "in_transit"),
    "handover_refused": {"in_transit": "in_transit"},
    "handover_withdrawn": {"in_transit": "in_transit"},
    "handover_accepted": {"in_transit": "in_transit"},
    "sent_lab": {"in_transit": "at_lab"},
    "received_lab": {"at_lab": "sealed"},
    "handed_over": {"in_transit": "handed_over"},
    "closed": dict.fromkeys(("recorded", "at_lab", "handed_over"), "closed"),
    **{step: {state: state for state in (*SEALED, "at_lab")} for step in ("discrepancy", "decided")},
    "corrected": {state: state for state in HERE},
    "lab_result": {state: state for state in (*HERE, "at_lab", "handed_over", "closed")},
}


@pytest.mark.parametrize("step", WAY)
def test_a_step_starts_where_it_may_and_leads_where_it_should(step: str) -> None:
    for state in ExhibitState.values:
        if state in WAY[step]:
            assert next_state(step, state) == WAY[step][state], state
        else:
            with pytest.raises(CustodyStep):
                next_state(step, state)


def test_there_is_no_other_step() -> None:
    assert set().union(*(steps_from(state) for state in ExhibitState.values)) == set(WAY)
    assert (set(HELD), set(SETTLED)) == (set(HERE), {"handed_over", "closed"})
