"""Push throughput, its processor time, and identical pushes at once, next to bare `INSERT … COMMIT`.

    .venv/bin/python -m tests.benchmarks.sync_throughput [--seconds 5] [--rounds 3] [--twins 1000]

PostgreSQL runs with its durable defaults; web server (2 processes), worker, database and load share the machine. The
clients are threads that send prepared bytes over kept connections. Eight officers serve at eight gates; then the same
with all of them at one gate, whose series of numbers has no gaps: the hardest case. Processor time is that of web
server, worker, database and broker until nothing is owed any more. Pulls are measured by `pull_and_snapshots`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
from uuid_utils.compat import uuid7

from tests.blank import new_postgresql_database
from tests.phone import Phone
from tests.reports import plain_report
from tests.services import PostgreSQL, Redis, Service
from tests.stack import Stack

ONE_GATE, GATES = 32, 8
OWED = (
    "SELECT count(*) FROM changes_change WHERE relayed_at IS NULL UNION ALL "
    "SELECT count(*) FROM changes_reaction WHERE done_at IS NULL"
)


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


def run(workers: list[Callable[[float], int]], seconds: float) -> tuple[float, int]:
    """Run the workers side by side until the time is up; gives the sum of their counts per second, and the sum."""
    counts: list[int] = []
    begin = time.monotonic()
    threads = [threading.Thread(target=lambda w=w: counts.append(w(begin + seconds))) for w in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == len(workers), "a client failed"
    return sum(counts) / (time.monotonic() - begin), sum(counts)


def pusher(caller: Caller, version: str, batch: int) -> Callable[[float], int]:
    """Give a worker that pushes reports until a moment; bodies are prepared beforehand."""
    prepared = [caller.push(version, batch) for _ in range(max(4, 4000 // batch))]

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


class Bench:
    """A running stack with its phones, its processes and what has been measured."""

    def __init__(self, stack: Stack, url: str, services: list[Service], told: dict[str, Any]) -> None:
        self.stack, self.url, self.version = stack, url, told["versions"]["plain"]
        self.roots = [p.pid for p in stack.processes.values()] + [guard_of(service) for service in services]
        self.phones = [Phone(stack.url, name=f"phone {n}") for n in range(len(told["codes"]))]
        for phone, code in zip(self.phones, told["codes"], strict=True):
            phone.enrol(code)
        self.rows: dict[str, list[float]] = {}

    def note(self, name: str, value: float) -> None:
        """Keep a figure of this round."""
        self.rows.setdefault(name, []).append(value)

    def baseline(self, seconds: float) -> None:
        """Insert and commit, from one connection and from eight."""
        for clients in (1, 8):
            workers = [inserter(self.url) for _ in range(clients)]
            self.note(f"INSERT+COMMIT, {clients} connections", run(workers, seconds)[0])

    def push(self, name: str, clients: int, batch: int, seconds: float, *, first: int = 0) -> None:
        """Push for some seconds, then wait until the worker owes nothing."""
        callers = [Caller(self.stack, phone) for phone in self.phones[first : first + clients]]
        workers = [pusher(caller, self.version, batch) for caller in callers]
        before = processor_seconds(self.roots)
        rate, count = run(workers, seconds)
        self.settle()
        self.note(name, rate)
        self.note(f"{name}: processor, ms each", (processor_seconds(self.roots) - before) / count * 1000)

    def settle(self) -> None:
        """Wait until every change has been told and every task is done."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            while any(count for (count,) in connection.execute(OWED)):
                time.sleep(0.1)

    def twins(self, rounds: int) -> None:
        """Push one mutation from eight connections at once, again and again; every answer must be sound."""
        callers = [Caller(self.stack, self.phones[0]) for _ in range(8)]
        barrier, wrong = threading.Barrier(8), 0
        requests = [callers[0].push(self.version) for _ in range(rounds)]
        answers: list[list[bytes]] = [[] for _ in callers]

        def send(number: int) -> None:
            for request in requests:
                barrier.wait(30)
                answers[number].append(callers[number].call(request))

        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for round_ in zip(*answers, strict=True):
            verdicts = sorted(json.loads(answer)["results"][0]["status"] for answer in round_)
            wrong += verdicts != ["applied", *["duplicate"] * 7]
        self.note(f"8 identical at once, {rounds} rounds: rounds not 1 applied + 7 duplicate", wrong)


def processor_seconds(roots: list[int]) -> float:
    """Give what the processes below some roots have used so far."""
    total = 0.0
    for pid in roots:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # what has ended is counted with its parent
                used = process.cpu_times()
                total += used.user + used.system + used.children_user + used.children_system
    return total


def guard_of(service: Service) -> int:
    """Give the process under which a service's own run."""
    assert service._guard is not None
    return service._guard.pid


def measure(bench: Bench, options: argparse.Namespace) -> dict[str, float]:
    """Measure everything, round by round interleaved with the baseline; medians."""
    for _ in range(options.rounds):
        bench.baseline(options.seconds)
        bench.push("push one by one, 8 clients", GATES, 1, options.seconds, first=ONE_GATE)
        bench.push("push one by one, 8 clients of one gate", 8, 1, options.seconds)
        bench.push("push one by one, 32 clients of one gate", ONE_GATE, 1, options.seconds)
        bench.push("push batched by 50, 8 clients", GATES, 50, options.seconds, first=ONE_GATE)
        bench.push("push batched by 50, 8 clients of one gate", 8, 50, options.seconds)
    if options.twins:
        bench.twins(options.twins)
    web = psutil.Process(bench.stack.processes["web"].pid)
    for number, process in enumerate(web.children(recursive=True)):
        size = process.memory_info().rss / 1e6
        if size > 60:  # not the process that only tracks resources
            bench.note(f"memory of web process {number}, MB", size)
    return {name: statistics.median(values) for name, values in bench.rows.items()}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--twins", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PostgreSQL() as server, Redis() as redis:
        url = new_postgresql_database(server.url, "bench")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE bench(id uuid PRIMARY KEY, body text)")
        stack = Stack(Path(folder) / "data", database_url=url, broker_url=redis.url)
        told = stack.seed(ONE_GATE, GATES)
        try:
            stack.start_web(workers=2)
            stack.start_worker()
            found = measure(Bench(stack, url, [server, redis], told), options)
        finally:
            stack.stop()
    base = found["INSERT+COMMIT, 8 connections"]
    for name, value in found.items():
        is_rate = ":" not in name and "MB" not in name
        print(f"{name:76} {value:10.2f}{f'  {value / base:6.3f} × baseline' if is_rate else ''}")


if __name__ == "__main__":
    main()
