"""What the engine writes: receipts of pushed mutations, a new epoch after a restore, suspicions about phones."""

from apps.sync.actions.contacts import note_pull
from apps.sync.actions.epoch import new_epoch
from apps.sync.actions.poking import forget_push, poke_phones, register_push
from apps.sync.actions.push import push
from apps.sync.actions.repair import renew_postings, repair_record, repair_sums
from apps.sync.actions.retention import Removed, retain
from apps.sync.actions.watch import watch_devices

__all__ = [
    "Removed",
    "forget_push",
    "new_epoch",
    "note_pull",
    "poke_phones",
    "push",
    "register_push",
    "renew_postings",
    "repair_record",
    "repair_sums",
    "retain",
    "watch_devices",
]
