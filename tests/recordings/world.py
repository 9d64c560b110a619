"""The server's side of a recording: people, a published checklist, a photo; and how requests are filled in and sent."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from dataclasses import replace
from typing import Any
from uuid import UUID

from rest_framework.test import APIClient

from apps.accounts.actions import report_device_lost, suspend_device
from apps.accounts.models import Device
from apps.common.records import new_id
from apps.evidence import tasks
from apps.inspections import actions as inspections
from backend.reactions import REACTIONS
from tests import evidence_images
from tests.cast import PASSWORD, Cast, Key
from tests.work import Work

_PLACE = re.compile(r"\{\{([^{}]+)\}\}")


class World:
    """One officer's phone and the server; `known` holds what the placeholders of a recording mean."""

    def __init__(self, cast: Cast, settings: Any) -> None:
        self.cast, self.settings = cast, settings
        self.key = Key()
        self.photo = evidence_images.noisy_jpeg(60_000)
        self.client = APIClient(raise_request_exception=False)
        self.known: dict[str, str] = {
            "version": Work(cast).version,
            "code": cast.officer.code(),
            "posting": str(cast.officer.posting.pk),
            "username": cast.officer.officer.username,
            "password": PASSWORD,
            "public_key": self.key.public,
            "photo_sha256": hashlib.sha256(self.photo).hexdigest(),
            "photo_size": str(len(self.photo)),
        }

    def filled(self, value: Any) -> Any:
        """Put what placeholders mean into a request or an expectation."""
        if isinstance(value, str):
            return _PLACE.sub(lambda found: self._meaning(found.group(1)), value)
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"$sign"}:
            return self.key.sign(self.filled(value["$sign"]).encode())
        if set(value) == {"$number"}:
            return int(self.filled(value["$number"]))
        return {self.filled(key): self.filled(item) for key, item in value.items()}

    def named(self, text: str) -> str:
        """Put names in the place of what is known by one: the reverse of `filled`."""
        if text == self.known["photo_size"]:
            return "{{photo_size}}"
        for name, meaning in self.known.items():
            if len(meaning) >= 12:
                text = text.replace(meaning, f"{{{{{name}}}}}")
        return text

    def send(self, step: dict[str, Any]) -> Any:
        """Send one request of a recording; gives the answer."""
        headers = self.filled(step["headers"])
        if "bytes" in step:
            begin, end = step["bytes"]
            data, kind = self.photo[begin:end], headers.pop("Content-Type", "")
        else:
            body = self.filled(step.get("body"))
            data, kind = (b"" if body is None else json.dumps(body).encode()), "application/json"
            kind = headers.pop("Content-Type", kind if data else "")
        send: Any = self.client.generic
        more = {"CONTENT_LENGTH": str(len(data))} if data or kind else {}
        return send(
            step["method"], self.filled(step["path"]), data, content_type=kind, headers=headers, **more
        )

    def keep(self, names: dict[str, str], answer: Any) -> None:
        """Keep parts of an answer under names: `header:Location`, or a path through the JSON."""
        for name, where in names.items():
            if where.startswith("header:"):
                self.known[name] = answer.headers[where.removeprefix("header:")]
                continue
            found: Any = answer.json()
            for key in where.split("."):
                found = found[int(key)] if isinstance(found, list) else found[key]
            self.known[name] = str(found)

    def happen(self, what: str) -> None:
        """Let something happen on the server: what a leader decides, or an operator sets."""
        kind, _, which = what.partition(" ")
        on_report: Any = {"actor": self.cast.leader.actor()}
        if which in self.known and kind in {"review", "return"}:
            on_report["report_id"] = UUID(self.known[which])
        device: Any = {"actor": self.cast.leader.actor(), "reason": "Mất máy"}
        deeds: dict[str, Any] = {
            "review": lambda: inspections.start_review(**on_report),
            "return": lambda: inspections.return_for_correction(
                **on_report, notes=[{"step_key": "step_3", "text": "Ghi rõ hơn."}], note="Bổ sung"
            ),
            "suspend": lambda: suspend_device(**device, device=self._device()),
            "lose": lambda: report_device_lost(**device, device=self._device()),
            "minimum": lambda: setattr(self.settings, "MINIMUM_APP_VERSION", which),
            "minimum-of-submissions": lambda: setattr(
                self.settings, "MIN_APP_VERSIONS", {"inspection.submit": tuple(map(int, which.split(".")))}
            ),
            "write-elsewhere": lambda: self._write_elsewhere(which),
            "work": self._work_off,
        }
        deeds[kind]()

    def _write_elsewhere(self, report: str) -> None:
        """Let the officer write a remark on another phone."""
        officer = self.cast.officer
        actor = replace(officer.actor(), device_id=officer.another_phone().device.pk)
        pk = UUID(self.known[report])
        inspections.save_inspection(actor=actor, report_id=pk, base_rev=1, fields={"remarks": "một"})

    def _device(self) -> Device:
        return Device.objects.get(pk=self.known["device_id"])

    def _work_off(self) -> None:
        from apps.changes.actions import relay

        def send(task: str, ids: list[int]) -> None:
            if task.startswith("evidence."):
                getattr(tasks, task.partition(".")[2])(ids)

        while relay(REACTIONS, send):
            pass

    def _meaning(self, name: str) -> str:
        kind, _, rest = name.partition(":")
        makers: dict[str, Any] = {
            "ago": lambda: self.known.setdefault(name, _ago(int(rest))),
            "sha256": lambda: hashlib.sha256(self._meaning(rest).encode()).hexdigest(),
            "base64": lambda: base64.b64encode(self._meaning(rest).encode()).decode(),
            "plain": lambda: self._meaning(rest).upper().replace("-", ""),
            "long": lambda: "x" * int(rest),
            "new": lambda: self.known.setdefault(rest, str(new_id())),
        }
        return str(makers[kind]()) if kind in makers else self.known[name]


def _ago(seconds: int) -> str:
    """Write a moment as a phone does; asked once, so that what is sent again is the same."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - seconds))
