"""What the ledger costs: numbering, verifying, and what an action costs more for being audited.

    .venv/bin/python -m tests.benchmarks.ledger [--events 1000000] [--actions 2000] [--sqlite]

Wanted: 1,000,000 events verified in 60 s, 2,000 numbered in a second, an action dearer by less than 5 % with its event.
Events are written in bulk first; that time is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.blank import new_postgresql_database
from tests.services import PostgreSQL

if TYPE_CHECKING:
    from tests.work import Work


def main() -> int:
    """Measure and print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--sqlite", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, contextlib.ExitStack() as stack:
        url = "" if options.sqlite else _database(stack)
        os.environ |= {
            "HAIDANG_DATA_DIR": data,
            "HAIDANG_DATABASE_URL": url,
            "HAIDANG_SECRET_KEY": "only-for-tests-" + "0" * 40,
            "HAIDANG_ALLOWED_HOSTS": "localhost",
            "HAIDANG_HTTPS": "0",
            "DJANGO_SETTINGS_MODULE": "backend.settings",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0, interactive=False)
        _audited(options.actions)
        _ledger(options.events)
        connections.close_all()
    return 0


def _database(stack: contextlib.ExitStack) -> str:
    server = PostgreSQL().start()
    stack.callback(server.stop)
    return new_postgresql_database(server.url, "ledger")


def _ledger(count: int) -> None:
    from apps.audit.actions import sequence_events, sign_head
    from apps.audit.checking import Checked, check_ledger
    from apps.audit.models import Leaf

    _write(count)
    start = time.perf_counter()
    while sequence_events():
        pass
    seconds = time.perf_counter() - start
    numbered = Leaf.objects.count()
    print(f"numbering: {numbered} events in {seconds:.1f} s, {numbered / seconds:.0f} per second")
    sign_head()
    sequence_events()
    sign_head()
    checked = Checked()
    start, own = time.perf_counter(), time.process_time()
    found = list(check_ledger(checked))
    seconds, own = time.perf_counter() - start, time.process_time() - own
    print(
        f"verifying: {checked.events} events in {seconds:.1f} s ({own:.1f} s of processor time in this process), "
        f"{len(found)} findings"
    )


def _write(count: int) -> None:
    import orjson
    from django.utils import timezone

    from apps.audit.models import Event
    from apps.audit.rules.sealing import leaf_hash
    from apps.common.records import new_id

    batch = []
    for _ in range(count):
        data = {"rev": 1, "state": "complete", "sha256": "0" * 64, "version": 1, "content_sha256": "0" * 64}
        row = {
            "id": new_id(),
            "at": timezone.now(),
            "actor_id": new_id(),
            "device_id": new_id(),
            "request_id": "0192f0c1-0000-7000-8000-000000000000",
            "action": "inspection.submitted",
            "record_kind": "inspection",
            "oid": new_id(),
            "note": "",
            "data": data,
        }
        body, salt = orjson.dumps(row), os.urandom(16)
        batch.append(Event(**row, body=body, salt=salt, leaf_hash=leaf_hash(salt, body)))
        if len(batch) == 5000:
            Event.objects.bulk_create(batch, batch_size=1000)
            batch.clear()
    Event.objects.bulk_create(batch, batch_size=1000)


def _audited(count: int) -> None:
    """Time submissions with their audit events and with none, in turns, so that a busy machine harms both alike."""
    from apps.changes.actions import set_wake
    from tests.cast import Cast
    from tests.work import Work

    set_wake(lambda: None)  # no worker is told: it would work beside
    work = Work(Cast())
    submissions = _Submissions(work)
    submissions.several(ROUND)  # fills what is kept between actions
    turns = [_turn(submissions) for _ in range(max(count // ROUND, 2))]
    bare = statistics.median(without for _, without in turns)
    dearer = statistics.median(audited - without for audited, without in turns)
    print(
        f"one submission, {len(turns)} turns of {ROUND}: {1e6 * bare:.0f} µs without its audit event, "
        f"median of the differences {1e6 * dearer:+.0f} µs: {100 * dearer / bare:+.1f} %"
    )


ROUND = 25


class _Submissions:
    """Submits reports of one officer, each in a transaction as `push` opens it."""

    def __init__(self, work: Work) -> None:
        self.actor, self.fields = work.cast.officer.actor(), work.fields()

    def several(self, count: int) -> float:
        """Submit; gives the seconds that one took."""
        from apps.common.records import new_id
        from apps.common.transactions import whole
        from apps.inspections.actions import submit_inspection

        start = time.perf_counter()
        for _ in range(count):
            with whole():
                submit_inspection(actor=self.actor, report_id=new_id(), base_rev=None, fields=self.fields)
        return (time.perf_counter() - start) / count


def _turn(submissions: _Submissions) -> tuple[float, float]:
    """Give the seconds of a submission with its event and without, the order by chance."""
    if random.random() < 0.5:
        audited = submissions.several(ROUND)
        with _no_audit():
            return audited, submissions.several(ROUND)
    with _no_audit():
        bare = submissions.several(ROUND)
    return submissions.several(ROUND), bare


@contextlib.contextmanager
def _no_audit() -> Iterator[None]:
    """Write no event, whichever module asks for one."""
    from apps.audit.actions import log

    holders = [m for m in list(sys.modules.values()) if getattr(m, "log", None) is log]
    for module in holders:
        module.log = lambda *_, **__: None  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in holders:
            module.log = log  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
