"""Connections to PostgreSQL that end at any moment, also between statements sent together: nothing lost or doubled."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import psycopg
import pytest

from tests.deployment import Deployment
from tests.phone import Phone, Refused, until
from tests.reports import plain_report

pytestmark = pytest.mark.live

REPORTS, ENOUGH = 30, 10
END_ALL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
END_HALF = f"{END_ALL} AND random() < 0.5"
OWED = (
    "SELECT (SELECT count(*) FROM changes_change WHERE relayed_at IS NULL)"
    " + (SELECT count(*) FROM changes_reaction WHERE done_at IS NULL)"
)


@pytest.mark.parametrize("deployment", ["postgresql"], indirect=True)
def test_connections_that_end_in_the_middle_lose_and_double_nothing(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Expected: pushes are refused or put off, the retries complete; every report once."""
    phone = deployment.phone(tmp_path)
    phone.pull()
    version, _ = phone.checklist("plain")
    reports = [phone.submit(plain_report(version, remarks=f"số {i}")) for i in range(REPORTS)]
    is_over, ended = threading.Event(), []

    def end_connections() -> None:
        chance = random.Random(13)
        with psycopg.connect(
            deployment.stack.environment["HAIDANG_DATABASE_URL"], autocommit=True
        ) as connection:
            while not is_over.wait(chance.uniform(0.005, 0.05)):
                row = connection.execute(END_HALF).fetchone()
                ended.append(row[0] if row else 0)

    killer = threading.Thread(target=end_connections)
    killer.start()
    try:
        deadline = time.monotonic() + 40
        while (phone.waiting() or sum(ended) < ENOUGH) and time.monotonic() < deadline:
            if not phone.waiting():
                reports.append(phone.submit(plain_report(version, remarks=f"số {len(reports)}")))
            _push_patiently(phone)
    finally:
        is_over.set()
        killer.join()
    assert sum(ended) >= ENOUGH, "hardly a connection was ended: this proved nothing"
    while phone.waiting():
        _push_patiently(phone)

    phone.pull()
    held = phone.rows("inspection")
    assert set(held) == set(reports)
    assert len({body["number"] for body in held.values()}) == len(reports)
    assert {body["version"] for body in held.values()} == {1}
    assert phone.attention() == []
    assert deployment.scalar("SELECT count(*) FROM inspections_inspectionreport") == len(reports)


@pytest.mark.parametrize("deployment", ["postgresql"], indirect=True)
def test_a_worker_whose_connection_ended_while_it_rested_opens_another(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Expected: what comes next is worked off at the first try."""
    deployment.stack.start_worker()
    phone = deployment.phone(tmp_path)
    phone.pull()
    version, _ = phone.checklist("plain")
    for count in (1, 2, 3):
        phone.submit(plain_report(version, remarks=f"số {count}"))
        while phone.waiting():
            _push_patiently(phone)
        assert until(lambda: not deployment.scalar(OWED), seconds=40)
        assert deployment.counted() == count
        assert deployment.scalar(END_ALL) >= 2, "web server and worker keep their connections"
    assert "OperationalError" not in deployment.stack.log("worker")


def _push_patiently(phone: Phone) -> None:
    try:
        phone.push(batch=3)
    except Refused:
        time.sleep(0.02)
