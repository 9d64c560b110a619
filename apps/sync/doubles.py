"""Reads about phones that may be two: numbers of mutations that were used twice, as the audit has them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from apps.accounts.models import Device
from apps.audit.models import Event
from apps.common.actor import Actor

USED_TWICE = "device.used_twice"


def told_already(devices: Iterable[UUID]) -> dict[UUID, int]:
    """Give the highest doubled number that the audit knows of each device."""
    events = Event.objects.filter(record_kind="device", oid__in=list(devices), action=USED_TWICE)
    known: dict[UUID, int] = {}
    for device, data in events.values_list("oid", "data"):
        if device is not None:
            known[device] = max(known.get(device, -1), int(data.get("device_seq", -1)))
    return known


def suspected_copies(actor: Actor, devices: Iterable[UUID]) -> set[UUID]:
    """Give those of the devices, as far as this person may know of them, whose store was probably copied."""
    seen = Device.objects.visible_to(actor).filter(pk__in=list(devices))
    return set(told_already(seen.values_list("pk", flat=True)))
