"""What every request of a phone leaves behind: when the device was last seen, and with which app."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import OperationalError
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Device
from apps.common.actor import Actor

CONTACT_EVERY = timedelta(minutes=1)


def note_contact(*, actor: Actor, last_seen_at: datetime | None, app_version: str = "") -> None:
    """Write down the contact, at most once a minute; not audited, and a busy database is no reason to refuse."""
    now = timezone.now()
    stale = now - CONTACT_EVERY
    if actor.device_id is None or (last_seen_at and last_seen_at > stale):
        return
    values = {"last_seen_at": now, **({"app_version": app_version[:40]} if app_version else {})}
    try:
        Device.objects.filter(Q(last_seen_at=None) | Q(last_seen_at__lte=stale), pk=actor.device_id).update(
            **values
        )
    except OperationalError:
        return
