"""How many phones can wait, what each costs, how soon they hear of a change, and what pushes feel of them.

    .venv/bin/python -m tests.benchmarks.waiting_phones [--phones 1000] [--seconds 4]

One web process with 8 threads on PostgreSQL with its durable defaults; server, database and load share the machine.
"""

from __future__ import annotations

import argparse
import json
import select
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.sync_throughput import Caller, pusher, run
from tests.blank import new_postgresql_database
from tests.phone import Phone
from tests.services import PostgreSQL, Redis
from tests.stack import Stack

THREADS = 8


def usage(pid: int) -> tuple[float, float]:
    """Give CPU seconds and resident megabytes of the web processes."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    seconds = sum(p.cpu_times().user + p.cpu_times().system for p in family)
    return seconds, max(p.memory_info().rss for p in family) / 1e6


def wait_for(caller: Caller, phone: Phone, seconds: int) -> None:
    """Begin a pull that waits."""
    caller.socket.sendall(caller.prepare("/sync/pull", {"cursor": phone.get("cursor"), "wait": seconds}))


def answers(callers: list[Caller], seconds: float) -> list[float]:
    """Read the answers of all; gives when each came, in seconds from now."""
    began, came, left = time.monotonic(), [], {c.socket: c for c in callers}
    while left and time.monotonic() < began + seconds:
        for ready in select.select(list(left), [], [], 0.5)[0]:
            data = ready.recv(65536)
            assert b" 200 " in data[:20], data[:300]
            came.append(time.monotonic() - began)
            del left[ready]
    return came


def measure(stack: Stack, told: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Measure pushes without and with waiting phones, then wake them."""
    phones = [Phone(stack.url, name=f"phone {i}") for i in range(8)]
    for phone, code in zip(phones, told["codes"], strict=False):
        phone.enrol(code)
        phone.pull()
    pid = stack.processes["web"].pid
    found: dict[str, Any] = {}
    pushers, waiters = phones[:4], phones[4:]

    def pushed() -> tuple[float, float]:
        before, began = usage(pid)[0], time.monotonic()
        callers = [Caller(stack, phone) for phone in pushers]
        rate, _ = run([pusher(c, told["versions"]["plain"], 1) for c in callers], options.seconds)
        return rate, (usage(pid)[0] - before) / (rate * (time.monotonic() - began)) * 1000

    pushed()
    found["pushes/s and ms CPU each, nobody waits"] = pushed()
    memory = usage(pid)[1]
    waiting = [(Caller(stack, waiters[i % 4]), waiters[i % 4]) for i in range(options.phones)]
    began, before = time.monotonic(), usage(pid)[0]
    for caller, phone in waiting:
        wait_for(caller, phone, 25)
    probe = Caller(stack, pushers[0])
    probe.call(probe.push(told["versions"]["plain"]))  # behind all of them in the queue
    found["seconds until all wait"] = time.monotonic() - began
    found["ms CPU to begin one wait"] = (usage(pid)[0] - before) / options.phones * 1000
    found["KB of memory per waiting phone"] = (usage(pid)[1] - memory) * 1000 / options.phones
    found["pushes/s and ms CPU each, all wait"] = pushed()
    before, at = usage(pid)[0], time.monotonic()
    time.sleep(2)
    found["CPU while they wait, % of a core"] = (usage(pid)[0] - before) / (time.monotonic() - at) * 100
    mine = [caller for caller, phone in waiting if phone is waiters[0]]
    caller = Caller(stack, waiters[0])
    caller.call(caller.push(told["versions"]["plain"]))
    came = answers(mine, 10)
    found["woken of a quarter"] = len(came)
    found["seconds to the first, median, last"] = (came[0], statistics.median(came), came[-1])
    rest = [caller for caller, phone in waiting if phone is not waiters[0]]
    found["others that were woken too"] = len(answers(rest, 0.3))
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PostgreSQL() as server, Redis() as redis:
        url = new_postgresql_database(server.url, "bench")
        stack = Stack(Path(folder) / "data", database_url=url, broker_url=redis.url)
        told = stack.seed(8)
        try:
            stack.start_web(workers=1, threads=THREADS)
            print(json.dumps(measure(stack, told, options), indent=1))
        finally:
            stack.stop()
            print(stack.log("web")[-2000:])


if __name__ == "__main__":
    main()
