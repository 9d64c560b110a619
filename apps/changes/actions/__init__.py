"""The doors of the feed: `record` and `record_rows` (last in an action), and the relay (called by the worker)."""

from apps.changes.actions.bulk import Rows, record_rows
from apps.changes.actions.feed import Item, ask_held, record
from apps.changes.actions.relay import BATCH, open_reactions, relay, resend_overdue, set_wake, settle

__all__ = [
    "BATCH",
    "Item",
    "Rows",
    "ask_held",
    "open_reactions",
    "record",
    "record_rows",
    "relay",
    "resend_overdue",
    "set_wake",
    "settle",
]
