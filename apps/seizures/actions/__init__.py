"""Every write to seizure reports: from phones, and decisions, results and corrections at a desk."""

from apps.seizures.actions.amending import amend_seizure, record_lab_result
from apps.seizures.actions.deciding import DECIDERS, decide_seizure, require
from apps.seizures.actions.editing import Edited, discard_seizure, save_seizure
from apps.seizures.actions.joining import agree_participation
from apps.seizures.actions.media import declare_photo
from apps.seizures.actions.merging import hold_apart, join_incidents, merge_seizures, part_seizures
from apps.seizures.actions.orphans import remove_orphaned_photos
from apps.seizures.actions.reading import read_persons
from apps.seizures.actions.receipts import issue_receipts
from apps.seizures.actions.sending import send_flash, send_preliminary, submit_seizure

__all__ = [
    "DECIDERS",
    "Edited",
    "agree_participation",
    "amend_seizure",
    "decide_seizure",
    "declare_photo",
    "discard_seizure",
    "hold_apart",
    "issue_receipts",
    "join_incidents",
    "merge_seizures",
    "part_seizures",
    "read_persons",
    "record_lab_result",
    "remove_orphaned_photos",
    "require",
    "save_seizure",
    "send_flash",
    "send_preliminary",
    "submit_seizure",
]
