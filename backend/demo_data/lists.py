"""The reference lists of the demo: imported from their files as anywhere else."""

from __future__ import annotations

from apps.common.actor import SYSTEM
from apps.reference import demo
from apps.reference.actions import import_list
from backend.demo_data.simulation import Simulation


def make_lists(story: Simulation) -> int:
    """Import them before service begins; gives the number of entries."""
    story.at(story.opening)
    with demo.FILE.open("rb") as lines:
        return import_list(actor=SYSTEM, slug=demo.SLUG, lines=lines, names=demo.NAMES).rows
