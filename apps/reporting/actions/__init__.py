"""Keeping the figures: counted again from the rows when something changed; the reporting calendar."""

from apps.reporting.actions.custody import count_custody, recount_custody
from apps.reporting.actions.inspections import recount, refresh_days, set_cut_off
from apps.reporting.actions.seizures import count_seizures, recount_seizures

__all__ = [
    "count_custody",
    "count_seizures",
    "recount",
    "recount_custody",
    "recount_seizures",
    "refresh_days",
    "set_cut_off",
]
