"""What the engine writes: receipts of pushed mutations, and a new epoch after a restore."""

from apps.sync.actions.epoch import new_epoch
from apps.sync.actions.push import push

__all__ = ["new_epoch", "push"]
