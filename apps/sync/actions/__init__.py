"""What the engine writes: receipts of pushed mutations, a new epoch after a restore, suspicions about phones."""

from apps.sync.actions.epoch import new_epoch
from apps.sync.actions.push import push
from apps.sync.actions.repair import repair_record, repair_sums
from apps.sync.actions.watch import watch_devices

__all__ = ["new_epoch", "push", "repair_record", "repair_sums", "watch_devices"]
