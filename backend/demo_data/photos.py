"""The photos of the story: drawn, signed by the phone that took them, and sent as phones send them."""

from __future__ import annotations

from typing import Self

from apps.common.actor import Actor
from backend.demo_data.plan import Visit
from backend.demo_data.simulation import Simulation


class Camera:
    """Takes and sends the photos of each report."""

    def __init__(self, story: Simulation) -> None:
        self.story = story
        self.sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def prepare(self, visits: list[Visit]) -> None:
        """Draw."""

    def send(self, visit: Visit, actor: Actor, *, lose_one: bool) -> bool:
        """Send the report's photos; with `lose_one` the last one never arrives. Gives whether one is missing."""
        return bool(visit.photos)
