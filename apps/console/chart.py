"""The geometry of a small bar chart: numbers in, rectangles out. The template draws it; a table stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 880, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 10, 26
_FLOOR = HEIGHT - _BOTTOM


@dataclass(frozen=True)
class Bar:
    """A rectangle; `tone` 1 is the whole, 2 the part."""

    x: float
    y: float
    width: float
    height: float
    tone: int
    title: str


@dataclass(frozen=True)
class Tick:
    """A label on an axis and the place of its line."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    bars: tuple[Bar, ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    floor: int = _FLOOR
    right: int = WIDTH - _RIGHT


def bars(points: Sequence[tuple[str, int, int]]) -> Chart:
    """Lay out (label, whole, part) triples: the part stands before the whole, at the same scale."""
    top = _ceiling(max((whole for _, whole, _ in points), default=0))
    room = (WIDTH - _LEFT - _RIGHT) / max(len(points), 1)
    wide = min(room * 0.72, 48)
    drawn: list[Bar] = []
    columns: list[Tick] = []
    every = max(1, -(-len(points) // 12))
    for i, (label, whole, part) in enumerate(points):
        middle = _LEFT + room * (i + 0.5)
        for tone, value, share in ((1, whole, 1.0), (2, part, 0.5)):
            height = (_FLOOR - _TOP) * value / top
            left = middle - wide / 2
            drawn.append(
                Bar(
                    round(left, 1),
                    round(_FLOOR - height, 1),
                    round(wide * share, 1),
                    round(height, 1),
                    tone,
                    label,
                )
            )
        if i % every == 0:
            columns.append(Tick(round(middle, 1), label))
    rows = tuple(Tick(round(_FLOOR - (_FLOOR - _TOP) * n / 4, 1), f"{top * n // 4}") for n in range(5))
    return Chart(tuple(b for b in drawn if b.height), rows, tuple(columns))


def _ceiling(most: int) -> int:
    """Give a round number at or above the highest bar that four equal steps divide."""
    scale = 1
    while True:
        for step in (4, 8, 20):
            if step * scale >= most:
                return step * scale
        scale *= 10
