"""`kill -9` of the web server or the worker at any moment: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path

import pytest

from tests.deployment import Deployment
from tests.phone import ConnectionCut, Phone, Refused, until
from tests.reports import plain_report

pytestmark = pytest.mark.live

REPORTS = 40
KILLS = 4


def test_case_10_killed_web_server_loses_and_doubles_nothing(deployment: Deployment, tmp_path: Path) -> None:
    """Expected: the phone's retries complete; every report once, with one number, at version 1."""
    phone = deployment.phone(tmp_path)
    phone.pull()
    version, _ = phone.checklist("plain")
    reports = [phone.submit(plain_report(version, remarks=f"số {i}")) for i in range(REPORTS)]
    chance = random.Random(7)

    def kill_now_and_then() -> None:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.6))
            deployment.stack.kill("web")
            deployment.stack.start_web()

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    while phone.waiting():
        _push_patiently(phone, batch=3)
    killer.join()

    _settle(phone)
    held = phone.rows("inspection")
    assert set(held) == set(reports)
    numbers = [body["number"] for body in held.values()]
    assert len(set(numbers)) == REPORTS
    assert sorted(body["remarks"] for body in held.values()) == sorted(f"số {i}" for i in range(REPORTS))
    assert {body["version"] for body in held.values()} == {1}
    assert phone.attention() == []


def test_killed_worker_counts_everything_once(deployment: Deployment, tmp_path: Path) -> None:
    phone = deployment.phone(tmp_path)
    phone.pull()
    version, _ = phone.checklist("plain")
    chance = random.Random(11)
    deployment.stack.start_worker()
    for i in range(REPORTS):
        phone.submit(plain_report(version, outcome="finding" if i % 4 == 0 else "nothing_found"))
        phone.push()
        if i % 12 == 6:
            time.sleep(chance.uniform(0, 0.4))
            deployment.stack.kill("worker")
            deployment.stack.kill("beat")
            deployment.stack.start_worker()
    assert until(lambda: deployment.counted() == REPORTS, seconds=150), deployment.stack.log("worker")
    assert json.loads(deployment.stack.manage("recount", "--check", "--json"))["differences"] == []


def _push_patiently(phone: Phone, *, batch: int) -> None:
    try:
        phone.push(batch=batch)
    except (ConnectionCut, Refused):
        time.sleep(0.05)


def _settle(phone: Phone) -> None:
    for _ in range(50):
        try:
            phone.pull()
            return
        except ConnectionCut:
            time.sleep(0.1)
    raise AssertionError("the server did not come back")
