"""Every write to checklists: drafting by trainers, and the life of a version."""

from apps.checklists.actions.drafting import create_checklist, create_version, edit_version
from apps.checklists.actions.lifecycle import (
    approve_version,
    close_expired,
    close_version,
    publish_version,
    reject_version,
    submit_for_review,
    withdraw_version,
)

__all__ = [
    "approve_version",
    "close_expired",
    "close_version",
    "create_checklist",
    "create_version",
    "edit_version",
    "publish_version",
    "reject_version",
    "submit_for_review",
    "withdraw_version",
]
