"""Case 42. A first sync of a large stream is cut at half: only the missing parts are fetched again.

Expected: each part that had arrived is on the phone and is never asked for again, also after the app was restarted; at
most the one that was on its way comes twice (of 32: 3 %; full size in `tests/benchmarks/pull_and_snapshots.py`). The
load ends with a pull from the manifest's number, and count and digest agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast
from tests.near import Near
from tests.phone import Phone
from tests.sync.large import STREAM, Ports, build, fetched, labels_of
from tests.wire import Answer, ConnectionCut

pytestmark = pytest.mark.usefixtures("ports")
HALF = 16


def cut_after(phone: Phone, parts: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Break the connection in the part that follows so many; gives what mends it."""
    original, seen = phone.wire._exchange, Counter[str]()

    def exchange(method: str, path: str, *more: Any) -> Answer:
        seen["parts"] += "/parts/" in path
        answer = original(method, path, *more)
        if "/parts/" in path and seen["parts"] > parts:
            raise ConnectionResetError
        return answer

    context = pytest.MonkeyPatch()
    context.setattr(phone.wire, "_exchange", exchange)
    return context.undo


def test_case_42_a_cut_first_sync_fetches_only_the_missing_parts(
    near: Near, cast: Cast, ports: Ports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build()
    phone = near.phone(cast.officer, tmp_path / "phone.sqlite3")
    mend = cut_after(phone, HALF, monkeypatch)
    with pytest.raises(ConnectionCut):
        phone.pull()
    mend()
    begun = fetched(phone)
    assert len(begun) == HALF + 1
    assert 0 < len(labels_of(phone)) < len(ports.rows)
    phone.close()
    phone = Phone(near.url, tmp_path / "phone.sqlite3")
    near.phones.append(phone)
    phone.pull()
    again = fetched(phone)
    assert set(begun) & set(again) == {begun[-1]}, "only the part that was on its way"
    assert len(set(begun) | set(again)) == 32
    assert labels_of(phone) == ports.labels()
    assert phone.troubles() == []


def test_case_42_urgent_streams_come_before_the_parts(
    near: Near, cast: Cast, ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An officer can work while a large list is still on its way."""
    build()
    phone = near.phone(cast.officer)
    cut_after(phone, 0, monkeypatch)
    for _ in range(2):
        with pytest.raises(ConnectionCut):
            phone.pull()
        assert len(phone.rows("posting")) == 1
    assert labels_of(phone) == {}


def test_case_42_a_phone_that_knows_no_snapshots_pages(near: Near, cast: Cast, ports: Ports) -> None:
    """Expected: `snapshot` may be ignored; the cursor leads through all rows."""
    build()
    phone = near.phone(cast.officer)
    first = phone.call("POST", "/sync/pull", {"cursor": None, "limit": 100})
    assert first["snapshot"] == [STREAM]
    assert first["more"]
    assert not [c for c in first["changes"] if c["s"] == STREAM]
    page, keys = first, set()
    while page["more"]:
        page = phone.call("POST", "/sync/pull", {"cursor": page["cursor"], "limit": 100})
        assert page["snapshot"] == []
        keys |= {c["body"]["key"] for c in page["changes"] if c["s"] == STREAM}
    assert keys == set(ports.rows)
    assert page["complete"][STREAM]["n"] == len(ports.rows)
