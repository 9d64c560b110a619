"""Writing events, numbering them, signing heads over them, and keeping the keys that sign."""

from apps.audit.actions.events import log
from apps.audit.actions.heads import export_head, sign_head
from apps.audit.actions.keys import announced_key, revoke_key, rotate_key
from apps.audit.actions.sequencing import sequence_events
from apps.audit.actions.stamping import stamp_head, stamp_newest

__all__ = [
    "announced_key",
    "export_head",
    "log",
    "revoke_key",
    "rotate_key",
    "sequence_events",
    "sign_head",
    "stamp_head",
    "stamp_newest",
]
