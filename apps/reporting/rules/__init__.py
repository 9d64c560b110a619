"""Pure definitions of the figures: measures of inspections, of seizures and custody, periods, comparisons."""

from apps.reporting.rules.custody import Held, spans_of
from apps.reporting.rules.inspections import (
    FINDING,
    MEASURES,
    SUPPORT_TYPES,
    Figures,
    Measure,
    comparisons,
)
from apps.reporting.rules.periods import (
    PERIODS,
    STEPS,
    Comparison,
    CutOff,
    Period,
    compare,
    period_of,
)
from apps.reporting.rules.seized import (
    SEIZURE_MEASURES,
    Seized,
    SeizureMeasure,
    Thing,
    Yield,
    seizure_comparisons,
    sum_up,
)
from apps.reporting.rules.seizures import Entry, entries_of, joined

__all__ = [
    "FINDING",
    "MEASURES",
    "PERIODS",
    "SEIZURE_MEASURES",
    "STEPS",
    "SUPPORT_TYPES",
    "Comparison",
    "CutOff",
    "Entry",
    "Figures",
    "Held",
    "Measure",
    "Period",
    "Seized",
    "SeizureMeasure",
    "Thing",
    "Yield",
    "compare",
    "comparisons",
    "entries_of",
    "joined",
    "period_of",
    "seizure_comparisons",
    "spans_of",
    "sum_up",
]
