"""Which tasks each kind of change owes: one table, read by the relay. The only place where kinds meet tasks."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import structlog

from apps.changes.actions import set_wake

log = structlog.get_logger(__name__)

REACTIONS: Mapping[str, Sequence[str]] = {
    "attachment.bound": ("evidence.finalize",),
    "attachment.stored": ("inspections.settle_media", "seizures.issue_receipts", "evidence.derive"),
    "exhibit.recorded": ("reporting.count_custody",),
    "exhibit.sealed": ("reporting.count_custody",),
    "exhibit.stored": ("reporting.count_custody",),
    "exhibit.moved": ("reporting.count_custody",),
    "exhibit.unsealed": ("reporting.count_custody",),
    "exhibit.resealed": ("reporting.count_custody",),
    "exhibit.sent_lab": ("reporting.count_custody",),
    "exhibit.received_lab": ("reporting.count_custody",),
    "exhibit.handover_offered": ("reporting.count_custody",),
    "exhibit.handover_accepted": ("reporting.count_custody",),
    "exhibit.discrepancy": ("reporting.count_custody",),
    "exhibit.decided": ("reporting.count_custody",),
    "exhibit.closed": ("reporting.count_custody",),
    "inspection.submitted": ("reporting.refresh", "inspections.issue_receipts"),
    "inspection.completed": ("reporting.refresh", "inspections.issue_receipts"),
    "inspection.returned": ("reporting.refresh",),
    "inspection.approved": ("reporting.refresh",),
    "inspection.voided": ("reporting.refresh",),
    "list.imported": ("sync.build_snapshots",),
    "seizure.saved": ("reporting.count_seizures",),
    "seizure.flashed": ("reporting.count_seizures", "seizures.issue_receipts"),
    "seizure.reported": ("reporting.count_seizures", "seizures.issue_receipts"),
    "seizure.submitted": ("reporting.count_seizures", "seizures.issue_receipts"),
    "seizure.amended": ("reporting.count_seizures", "seizures.issue_receipts"),
    "seizure.lab_recorded": ("reporting.count_seizures", "seizures.issue_receipts"),
    "seizure.unit_verified": ("reporting.count_seizures",),
    "seizure.region_verified": ("reporting.count_seizures",),
    "seizure.accepted": ("reporting.count_seizures",),
    "seizure.lab_confirmed": ("reporting.count_seizures",),
    "seizure.closed": ("reporting.count_seizures",),
    "seizure.returned": ("reporting.count_seizures",),
    "seizure.voided": ("reporting.count_seizures",),
    "seizure.merged": ("reporting.count_seizures",),
    "seizure.joined": ("reporting.count_seizures",),
    "seizure.parted": ("reporting.count_seizures",),
}


class RelayWaker:
    """Tells the worker that the outbox has something, from a thread of its own: a request never waits for a broker.

    The first change after a quiet time is told at once (`pause`, seconds), further ones together after `rest`: a
    busy hour then costs the worker one round a second instead of twenty.
    """

    def __init__(self, *, pause: float = 0.05, rest: float = 1.0) -> None:
        self._pause = pause
        self._rest = rest
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Ask for one relay soon; many calls within the pause become one message."""
        self._event.set()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="relay-waker", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._event.wait()
            threading.Event().wait(self._pause)
            self._event.clear()
            try:
                from backend.celery import app  # noqa: PLC0415  Celery is slow to load, and few processes need it

                app.send_task("changes.relay", expires=30)
            except Exception as error:  # noqa: BLE001  whatever a broker raises: the sweep makes it good
                log.warning("relay.broker_unreachable", error=type(error).__name__)
            threading.Event().wait(self._rest)


def connect() -> None:
    """Wake the relay after each commit; it finds the table through `settings.REACTIONS`."""
    set_wake(RelayWaker().wake)
