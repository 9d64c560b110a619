"""Every write to inspection reports: editing from the phone, arrival of photos, review."""

from apps.inspections.actions.bundles import export_bundle
from apps.inspections.actions.editing import Edited, discard_inspection, save_inspection
from apps.inspections.actions.media import declare_photo, settle_media
from apps.inspections.actions.orphans import remove_orphaned_photos
from apps.inspections.actions.receipts import issue_receipts
from apps.inspections.actions.review import (
    approve_inspection,
    return_for_correction,
    start_review,
    void_inspection,
)
from apps.inspections.actions.single_use import note_single_use
from apps.inspections.actions.submission import submit_inspection

__all__ = [
    "Edited",
    "approve_inspection",
    "declare_photo",
    "discard_inspection",
    "export_bundle",
    "issue_receipts",
    "note_single_use",
    "remove_orphaned_photos",
    "return_for_correction",
    "save_inspection",
    "settle_media",
    "start_review",
    "submit_inspection",
    "void_inspection",
]
