"""The reference lists of the demo: those that come with the product, and its units."""

from __future__ import annotations

from apps.common.actor import SYSTEM
from apps.reference.actions import load_shipped, publish_units
from backend.demo_data.simulation import Simulation


def make_lists(story: Simulation) -> int:
    """Import them before service begins; gives the number of entries."""
    story.at(story.opening)
    shipped = load_shipped(actor=SYSTEM).values()
    return sum(done.rows for done in shipped) + publish_units(actor=SYSTEM)
