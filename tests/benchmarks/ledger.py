"""What the ledger costs: numbering, verifying, and sealing an event.

    .venv/bin/python -m tests.benchmarks.ledger [--events 1000000] [--actions 2000] [--sqlite]

Events are written in bulk first; that time is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time

from tests.services import PostgreSQL
from tests.stack import new_postgresql_database


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
    """Time what sealing adds to the row that the audit wrote before, in the same transaction."""
    from django.utils import timezone

    from apps.audit.actions import log
    from apps.common.actor import SYSTEM
    from apps.common.records import new_id
    from apps.common.sql import with_commit

    data = {"rev": 1, "state": "complete", "version": 1}
    start = time.perf_counter()
    for _ in range(count):
        with with_commit():
            log(SYSTEM, "inspection.submitted", "inspection", new_id(), data)
    print(f"one event in a transaction of its own: {1e6 * (time.perf_counter() - start) / count:.0f} µs")
    import orjson

    from apps.audit.rules.sealing import leaf_hash

    row = {
        "id": new_id(),
        "at": timezone.now(),
        "actor_id": new_id(),
        "data": data,
        "note": "",
        "action": "x" * 20,
    }
    start = time.perf_counter()
    for _ in range(count * 10):
        leaf_hash(os.urandom(16), orjson.dumps(row))
    print(f"sealing alone: {1e6 * (time.perf_counter() - start) / count / 10:.1f} µs")


if __name__ == "__main__":
    sys.exit(main())
