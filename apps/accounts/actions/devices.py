"""Shutting a device out, and letting it in again; both count from its next request."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from apps.accounts.actions.sessions import end_open_sessions
from apps.accounts.errors import DeviceStateChanged
from apps.accounts.models import Device
from apps.accounts.queries import units_of
from apps.accounts.rules import check_manages_device
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.common.actor import Actor
from apps.common.text import clean_text

DEVICE = "device"
State = Device.State


@transaction.atomic
def report_device_lost(*, actor: Actor, device: Device, reason: str = "") -> Device:
    """Tell the device to wipe itself at its next contact; by its officer, their leader or an administrator.

    There is no way back: a phone that turns up is enrolled anew. Raises NotAllowed and DeviceStateChanged.
    """
    return _move(actor, device, State.LOST, (State.ENROLLED, State.SUSPENDED), reason)


@transaction.atomic
def suspend_device(*, actor: Actor, device: Device, reason: str = "") -> Device:
    """Shut the device out without wiping it. Raises NotAllowed and DeviceStateChanged."""
    return _move(actor, device, State.SUSPENDED, (State.ENROLLED,), reason)


@transaction.atomic
def reinstate_device(*, actor: Actor, device: Device, reason: str = "") -> Device:
    """Let a suspended device in again; the officer signs in on it, and cannot do this alone.

    Raises NotAllowed, SecondPersonNeeded and DeviceStateChanged.
    """
    return _move(actor, device, State.ENROLLED, (State.SUSPENDED,), reason)


_CHANGES = {
    State.LOST: "device.lost",
    State.SUSPENDED: "device.suspended",
    State.ENROLLED: "device.reinstated",
}


def _move(actor: Actor, device: Device, target: State, sources: Collection[State], reason: str) -> Device:
    device = Device.objects.select_for_update().get(pk=device.pk)
    check_manages_device(
        actor, device.officer_id, units_of(device.officer_id), is_reinstating=target == State.ENROLLED
    )
    if device.state not in sources:
        raise DeviceStateChanged(current={"state": device.state})
    device.state = target
    device.save(update_fields=["state"])
    if target != State.ENROLLED:
        end_open_sessions(device, f"device-{target}", timezone.now())
    log(actor, _CHANGES[target], DEVICE, device.pk, {"reason": clean_text(reason)[:500]})
    record(actor, Item(_CHANGES[target], DEVICE, device.pk, 1, data={"officer": str(device.officer_id)}))
    return device
