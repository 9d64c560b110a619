"""Are devices what the server stated at their enrolment, and were they let in at the time? For `verify_evidence`."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

import orjson

from apps.accounts.models import Device
from apps.audit.checking import signed_by_known
from apps.audit.models import Event
from apps.audit.queries import KnownKey
from apps.audit.rules.findings import Finding


class Devices:
    """The devices that were asked for, each with its audit events, loaded once."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[Device, list[Event]] | None] = {}
        self._checked: set[UUID] = set()

    def get(self, pk: UUID) -> Device | None:
        """Give a device, or None when its row is gone."""
        if pk not in self._known:
            device = Device.objects.filter(pk=pk).first()
            events = Event.objects.filter(record_kind="device", oid=pk).order_by("id")
            self._known[pk] = (device, list(events)) if device else None
        known = self._known[pk]
        return known[0] if known else None

    def was_shut_out(self, device: Device, at: datetime) -> bool:
        """Tell whether the device was reported lost, or suspended and not yet let in again, at a moment."""
        known = self._known[device.pk]
        is_out = False
        for event in known[1] if known else ():
            if event.at < at and event.action in _MOVES:
                is_out = _MOVES[event.action]
        return is_out

    def check_statement(self, device: Device, keys: Mapping[str, KnownKey]) -> Iterator[Finding]:
        """Check, once, what the server stated about a device: signed by a key of ours, and still what the row says."""
        if device.pk in self._checked:
            return
        self._checked.add(device.pk)
        place = f"device {device.pk}"
        try:
            kept = orjson.loads(device.statement)
            statement, signature = base64.b64decode(kept["statement"]), base64.b64decode(kept["signature"])
            said = orjson.loads(statement)
            at = datetime.fromisoformat(said["enrolled_at"])
        except (ValueError, KeyError, TypeError):
            yield Finding("device-statement", place, "it cannot be read")
            return
        wrong = signed_by_known(keys, said.get("key_id", ""), at, signature, statement)
        if wrong:
            yield Finding("device-statement", place, wrong)
        now = {
            "device_id": str(device.pk),
            "officer_id": str(device.officer_id),
            "public_key": device.public_key,
            "enrolled_at": device.enrolled_at.isoformat(),
        }
        for name, value in now.items():
            if said.get(name) != value:
                yield Finding("device-statement", place, name)


_MOVES = {"device.lost": True, "device.suspended": True, "device.reinstated": False}
