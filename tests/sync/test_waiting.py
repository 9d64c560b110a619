"""Long polls on the real web server: more phones wait than there are threads, and each hears of its own changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.benchmarks.sync_throughput import Caller
from tests.deployment import Deployment
from tests.phone import Phone
from tests.reports import plain_report

pytestmark = pytest.mark.live
MANY = 60  # the web server of a stack has 16 threads, and PostgreSQL's pool 20 connections


class Waiter(Caller):
    """A connection whose pull waits."""

    def __init__(self, running: Deployment, phone: Phone, seconds: int = 20) -> None:
        super().__init__(running.stack, phone)
        self.socket.settimeout(15)
        self.socket.sendall(self.prepare("/sync/pull", {"cursor": phone.get("cursor"), "wait": seconds}))

    def status(self) -> int:
        """Wait for the answer; gives its status."""
        return int(self.socket.recv(65536)[9:12])

    def close(self) -> None:
        """Hang up."""
        self.reader.close()
        self.socket.close()

    def is_answered(self) -> bool:
        """Tell whether something has come."""
        self.socket.setblocking(False)
        try:
            return bool(self.socket.recv(1))
        except BlockingIOError:
            return False
        finally:
            self.socket.settimeout(15)


Begin = Callable[..., Waiter]


@pytest.fixture
def begin(deployment: Deployment) -> Iterator[Begin]:
    """Begins pulls that wait; all hang up at the end."""
    made: list[Waiter] = []

    def one(phone: Phone, seconds: int = 20) -> Waiter:
        made.append(Waiter(deployment, phone, seconds))
        return made[-1]

    yield one
    for waiter in made:
        waiter.close()


def test_many_wait_and_nobody_else_does(deployment: Deployment, begin: Begin, tmp_path: Path) -> None:
    first, other = deployment.phone(tmp_path, 0), deployment.phone(tmp_path, 1)
    first.sync()
    other.sync()
    mine = [begin(first) for _ in range(MANY)]
    theirs = [begin(other) for _ in range(MANY)]
    began = time.monotonic()
    other.call("GET", "/sync/status")
    assert time.monotonic() - began < 5, "somebody who does not wait is served"
    for gone in mine[10:]:
        gone.close()
    first.submit(plain_report(deployment.told["versions"]["plain"]))
    first.push()
    assert [waiter.status() for waiter in mine[:10]] == [200] * 10
    assert time.monotonic() - began < 10
    assert not any(waiter.is_answered() for waiter in theirs), "a change in another's stream wakes nobody"
    began = time.monotonic()
    deployment.stack.stop()
    assert time.monotonic() - began < 8, "phones that wait do not hold up the end of a process"


def test_who_signs_out_while_waiting_is_judged_by_what_counts_now(
    deployment: Deployment, begin: Begin, tmp_path: Path
) -> None:
    phone = deployment.phone(tmp_path, 0)
    phone.sync()
    waiter, soon = begin(phone, 2), begin(phone, 1)
    assert soon.status() == 200, "nothing came: an empty page at the end of the time"
    phone.call("DELETE", "/sessions")
    assert waiter.status() == 401
