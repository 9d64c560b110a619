"""The two doors of the feed: `record` (called last in an action) and the relay (called by the worker)."""

from apps.changes.actions.feed import Item, record
from apps.changes.actions.relay import relay, resend_overdue, set_wake, settle

__all__ = ["Item", "record", "relay", "resend_overdue", "set_wake", "settle"]
