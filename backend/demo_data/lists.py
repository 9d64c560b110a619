"""The reference lists of the demo: those that come with the product."""

from __future__ import annotations

from apps.common.actor import SYSTEM
from apps.reference.actions import load_shipped
from backend.demo_data.simulation import Simulation


def make_lists(story: Simulation) -> int:
    """Import them before service begins; gives the number of entries."""
    story.at(story.opening)
    return sum(done.rows for done in load_shipped(actor=SYSTEM).values())
