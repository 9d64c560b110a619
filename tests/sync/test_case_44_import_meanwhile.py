"""Case 44. A large import runs while phones pull.

Expected: no phone gets an error or waits for the import; each sees every row as it was or as it is; whenever a stream
is complete, count and digest agree (`Pocket` insists), and at the end all hold what the file holds. Here 5 phones and
1,200 rows; a million rows and 50 phones in `tests/benchmarks/import_meanwhile.py`.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from apps.common.actor import Actor
from apps.reference.actions import importing
from apps.sync import snapshots
from tests.cast import Cast
from tests.sync.large import STREAM, Ports
from tests.work import Pocket, check_feed

PHONES, ROWS = 5, 1200


class Puller:
    """A phone that pulls again and again until told to stop, from nothing every other time."""

    def __init__(self, actor: Actor, stop: threading.Event) -> None:
        self.actor, self.stop = actor, stop
        self.pocket = Pocket()
        self.seen: set[str] = set()
        self.pulls = 0
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                if self.pulls % 2:
                    self.pocket = Pocket()
                self.pocket.pull(self.actor, rows=500)
                self.seen |= {
                    body["label"]["en"] for _, body in self.pocket.of_kind("reference_entry").values()
                }
                self.pulls += 1
            self.pocket.pull(self.actor)
        except Exception as error:  # noqa: BLE001  told to the test
            self.error = error
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_case_44_an_import_while_phones_pull(
    ports: Ports, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 100)
    ports.rows = {f"P{number:05}": "one" for number in range(ROWS)}
    ports.load()
    actor, stop = cast.officer.actor(), threading.Event()
    pullers = [Puller(actor, stop) for _ in range(PHONES)]
    try:
        ports.change([f"P{number:05}" for number in range(0, ROWS, 2)], "two")
        ports.rows |= {f"Q{number:05}": "new" for number in range(300)}
        for number in range(1, 600, 2):
            del ports.rows[f"P{number:05}"]
        done = ports.load()
        assert snapshots.build_snapshot(STREAM), "a snapshot is built beside the pulls as well"
    finally:
        stop.set()
        for puller in pullers:
            puller.thread.join()
    assert [puller.error for puller in pullers if puller.error] == []
    assert (done.changed, done.left) == (ROWS // 2 + 300, 300)
    assert sum(puller.pulls for puller in pullers) > PHONES, "they pulled meanwhile"
    for puller in pullers:
        assert puller.seen <= {"Port one", "Port two", "Port new"}
        assert _labels(puller.pocket) == ports.labels()
    check_feed()


def _labels(pocket: Pocket) -> dict[str, Any]:
    return {body["key"]: body["label"]["en"] for _, body in pocket.of_kind("reference_entry").values()}
