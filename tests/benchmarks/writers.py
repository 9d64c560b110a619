"""Writers for the benchmark of pulls: each commit takes a random 0–20 ms, some of it while the stream is held.

Run as `python -m tests.benchmarks.writers <stream> <writers> <commits>` in the stack's environment.
"""

from __future__ import annotations

import random
import sys
import threading
import time

import django


def main() -> None:
    """Write, and end when all have committed."""
    django.setup()
    from django.db import connection, transaction

    from apps.changes.actions import Item, record, set_wake
    from apps.common.actor import SYSTEM
    from apps.common.records import new_id

    stream, count, commits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    set_wake(lambda: None)

    def write(number: int) -> None:
        dice = random.Random(number)
        for _ in range(commits // count + (number < commits % count)):
            pause = dice.uniform(0, 0.02)
            holds = dice.random() < 0.02  # rarely while the stream's row is held: all others wait for it
            with transaction.atomic():
                if not holds:
                    time.sleep(pause)
                record(
                    SYSTEM, Item("bench.written", "bench", new_id(), 1, body={"n": number}, streams=[stream])
                )
                if holds:
                    time.sleep(pause)
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
