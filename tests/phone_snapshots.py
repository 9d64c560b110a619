"""Snapshots on the reference phone: fetch the missing parts of a large stream, then go on by pulling from its number.

Each part is checked by its hash and written in one local transaction together with the note that it is here, so a load
that is cut goes on with the next part, also after a restart. The manifest is kept until its parts are gone from the
server; the parts of a newer one that are the same need not be fetched again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from tests import phone_store as stored
from tests.wire import Answer, ConnectionCut

Get = Callable[[str], Answer]
TOGETHER = 8


class PartDamaged(Exception):
    """A part does not have the hash it is named by."""


def wish(store: sqlite3.Connection) -> dict[str, Any]:
    """Give what a pull says of snapshots: streams that were loaded, and those that still are."""
    rows = store.execute("SELECT stream, loaded FROM snapshot").fetchall()
    loaded = {stream: seq for stream, seq in rows if seq is not None}
    return {"loaded": loaded, "later": [stream for stream, seq in rows if seq is None]} if rows else {}


def note(store: sqlite3.Connection, page: Mapping[str, Any]) -> None:
    """Take from a page which streams are to be loaded from a snapshot, and which loads are over."""
    for (stream,) in store.execute("SELECT stream FROM snapshot WHERE loaded IS NOT NULL").fetchall():
        forget(store, stream)
    for stream in (*page["drop"], *page["reset"]):
        forget(store, stream)
    store.executemany("INSERT INTO snapshot(stream) VALUES(?)", [(stream,) for stream in page["snapshot"]])


def forget(store: sqlite3.Connection, stream: str) -> None:
    """Forget a load; what it brought stays in the base until the stream loads anew."""
    with stored.together(store):
        store.execute("DELETE FROM snapshot WHERE stream=?", (stream,))
        store.execute("DELETE FROM snapshot_part WHERE stream=?", (stream,))


def load(store: sqlite3.Connection, get: Get) -> bool:
    """Load every stream that waits for it; tells whether there was one. `get` raises when the connection breaks."""
    waiting = store.execute("SELECT stream, manifest FROM snapshot WHERE loaded IS NULL").fetchall()
    for stream, manifest in waiting:
        if not _load(store, get, stream, json.loads(manifest) if manifest else None):
            # There is no snapshot (any more): the stream comes page by page, into a clean generation.
            store.execute("DELETE FROM base WHERE stream=? AND old=0", (stream,))
            forget(store, stream)
    return bool(waiting)


def _load(store: sqlite3.Connection, get: Get, stream: str, manifest: dict[str, Any] | None) -> bool:
    for _ in range(3):  # a manifest may grow old while its parts are fetched
        if manifest is None:
            answer = get(f"/snapshots/{stream}")
            if answer.status != 200:
                return False
            manifest = answer.json()
            store.execute("UPDATE snapshot SET manifest=? WHERE stream=?", (json.dumps(manifest), stream))
        if _fetch(store, get, stream, manifest["parts"]):
            store.execute("UPDATE snapshot SET loaded=? WHERE stream=?", (manifest["seq"], stream))
            return True
        manifest = None
    return False


def _fetch(store: sqlite3.Connection, get: Get, stream: str, parts: list[dict[str, Any]]) -> bool:
    """See to it that all parts are here, several per request; False when the server has let go of one."""
    here = {
        sha256 for (sha256,) in store.execute("SELECT sha256 FROM snapshot_part WHERE stream=?", (stream,))
    }
    missing = [part for part in parts if part["sha256"] not in here]
    begins = [0, *(part["byte"] for part in parts[1:])]
    spans = dict(zip((p["sha256"] for p in parts), zip(begins, [*begins[1:], 256], strict=True), strict=True))
    while missing:
        names = ",".join(part["sha256"] for part in missing[:TOGETHER])
        try:
            answer = get(f"/snapshots/{stream}/parts?names={names}")
        except ConnectionCut as cut:
            _keep(store, stream, missing, spans, cut.got)  # what came whole need not come again
            raise
        if answer.status != 200:
            return False
        kept = _keep(store, stream, missing, spans, answer.body)
        if not kept:
            raise PartDamaged(missing[0]["sha256"])
        missing = missing[kept:]
    return True


def _keep(
    store: sqlite3.Connection,
    stream: str,
    parts: list[dict[str, Any]],
    spans: Mapping[str, tuple[int, int]],
    data: bytes,
) -> int:
    """Write the whole parts at the beginning of an answer; gives how many there were."""
    kept = 0
    while kept < len(parts) and 0 < parts[kept]["bytes"] <= len(data):
        part = parts[kept]
        mine, data = data[: part["bytes"]], data[part["bytes"] :]
        if hashlib.sha256(mine).hexdigest() != part["sha256"]:
            raise PartDamaged(part["sha256"])
        _write(store, (stream, part["sha256"]), spans[part["sha256"]], gzip.decompress(mine))
        kept += 1
    return kept


def _write(store: sqlite3.Connection, key: tuple[str, str], span: tuple[int, int], lines: bytes) -> None:
    """Put a part in the place of what this load had of the same ids; one local transaction with the note of it."""
    stream = key[0]
    rows = [json.loads(line) for line in lines.splitlines()]
    with stored.together(store):
        store.execute(
            "DELETE FROM base WHERE stream=? AND old=0 AND substr(id, -2) >= ? AND substr(id, -2) < ?",
            (stream, f"{span[0]:02x}", f"{span[1]:02x}" if span[1] < 256 else "g"),
        )
        store.executemany(
            "INSERT OR REPLACE INTO base VALUES(?,?,?,?,?,0)",
            [(stream, row["k"], row["id"], row["rev"], json.dumps(row["body"])) for row in rows],
        )
        store.execute("INSERT INTO snapshot_part VALUES(?,?)", key)
