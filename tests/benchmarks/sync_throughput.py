"""Push throughput and pull latency on PostgreSQL with two web processes, next to bare `INSERT … COMMIT`.

    .venv/bin/python -m tests.benchmarks.sync_throughput [--seconds 5] [--rounds 3]

PostgreSQL runs with its durable defaults; server, database and load share the machine. The clients are threads that
send prepared bytes over kept connections, so that what is measured is the server.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from uuid_utils.compat import uuid7

from tests.phone import Phone
from tests.reports import plain_report
from tests.services import PostgreSQL, Redis
from tests.stack import Stack, new_postgresql_database

CLIENTS = (8, 32)


class Caller:
    """One kept connection that sends prepared requests and counts answers."""

    def __init__(self, stack: Stack, phone: Phone) -> None:
        self.phone = phone
        self.socket = socket.create_connection(("127.0.0.1", stack.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def prepare(self, path: str, body: object) -> bytes:
        """Give the bytes of a POST."""
        data = json.dumps(body).encode()
        own = self.phone.headers() | {"Host": "127.0.0.1", "Content-Type": "application/json"}
        lines = [f"POST /mobile/v1{path} HTTP/1.1", *(f"{k}: {v}" for k, v in own.items())]
        return "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""]).encode() + data

    def call(self, request: bytes) -> bytes:
        """Send a prepared request; gives the body of a 200, fails on anything else."""
        self.socket.sendall(request)
        status = self.reader.readline()
        length = 0
        while (line := self.reader.readline()) not in {b"\r\n", b""}:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = self.reader.read(length)
        assert b" 200" in status, (status, body[:500])
        return body

    def push(self, version: str, number: int = 1) -> bytes:
        """Prepare a push of new reports with twenty answers each."""
        mutations = [
            {
                "id": str(uuid7()),
                "type": "inspection.submit",
                "object": str(uuid7()),
                "base_rev": None,
                "fields": plain_report(version),
            }
            for _ in range(number)
        ]
        return self.prepare("/sync/push", {"device_id": self.phone.get("device_id"), "mutations": mutations})


def run(workers: list[Callable[[float], int]], seconds: float) -> float:
    """Run the workers side by side until the time is up; gives the sum of their counts per second."""
    counts: list[int] = []
    begin = time.monotonic()
    threads = [threading.Thread(target=lambda w=w: counts.append(w(begin + seconds))) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == len(workers), "a client failed"
    return sum(counts) / (time.monotonic() - begin)


def pusher(caller: Caller, version: str, batch: int) -> Callable[[float], int]:
    """Give a worker that pushes reports until a moment; bodies are prepared beforehand."""
    prepared = [caller.push(version, batch) for _ in range(max(4, 1200 // batch))]

    def work(until: float) -> int:
        done = 0
        for request in prepared:
            if time.monotonic() >= until:
                break
            answer = caller.call(request)
            assert answer.count(b'"applied"') == batch, answer[:500]
            done += batch
        return done

    return work


def inserter(url: str) -> Callable[[float], int]:
    """Give a worker that inserts one row and commits, until a moment."""
    connection = psycopg.connect(url, autocommit=True)

    def work(until: float) -> int:
        done = 0
        while time.monotonic() < until:
            connection.execute("INSERT INTO bench(id, body) VALUES (%s, %s)", (uuid7(), "x" * 800))
            done += 1
        connection.close()
        return done

    return work


def latencies(caller: Caller, request: bytes, times: int) -> list[float]:
    """Time a request again and again; seconds."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        caller.call(request)
        taken.append(time.perf_counter() - begin)
    return taken


def measure(stack: Stack, told: dict[str, Any], url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything, round by round interleaved with the baseline; medians."""
    phones = []
    for number, code in enumerate(told["codes"]):
        phone = Phone(stack.url, name=f"phone {number}")
        phone.enrol(code)
        phones.append(phone)
    version = told["versions"]["plain"]
    rows: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        rows.setdefault(name, []).append(value)

    for _ in range(options.rounds):
        for clients in (1, 8):
            note(
                f"INSERT+COMMIT, {clients} connections",
                run([inserter(url) for _ in range(clients)], options.seconds),
            )
        for clients in CLIENTS:
            callers = [Caller(stack, phone) for phone in phones[:clients]]
            note(
                f"push one by one, {clients} clients",
                run([pusher(c, version, 1) for c in callers], options.seconds),
            )
        callers = [Caller(stack, phone) for phone in phones[:8]]
        note("push batched by 50, 8 clients", run([pusher(c, version, 50) for c in callers], options.seconds))
        caller = Caller(stack, phones[0])
        phones[0].pull()
        idle = caller.prepare("/sync/pull", {"cursor": phones[0].get("cursor")})
        note("idle pull, ms (median)", statistics.median(latencies(caller, idle, 400)) * 1000)
        for _ in range(2):
            caller.call(caller.push(version, 50))
        changed = caller.prepare("/sync/pull", {"cursor": phones[0].get("cursor")})
        note("pull of 100 changes, ms (median)", statistics.median(latencies(caller, changed, 100)) * 1000)
    return {name: statistics.median(values) for name, values in rows.items()}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PostgreSQL() as server, Redis() as redis:
        url = new_postgresql_database(server.url, "bench")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bench(id uuid PRIMARY KEY, body text)")
        stack = Stack(Path(folder) / "data", database_url=url, broker_url=redis.url)
        told = stack.seed(max(CLIENTS))
        try:
            stack.start_web(workers=2)
            found = measure(stack, told, url, options)
        finally:
            stack.stop()
    base = found["INSERT+COMMIT, 8 connections"]
    for name, value in found.items():
        ratio = f"{value / base:8.3f} × baseline" if "ms" not in name else ""
        print(f"{name:36} {value:10.1f} {ratio}")


if __name__ == "__main__":
    main()
