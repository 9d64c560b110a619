"""A new epoch: to be declared after any restore of the database."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.sync.models import DevicePull, Epoch, PushSubscription


@transaction.atomic
def new_epoch(*, actor: Actor) -> str:
    """Change the epoch, so that every phone loads its streams again and sends its journal; give the new one."""
    value = uuid.uuid4()
    Epoch.objects.update_or_create(pk=1, defaults={"value": value, "since": timezone.now()})
    # What phones had pulled and were poked for was true of the old numbers: all are to be poked.
    DevicePull.objects.all().delete()
    PushSubscription.objects.update(poked_at=None, poked_for={})
    log(actor, "epoch.changed", "epoch", value)
    return str(value)
