"""A phone whose store was copied to another: found by numbers used twice, told to the audit, nothing refused.

A phone gives each mutation a number of its own (`device_seq`) and never gives one to two of them. When two different
mutations of one device bear the same number, two phones go on from the same copy. This runs beside the pushes
(`sync.watch_devices`): what both did is kept, and people decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, Min
from django.utils import timezone

from apps.accounts.models import Device
from apps.audit.actions import log
from apps.common.actor import Actor
from apps.sync.doubles import USED_TWICE, told_already
from apps.sync.models import Mutation

HEARD = timedelta(hours=2)
LOOK_BACK = timedelta(days=30)
DEVICES_AT_A_TIME = 200


def watch_devices(*, actor: Actor, heard_since: datetime | None = None) -> int:
    """Look at the devices heard in the last two hours (or since a moment); give how many are newly suspected."""
    now = timezone.now()
    heard = Device.objects.filter(last_seen_at__gte=heard_since or now - HEARD)
    devices = list(heard.order_by("pk").values_list("pk", flat=True))
    return sum(
        _look(actor, devices[start : start + DEVICES_AT_A_TIME], now - LOOK_BACK)
        for start in range(0, len(devices), DEVICES_AT_A_TIME)
    )


def _look(actor: Actor, devices: Sequence[UUID], since: datetime) -> int:
    """Tell each device's newest doubled number, unless it has been told."""
    doubles = (
        Mutation.objects.filter(device_id__in=devices, received_at__gte=since, device_seq__isnull=False)
        .values("device_id", "device_seq")
        .annotate(times=Count("pk"), first=Min("received_at"), last=Max("received_at"))
        .filter(times__gt=1)
        .order_by("device_id", "-device_seq")
    )
    newest = {row["device_id"]: row for row in reversed(list(doubles))}
    with transaction.atomic():
        told = told_already(newest)
        fresh = [row for pk, row in newest.items() if told.get(pk, -1) < row["device_seq"]]
        for row in fresh:
            data = {key: row[key] if key == "device_seq" else row[key].isoformat() for key in _TOLD}
            log(actor, USED_TWICE, "device", row["device_id"], data)
    return len(fresh)


_TOLD = ("device_seq", "first", "last")
