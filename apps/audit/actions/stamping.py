"""Having heads stamped by an outside authority: each stamp once, as it came."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audit import authority
from apps.audit.actions.events import log as audit
from apps.audit.authority import TimestampRefused
from apps.audit.models import Head, Stamp
from apps.audit.queries import latest_head
from apps.common.actor import SYSTEM

EVERY = timedelta(hours=1)

log = structlog.get_logger(__name__)


def stamp_newest() -> Stamp | None:
    """Have the newest head stamped, an hour after the last stamp; after a failure the next round asks again."""
    last = Stamp.objects.order_by("-at").first()
    head = latest_head()
    if not authority.is_asked() or head is None or (last is not None and timezone.now() - last.at < EVERY):
        return None
    return stamp_head(head)


def stamp_head(head: Head) -> Stamp | None:
    """Have a head stamped unless it is; None when the authority does not, which is logged and breaks nothing.

    The authority is asked before anything is locked. Every head names the one before, so a stamp also covers those.
    """
    known = Stamp.objects.filter(head=head).first()
    if known is not None or not authority.is_asked():
        return known
    try:
        token = authority.stamp(bytes(head.body))
    except TimestampRefused as refusal:
        log.warning("timestamp.failed", head=head.pk, why=str(refusal))
        return None
    try:
        with transaction.atomic():
            made = Stamp.objects.create(head=head, at=timezone.now(), token=token)
            said = {"head_size": head.size, "sha256": hashlib.sha256(token).hexdigest()}
            audit(SYSTEM, "head.stamped", "stamp", made.pk, said)
    except IntegrityError:  # a twin was faster
        return Stamp.objects.get(head=head)
    return made
