"""Case 43. A new snapshot is built during the download of the old one.

Expected: the parts the phone's manifest names are still there for seven days, so it goes on with them and gets what
happened since by pulling, deletions too. When they are gone, it takes the new manifest and fetches only what differs.
Either way count and digest agree at the end, and no row is left over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone

from apps.sync import snapshots
from apps.sync.models import SnapshotPart
from tests.cast import Cast
from tests.near import Near
from tests.phone import Phone
from tests.sync.large import STREAM, Ports, build, labels_of
from tests.wire import Answer


def in_the_middle(phone: Phone, what: Callable[[], None], *, after: int = 8) -> list[str]:
    """Do something on the server when so many parts have been fetched; gives the names that were answered."""
    original = phone._fetch
    given: list[str] = []
    done: list[bool] = []

    def fetch(path: str) -> Answer:
        names = path.partition("/parts?names=")[2]
        if names and len(given) == after and not done:
            done.append(True)
            what()
        answer = original(path)
        if names and answer.status == 200:
            given.extend(names.split(","))
        return answer

    phone._fetch = fetch  # type: ignore[method-assign]
    return given


def rebuilt(ports: Ports) -> None:
    """Change, add and take away some ports, and build anew."""
    ports.change(["P00001", "P00002"], "two")
    ports.rows["NEW"] = "new"
    for key in ("P00100", "P00101", "P00102", "P00500"):
        del ports.rows[key]
    ports.load()
    build()


def test_case_43_the_old_parts_are_still_there(near: Near, cast: Cast, ports: Ports) -> None:
    build()
    phone = near.phone(cast.officer)
    given = in_the_middle(phone, lambda: rebuilt(ports))
    phone.pull()
    assert len(given) == len(set(given)) == 32
    manifests = [line for line in phone.wire.faults.log if line.endswith(f"/snapshots/{STREAM}")]
    assert len(manifests) == 1
    assert labels_of(phone) == ports.labels()
    assert phone.troubles() == []


def test_case_43_the_old_parts_are_gone(near: Near, cast: Cast, ports: Ports) -> None:
    build()

    def a_week_later() -> None:
        rebuilt(ports)
        assert 1 <= snapshots.collect_parts(now=timezone.now() + dt.timedelta(days=8)) <= 7

    phone = near.phone(cast.officer)
    given = in_the_middle(phone, a_week_later)
    phone.pull()
    assert len(given) == len(set(given)), "no part is fetched twice"
    there = set(SnapshotPart.objects.values_list("sha256", flat=True))
    assert len(set(given) & there) == 32
    assert labels_of(phone) == ports.labels()
    assert phone.troubles() == []


@pytest.mark.parametrize("after", [0, 8, 24])
def test_case_43_a_list_that_becomes_small_is_paged(near: Near, cast: Cast, ports: Ports, after: int) -> None:
    """The manifest is taken back in the middle, and in the end its parts: what came by parts is replaced or swept."""
    build()

    def shrunk() -> None:
        ports.rows = dict(list(ports.rows.items())[:20])
        ports.load()
        assert snapshots.build_due() == []
        snapshots.collect_parts(now=timezone.now() + dt.timedelta(days=8))

    phone = near.phone(cast.officer)
    in_the_middle(phone, shrunk, after=after)
    phone.pull()
    assert labels_of(phone) == ports.labels()
    assert phone.troubles() == []
    (held,) = phone.store.execute("SELECT count(*) FROM base WHERE stream=?", (STREAM,)).fetchone()
    assert held == 20, "nothing of the parts is left over"
