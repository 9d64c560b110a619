"""Is what is kept of seizures what the ledger says? For `verify_evidence`.

Reports with their versions; what follows from a report in rows of its own, and its incident; what people said of it.
"""

from apps.seizures.checking.reports import check_seizures

__all__ = ["check_seizures"]
