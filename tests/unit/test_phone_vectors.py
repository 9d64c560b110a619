"""The reference phone keeps the rules of `tests/vectors/sync/*.json`, which any other phone can run as well."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from apps.changes.rules import row_digest
from tests import phone_store as stored
from tests.phone import OutOfStep, Phone, Refused, VirtualClock, Wiped
from tests.wire import Answer

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "sync"
NOW = 1_800_000_000.0


def load(name: str, part: str) -> list[Any]:
    """Give the examples of a file."""
    found: list[Any] = json.loads((VECTORS / f"{name}.json").read_text())[part]
    return found


def named(case: Mapping[str, Any]) -> str:
    return str(case.get("name", ""))


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    """An empty store."""
    opened = stored.open_store(":memory:")
    yield opened
    opened.close()


def test_rows_have_their_digests() -> None:
    for row in load("digests", "rows"):
        assert stored.row_digest(row["kind"], row["id"], row["rev"]) == row["digest"]
        assert row_digest(row["kind"], UUID(row["id"]), row["rev"]) == row["digest"], "the server's own"
        assert row["digest"] < 2**53


def test_streams_have_their_digests(store: sqlite3.Connection) -> None:
    for stream in load("digests", "streams"):
        rows = [tuple(row) for row in stream["rows"]]
        assert (len(rows), stored.stream_digest(rows)) == (stream["n"], stream["h"])


@pytest.mark.parametrize("scenario", load("pages", "scenarios"), ids=named)
def test_pages_lead_to_their_tables(store: sqlite3.Connection, scenario: dict[str, Any]) -> None:
    for step in scenario["steps"]:
        assert stored.take_page(store, step["page"]) == step["wrong"]
        rows = store.execute("SELECT stream, kind, id, rev FROM base").fetchall()
        assert sorted(map(list, rows)) == step["rows"]
        assert stored.get(store, "cursor") == step["page"]["cursor"]


@pytest.mark.parametrize("case", load("overlays", "cases"), ids=named)
def test_edits_lie_over_the_record(store: sqlite3.Connection, case: dict[str, Any]) -> None:
    if case["base"]:
        row = ("s", "inspection", "r", case["base"]["rev"], json.dumps(case["base"]["body"]))
        store.execute("INSERT INTO base(stream, kind, id, rev, body) VALUES(?,?,?,?,?)", row)
    for i, edit in enumerate(case["edits"]):
        store.execute(
            "INSERT INTO outbox(id, type, object, fields, depends, state, rev) VALUES(?,?,?,?,'[]',?,?)",
            (f"m{i}", "inspection.save", "r", json.dumps(edit["fields"]), edit["state"], edit.get("rev")),
        )
    assert stored.view(store, "r") == case["shown"]


@pytest.mark.parametrize("case", load("order", "cases"), ids=named)
def test_mutations_go_out_in_order(store: sqlite3.Connection, case: dict[str, Any]) -> None:
    for row in case["outbox"]:
        store.execute(
            "INSERT INTO outbox(id, type, object, fields, depends, state, base_rev, retry_at) "
            "VALUES(?,'inspection.save',?,'{}',?,?,?,?)",
            (
                row["id"],
                row["object"],
                json.dumps(row["depends"]),
                row["state"],
                row["base_rev"],
                NOW + row["retry_in"] if row["retry_in"] else 0,
            ),
        )
    ready = stored.ready(store, 50, NOW, 900)
    assert [mutation["id"] for mutation in ready] == case["ready"]
    numbers = [mutation["device_seq"] for mutation in ready]
    assert numbers == sorted(set(numbers))
    again = stored.ready(store, 50, NOW, 900)
    assert [mutation["device_seq"] for mutation in again] == numbers, "a repetition has the same number"


class Script:
    """A wire that gives prepared answers and remembers what it was asked."""

    def __init__(self, answers: list[dict[str, Any]]) -> None:
        self.answers = iter(answers)
        self.asked: list[tuple[str, Any]] = []

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Give the next answer."""
        sent = json.loads(body)
        self.asked.append((path.removeprefix("/mobile/v1"), sent))
        answer = next(self.answers)
        told = dict(answer["body"])
        if isinstance(told.get("results"), str):
            verdict = {"status": "applied", "rev": 1, "merged": False, "warnings": []}
            if told["results"] != "applied":
                verdict = {"status": "rejected", "code": told["results"]}
            told["results"] = [{"id": m["id"], **verdict} for m in sent["mutations"]]
        return Answer(answer["status"], answer.get("headers", {}), json.dumps(told).encode())

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("case", load("decisions", "cases"), ids=named)
def test_answers_are_obeyed(case: dict[str, Any]) -> None:
    phone = Phone("http://127.0.0.1:1", clock=VirtualClock(NOW))
    script = Script(case["answers"])
    phone.wire = script  # type: ignore[assignment]
    for key, value in {"cursor": "c0", "epoch": "e1", "access_token": "a", "refresh_token": "r"}.items():
        phone.put(key, value)
    for _ in range(2):
        phone.save({"remarks": "x"})
    before = _ids(phone)
    raised: Exception | None = None
    try:
        getattr(phone, case["do"])()
    except (Refused, Wiped, OutOfStep) as error:
        raised = error
    seen = {
        "asked": [path for path, _ in script.asked],
        "raises": raised.status if isinstance(raised, Refused) else None,
        "wiped": isinstance(raised, Wiped),
        "out_of_step": isinstance(raised, OutOfStep),
        "waiting": phone.waiting(),
        "attention": len(phone.attention()),
        "cursor": phone.get("cursor"),
        "cursors": [sent.get("cursor") for _, sent in script.asked],
        "resets": [sent.get("reset") for _, sent in script.asked],
        "new_ids": not set(before) & set(_ids(phone)),
    }
    wanted = {"raises": None, "wiped": False, "out_of_step": False, "attention": 0, **case}
    least, most = wanted.pop("waits", (0, 0))
    assert {key: seen[key] for key in wanted if key in seen} == {k: v for k, v in wanted.items() if k in seen}
    assert least <= max(0.0, float(phone.get("not_before") or NOW) - NOW) <= most
    if seen["wiped"]:
        left = [phone.store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in stored.TABLES]
        assert left == [0] * len(stored.TABLES)
    phone.close()


def _ids(phone: Phone) -> list[str]:
    return [pk for (pk,) in phone.store.execute("SELECT id FROM outbox ORDER BY seq")]
