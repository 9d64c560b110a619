"""The board of seizures by its dimensions, in words: how things were found and hidden, where they were going."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.common.text import pick
from apps.console.templatetags.console import number
from apps.reference.queries import countries, label
from apps.reporting.rules import Seized, Yield

# Routes and hidings are many; the table ends here and says so.
SHOWN = 20


@dataclass(frozen=True)
class SplitRow:
    """One value of a dimension with what stands behind it."""

    name: str
    incidents: int
    kilograms: str


@dataclass(frozen=True)
class Split:
    """The figures by one dimension. `more` values are not shown."""

    caption: str
    note: str
    head: str
    rows: tuple[SplitRow, ...]
    more: int


def splits(figures: Seized) -> tuple[Split, ...]:
    """Give the figures by each dimension, the values with most incidents first; without seizures there is none."""
    if not figures.incidents:
        return ()
    each = pick(
        "Không cộng dồn: một vụ có thể tính ở nhiều dòng.",
        "Not to be added up: an incident may stand in several rows.",
    )
    means = pick("Phương tiện, dấu hiệu", "Means")
    return (
        _split(
            figures,
            "first_cue",
            pick("Theo dấu hiệu phát hiện đầu tiên", "By first cue"),
            means,
            lambda code: label("means_of_detection", code),
        ),
        _split(
            figures,
            "means",
            pick("Theo phương tiện đã dùng", "By means used"),
            means,
            lambda code: label("means_of_detection", code),
            each,
        ),
        _split(
            figures,
            "hidden",
            pick("Theo nơi giấu và cách giấu", "By place and way of concealment"),
            pick("Nơi giấu · cách giấu", "Place · way"),
            _hiding,
            each,
        ),
        _split(
            figures,
            "route",
            pick("Theo chiều và tuyến", "By direction and route"),
            pick("Chiều, nước đi → nước đến", "Direction, from → to"),
            _route(),
        ),
        _split(
            figures,
            "place_type",
            pick("Theo loại địa điểm", "By kind of place"),
            pick("Địa điểm", "Place"),
            lambda code: label("place_type", code),
        ),
    )


def _split(
    figures: Seized, dimension: str, caption: str, head: str, called: Callable[[str], str], note: str = ""
) -> Split:
    found = figures.yields.get(dimension, {})
    ordered = sorted(found.items(), key=lambda part: (-part[1].incidents, -part[1].grams, part[0]))
    rows = tuple(_row(called(value) if value.strip() else _unknown(), sums) for value, sums in ordered)
    return Split(caption, note, head, rows[:SHOWN], len(rows[SHOWN:]))


def _row(name: str, sums: Yield) -> SplitRow:
    return SplitRow(name, sums.incidents, number(sums.grams / 1000, 3) if sums.grams else "–")


def _unknown() -> str:
    return pick("Chưa rõ", "Not known")


def _hiding(value: str) -> str:
    place, technique = value.split(" ")
    return f"{label('concealment_place', place)} · {label('concealment_technique', technique)}"


def _route() -> Callable[[str], str]:
    called = countries()

    def name(value: str) -> str:
        direction, *ends = value.split(" ")
        said = label("direction", direction) if direction else _unknown()
        places = [called.get(end) or (end if end not in {"", "UNK"} else _unknown()) for end in ends]
        return f"{said}: {' → '.join(places)}"

    return name
