"""Case 44 at full size: a large list is imported again, half of it changed, while phones pull it.

    .venv/bin/python -m tests.benchmarks.import_meanwhile [--rows 1000000] [--phones 50]

Each phone begins at the head, pulls pages of 5,000 rows as fast as it gets them, and looks again every half second when
there is nothing new. Printed: how long the import took, how long a pull took meanwhile, and how many of the rows that
were changed a phone was not given; that must be none. Ends with 1 if a row was missed or a pull failed.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import orjson
import psycopg

from tests.benchmarks.pull_and_snapshots import Bench, Getter, inflated
from tests.blank import new_postgresql_database
from tests.phone import Phone
from tests.services import PostgreSQL, Redis
from tests.stack import Stack

NAME = "ports"


class PullingPhone:
    """A phone that pulls a list again and again, and notes which entries it was given as moved, and in what time."""

    def __init__(self, bench: Bench, phone: Phone, size: int) -> None:
        self.caller = Getter(bench.stack, phone)
        self.cursor = bench.cursor(phone, **{NAME: bench.heads()[f"list:{NAME}"]})
        self.moved = bytearray(size)
        self.taken: list[float] = []
        self.words: set[str] = set()
        self.failure = ""

    def pull(self) -> bool:
        """Take a page; tells whether there is more."""
        request = self.caller.pull(cursor=self.cursor, limit=5000)
        begin = time.perf_counter()
        answer = self.caller.call(request)
        self.taken.append((time.perf_counter() - begin) * 1000)
        told = orjson.loads(inflated(answer))
        for row in told["changes"]:
            _, number, *words = row["body"]["label"]["en"].split()
            self.moved[int(number)] = 1
            self.words.update(words)
        self.cursor = told["cursor"]
        return bool(told["more"])

    def run(self, stop: threading.Event) -> None:
        """Pull until told to stop, then to the head."""
        try:
            while not stop.is_set():
                if not self.pull():
                    time.sleep(0.5)
            while self.pull():
                pass
        except (AssertionError, OSError, ValueError) as error:
            self.failure = repr(error)[:300]


def import_meanwhile(bench: Bench, phones: list[Phone], size: int) -> bool:
    """Change half of the list while phones pull it; tells whether every phone was given every change."""
    stop = threading.Event()
    path = bench.write_list(NAME, size, changed=size // 2, mark="moved")
    pulling = [PullingPhone(bench, phone, size) for phone in phones]
    threads = [threading.Thread(target=phone.run, args=(stop,)) for phone in pulling]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    done = bench.load_list(NAME, path)
    print(f"import of {size:,} rows during {len(phones)} pulling phones: {_since(begin)}, {done}", flush=True)
    _latencies("pulls meanwhile", [taken for phone in pulling for taken in phone.taken])
    stop.set()
    for thread in threads:
        thread.join()
    _latencies("pulls in all", [taken for phone in pulling for taken in phone.taken])
    missed = sum(size // 2 - sum(phone.moved) for phone in pulling)
    failures = [phone.failure for phone in pulling if phone.failure]
    print(
        f"  rows missed: {missed:,} of {len(phones) * (size // 2):,}; all at the head after {_since(begin)}"
    )
    print(f"  words seen: {sorted(set().union(*(phone.words for phone in pulling)))}")
    print(f"  failures: {len(failures)} {failures[:1]}")
    return not missed and not failures


def _latencies(name: str, taken: list[float]) -> None:
    taken = sorted(taken)
    middle, late = statistics.median(taken), taken[len(taken) * 99 // 100]
    print(f"  {len(taken):,} {name}: median {middle:.0f} ms, 99 % {late:.0f} ms, longest {taken[-1]:.0f} ms")


def _since(begin: float) -> str:
    return f"{time.monotonic() - begin:.0f} s"


def digest_agrees(bench: Bench) -> None:
    """Compare count and digest of a list with its rows."""
    total = count = 0
    with psycopg.connect(bench.url) as connection, connection.cursor(name="rows") as cursor:
        cursor.execute(
            "SELECT kind, oid, rev FROM changes_entry WHERE stream_id = %s AND op = 'put'", [f"list:{NAME}"]
        )
        for kind, oid, rev in cursor:
            total += int.from_bytes(hashlib.sha256(f"{kind}|{oid}|{rev}".encode()).digest()[:7], "big") >> 3
            count += 1
    told = bench.database.execute(
        "SELECT n, h FROM changes_stream WHERE id = %s", [f"list:{NAME}"]
    ).fetchone()
    assert told == (count, total & ((1 << 53) - 1)), "count and digest agree"
    print(f"  count and digest of the stream agree with its {count:,} rows")


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--phones", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PostgreSQL() as server, Redis() as redis:
        url = new_postgresql_database(server.url, "bench")
        stack = Stack(Path(folder) / "data", database_url=url, broker_url=redis.url)
        told = stack.seed(options.phones)
        bench = Bench(stack, url, Path(folder), options)
        try:
            stack.start_web(workers=2)
            phones = [Phone(stack.url, name=f"phone {n}") for n in range(options.phones)]
            for phone, code in zip(phones, told["codes"], strict=True):
                phone.enrol(code)
                phone.pull()
            begin = time.monotonic()
            done = bench.load_list(NAME, bench.write_list(NAME, options.rows))
            print(f"first import of {options.rows:,} rows: {_since(begin)}, {done}", flush=True)
            is_sound = import_meanwhile(bench, phones, options.rows)
            digest_agrees(bench)
            print(f"  memory of the larger web process: {bench.rss():.0f} MB")
        finally:
            bench.database.close()
            stack.stop()
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
