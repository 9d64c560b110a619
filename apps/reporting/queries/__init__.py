"""Reads of the figures: the board with its drill-down, series, breakdowns, and the comparison with the rows."""

from apps.reporting.queries.board import (
    Board,
    BoardRow,
    Point,
    Share,
    UnitRef,
    board,
    breakdown,
    cut_offs,
    reports_behind,
    series,
    top_unit,
)
from apps.reporting.queries.truth import Difference, differences, uncounted_since

__all__ = [
    "Board",
    "BoardRow",
    "Difference",
    "Point",
    "Share",
    "UnitRef",
    "board",
    "breakdown",
    "cut_offs",
    "differences",
    "reports_behind",
    "series",
    "top_unit",
    "uncounted_since",
]
