"""Case 42. A first sync of a large stream is cut at half: only the missing parts are fetched again.

Expected: each part that had arrived whole is on the phone and is never asked for again, also after a restart;
less than one part comes twice (of 32: 3 %; full size in `tests/benchmarks/pull_and_snapshots.py`). The load ends with
a pull from the manifest's number, and count and digest agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest

from apps.sync.models import SnapshotPart
from tests.cast import Cast
from tests.near import Near
from tests.phone import Phone
from tests.sync.large import STREAM, Ports, build, fetched, kept, labels_of
from tests.wire import Answer, ConnectionCut

pytestmark = pytest.mark.usefixtures("ports")


def cut_in(phone: Phone, answer_number: int) -> Callable[[], None]:
    """Break the connection in the middle of that answer with parts; gives what mends it."""
    original, seen = phone.wire._exchange, Counter[str]()

    def exchange(method: str, path: str, *more: Any) -> Answer:
        answer = original(method, path, *more)
        seen["answers"] += "/parts" in path
        if "/parts" in path and seen["answers"] >= answer_number:
            raise IncompleteRead(answer.body[: len(answer.body) * 6 // 10])
        return answer

    context = pytest.MonkeyPatch()
    context.setattr(phone.wire, "_exchange", exchange)
    return context.undo


def test_case_42_a_cut_first_sync_fetches_only_the_missing_parts(
    near: Near, cast: Cast, ports: Ports, tmp_path: Path
) -> None:
    build()
    phone = near.phone(cast.officer, tmp_path / "phone.sqlite3")
    mend = cut_in(phone, 3)
    with pytest.raises(ConnectionCut) as cut:
        phone.pull()
    mend()
    asked, here = fetched(phone), kept(phone)
    assert len(asked) == 24
    assert 16 < len(here) < 24, "what came whole of the cut answer is kept"
    sizes = dict(SnapshotPart.objects.values_list("sha256", "bytes"))
    wasted = len(cut.value.got) - sum(sizes[sha256] for sha256 in asked[16:] if sha256 in here)
    assert 0 <= wasted < max(sizes.values()), "less than a part comes twice"
    assert wasted < 0.05 * sum(sizes.values())
    assert 0 < len(labels_of(phone)) < len(ports.rows)
    phone.close()
    phone = Phone(near.url, tmp_path / "phone.sqlite3")
    near.phones.append(phone)
    phone.pull()
    assert set(fetched(phone)) == set(sizes) - here
    assert labels_of(phone) == ports.labels()
    assert phone.troubles() == []


def test_case_42_urgent_streams_come_before_the_parts(near: Near, cast: Cast, ports: Ports) -> None:
    """An officer can work while a large list is still on its way."""
    build()
    phone = near.phone(cast.officer)
    cut_in(phone, 0)
    for _ in range(2):
        with pytest.raises(ConnectionCut):
            phone.pull()
        assert len(phone.rows("posting")) == 1
    assert 0 < len(labels_of(phone)) < len(ports.rows), "and each try brings it further"


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
