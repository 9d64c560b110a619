"""How far phones have come, noted beside their pulls: together, seldom, and never in the way of an answer.

A pull leaves its cursor in the memory of its process; at most every 30 seconds one pull writes down what has gathered
there, in one statement. What a process had not written when it ended is lost, and the phone's next pull says it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.accounts.models import Device
from apps.sync.models import DevicePull

logger = structlog.get_logger(__name__)
EVERY_SECONDS = 30.0
MOST = 2000


class _Notes:
    """What has gathered in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pulls: dict[UUID, tuple[datetime, dict[str, int]]] = {}
        self.written_at = 0.0

    def add(self, device: UUID, seqs: Mapping[str, int]) -> dict[UUID, tuple[datetime, dict[str, int]]]:
        """Keep a note; gives all of them when it is time to write."""
        with self.lock:
            self.pulls[device] = (timezone.now(), dict(seqs))
            now = time.monotonic()
            if now - self.written_at < EVERY_SECONDS and len(self.pulls) < MOST:
                return {}
            self.written_at = now
            ready, self.pulls = self.pulls, {}
            return ready


_notes = _Notes()


def note_pull(*, device: UUID | None, seqs: Mapping[str, int]) -> None:
    """Note how far a phone has come; not audited, and a busy database is no reason to refuse."""
    if device is None:
        return
    ready = _notes.add(device, seqs)
    if not ready:
        return
    try:
        with transaction.atomic():
            known = Device.objects.filter(pk__in=list(ready)).values_list("pk", flat=True)
            rows = [DevicePull(device_id=pk, at=ready[pk][0], seqs=ready[pk][1]) for pk in sorted(known)]
            DevicePull.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["device"], update_fields=["at", "seqs"]
            )
    except DatabaseError as error:
        logger.warning("pull.unnoted", error=type(error).__name__, phones=len(ready))
