"""Reads of the figures: the board with its drill-down, series, breakdowns, and the comparison with the rows."""

from apps.reporting.queries.board import (
    Board,
    BoardRow,
    Point,
    Share,
    board,
    breakdown,
    cut_offs,
    reports_behind,
    series,
)
from apps.reporting.queries.custody_rows import custody_uncounted_since
from apps.reporting.queries.seizure_board import (
    Amendment,
    SeizureBoard,
    SeizureRow,
    amendments,
    seizure_board,
)
from apps.reporting.queries.seizure_rows import seizures_uncounted_since
from apps.reporting.queries.tree import UnitRef, top_unit
from apps.reporting.queries.truth import Difference, differences, uncounted_since

__all__ = [
    "Amendment",
    "Board",
    "BoardRow",
    "Difference",
    "Point",
    "SeizureBoard",
    "SeizureRow",
    "Share",
    "UnitRef",
    "amendments",
    "board",
    "breakdown",
    "custody_uncounted_since",
    "cut_offs",
    "differences",
    "reports_behind",
    "seizure_board",
    "seizures_uncounted_since",
    "series",
    "top_unit",
    "uncounted_since",
]
