"""Files whose bytes are here although the database does not say so: it was restored from a backup older than they.

The phone deleted its copy when it was told `stored`, so nobody would send these bytes again. A file that lies at the
content address of an expected attachment, and still has that hash, is what the attachment waits for.
"""

from __future__ import annotations

import hashlib

import structlog
from django.db import transaction
from django.utils import timezone

from apps.changes.actions import record
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.evidence.actions.announcing import change_expected
from apps.evidence.actions.finishing import stored_fields
from apps.evidence.models import Attachment
from apps.evidence.rules.content import Facts, examine
from apps.evidence.storage import depot, original_name

log = structlog.get_logger(__name__)


def recover_originals(*, actor: Actor) -> int:
    """Tell of every expected attachment that its file is stored, where it is; give their number."""
    count = 0
    for attachment in Attachment.objects.filter(state=Attachment.State.EXPECTED).iterator():
        facts = _found(attachment)
        if facts is None:
            continue
        with transaction.atomic():
            fields = {**stored_fields(attachment, facts), "stored_at": timezone.now()}
            item = change_expected(actor, attachment, "attachment.stored", fields, {"recovered": True})
            if item is not None:
                record(actor, item)
                count += 1
    return count


def _found(attachment: Attachment) -> Facts | None:
    """Look at the bytes that lie at the attachment's content address, if they are whole."""
    name = original_name(attachment.sha256)
    try:
        with depot().open(name) as file:
            content = file.read()
        if len(content) != attachment.size or hashlib.sha256(content).hexdigest() != attachment.sha256:
            return None
        facts = examine(content)
        depot().secure(name)  # a server that died after the link has not made the name durable
        return facts
    except FileNotFoundError:
        return None
    except DomainError as refusal:
        log.warning("original.not_recovered", attachment=str(attachment.pk), code=refusal.code)
        return None
