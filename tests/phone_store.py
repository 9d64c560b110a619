"""The local store of the reference phone: SQLite tables, and the rules by which a page of a pull enters them.

Base tables hold what the server said, the outbox what the officer did; nothing here speaks HTTP. The rules are those
of `tests/vectors/sync/*.json`, which any other phone can run against its own store.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import phone_receipts as receipts

MASK = (1 << 53) - 1
JOURNAL_SECONDS = 14 * 86400

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS base(stream TEXT, kind TEXT, id TEXT, rev INT, body TEXT, old INT DEFAULT 0,
    PRIMARY KEY(stream, kind, id));
CREATE INDEX IF NOT EXISTS base_id ON base(id);
CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, type TEXT, object TEXT,
    fields TEXT, base_rev INT, depends TEXT, made_at TEXT, state TEXT DEFAULT 'waiting', result TEXT, rev INT,
    device_seq INT, tries INT DEFAULT 0, retry_at REAL DEFAULT 0);
CREATE INDEX IF NOT EXISTS outbox_object ON outbox(object);
CREATE INDEX IF NOT EXISTS outbox_state ON outbox(state);
CREATE TABLE IF NOT EXISTS journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, object TEXT, body TEXT,
    rev INT, acked_at REAL);
CREATE INDEX IF NOT EXISTS journal_object ON journal(object);
CREATE TABLE IF NOT EXISTS photo(id TEXT PRIMARY KEY, report TEXT, step TEXT, sha256 TEXT, size INT, mime TEXT,
    bytes BLOB, location TEXT, state TEXT DEFAULT 'waiting', receipt TEXT, missed INT DEFAULT 0);
CREATE TABLE IF NOT EXISTS snapshot(stream TEXT PRIMARY KEY, manifest TEXT DEFAULT '', loaded INT);
CREATE TABLE IF NOT EXISTS snapshot_part(stream TEXT, sha256 TEXT, PRIMARY KEY(stream, sha256));
"""
TABLES = ("base", "outbox", "journal", "photo", "meta", "snapshot", "snapshot_part")


def open_store(path: Path | str) -> sqlite3.Connection:
    """Open the store, made when new; each statement is its own transaction unless `together` says otherwise."""
    store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    store.executescript(_SCHEMA)
    return store


@contextmanager
def together(store: sqlite3.Connection) -> Iterator[None]:
    """Make what is written one local transaction: a phone that dies inside has written none of it."""
    store.execute("BEGIN IMMEDIATE")
    try:
        yield
        store.execute("COMMIT")
    except BaseException:
        store.execute("ROLLBACK")
        raise


def get(store: sqlite3.Connection, key: str) -> str | None:
    """Read a setting of the phone."""
    row = store.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
    return row[0] if row else None


def put(store: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a setting of the phone."""
    store.execute(
        "INSERT INTO meta VALUES(?,?) ON CONFLICT(key) DO UPDATE SET value=excluded.value", (key, value)
    )


def take_page(store: sqlite3.Connection, page: Mapping[str, Any]) -> list[str]:
    """Write a page and its cursor in one local transaction; gives the streams whose self-check failed.

    A stream that loads anew (`reset`) keeps its old rows, marked; they are swept when count and digest of the new
    ones agree with the server's, and never otherwise. Unsent work is in other tables and is not touched.
    """
    run = store.execute
    with together(store):
        if not get(
            store, "cursor"
        ):  # a load of everything names all streams; a restore may have taken some away
            held = {stream for (stream,) in run("SELECT DISTINCT stream FROM base").fetchall()}
            for stream in held - set(page["reset"]):
                run("DELETE FROM base WHERE stream=?", (stream,))
        for stream in page["reset"]:
            run("UPDATE base SET old=1 WHERE stream=?", (stream,))
        for stream in page["drop"]:
            run("DELETE FROM base WHERE stream=?", (stream,))
        for c in page["changes"]:
            key = (c["s"], c["k"], c["id"])
            if c["op"] == "del":
                run("DELETE FROM base WHERE stream=? AND kind=? AND id=?", key)
            else:
                run(
                    "INSERT OR REPLACE INTO base VALUES(?,?,?,?,?,0)", (*key, c["rev"], json.dumps(c["body"]))
                )
                _photo_stored(store, c)
                receipts.take(store, c)
        wrong = [stream for stream, told in page["complete"].items() if not agrees(store, stream, told)]
        for stream in set(page["complete"]) - set(wrong):
            run("DELETE FROM base WHERE stream=? AND old=1", (stream,))
        put(store, "cursor", page["cursor"])
        put(store, "epoch", page["epoch"])
    return wrong


def agrees(store: sqlite3.Connection, stream: str, told: Mapping[str, int]) -> bool:
    """Compare the newest generation of a stream with the server's count and digest."""
    rows = store.execute("SELECT kind, id, rev FROM base WHERE stream=? AND old=0", (stream,)).fetchall()
    return len(rows) == told["n"] and stream_digest(rows) == told["h"]


def stream_digest(rows: Iterable[tuple[str, str, int]]) -> int:
    """Add up the digests of (kind, id, rev) modulo 2^53."""
    return sum(row_digest(*row) for row in rows) & MASK


def row_digest(kind: str, oid: str, rev: int) -> int:
    """Give the first 53 bits of SHA-256(`kind|id|rev`), the id in its usual lower-case spelling."""
    return int.from_bytes(hashlib.sha256(f"{kind}|{uuid.UUID(oid)}|{rev}".encode()).digest()[:7], "big") >> 3


def view(store: sqlite3.Connection, oid: str) -> dict[str, Any]:
    """Give a report as the officer sees it: what the server said, with the edits it does not yet show laid over it.

    An edit lies on top while it waits, and after it was applied until a pull has brought its revision.
    """
    row = store.execute("SELECT body, rev FROM base WHERE kind='inspection' AND id=?", (oid,)).fetchone()
    rev = row[1] if row else 0
    shown: dict[str, Any] = json.loads(row[0]) | {"rev": rev} if row else {"rev": 0}
    edits = store.execute(
        "SELECT fields FROM outbox WHERE object=? AND (state IN ('waiting','sent') OR (state='done' AND rev > ?)) "
        "ORDER BY seq",
        (oid, rev),
    )
    for (fields,) in edits:
        shown = overlay(shown, json.loads(fields))
    return shown


def overlay(shown: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a patch over a record: `answers` and `photos` step by step, where null takes away; the rest by field."""
    laid = dict(shown)
    for key, value in patch.items():
        if key in {"answers", "photos"} and isinstance(value, dict):
            merged = {**(laid.get(key) or {}), **value}
            laid[key] = {step: one for step, one in merged.items() if one is not None}
        else:
            laid[key] = value
    return laid


def pulled_rev(store: sqlite3.Connection, oid: str) -> int:
    """Give the newest revision that this phone has pulled: what the officer sees. 0 when there is none."""
    (pulled,) = store.execute("SELECT max(rev) FROM base WHERE id=?", (oid,)).fetchone()
    return pulled or 0


def known_rev(store: sqlite3.Connection, oid: str) -> int:
    """Give the newest revision that this phone has pulled or was told; 0 for a record the server does not have."""
    (told,) = store.execute("SELECT max(rev) FROM journal WHERE object=?", (oid,)).fetchone()
    return max(pulled_rev(store, oid), told or 0)


def _base_rev(store: sqlite3.Connection, oid: str, made_on: int | None) -> int:
    """Give the revision that an edit names: that on which it was made.

    One made before the server had the record names the revision of its creation, and one made after the record had
    left the phone the revision that its own earlier edits were made on: what the server merged them with was never
    seen here. One that a restore has cut off from its revision (`made_on` is None) names what is known now.
    """
    if made_on:
        return made_on
    if made_on is None:
        return known_rev(store, oid)
    (seen,) = store.execute(
        "SELECT min(min(rev, coalesce(json_extract(body, '$.base_rev'), rev))) FROM journal WHERE object=?",
        (oid,),
    ).fetchone()
    return seen or 0


def ready(store: sqlite3.Connection, most: int, now: float, longest: float) -> list[dict[str, Any]]:
    """Give what may be sent now, in order: one mutation per object, none before one it depends on.

    What was put off waits for its time; a clock that jumped back cannot make it wait longer than `longest`. Edits of a
    record whose creation was refused wait for the officer's word, and so does what depends on something refused.
    """
    found = store.execute(
        "SELECT device_seq, id, type, object, fields, base_rev, depends, made_at FROM outbox o "
        "WHERE state IN ('waiting','sent') AND NOT (retry_at > ? AND retry_at <= ?) "
        "AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.object = o.object AND p.seq < o.seq "
        "AND (p.state IN ('waiting','sent') OR (p.state='attention' AND p.base_rev = 0))) "
        "AND NOT EXISTS (SELECT 1 FROM json_each(o.depends) n, outbox d WHERE d.id = n.value AND "
        "(d.state='attention' OR (d.state IN ('waiting','sent') AND d.seq > o.seq))) "
        "ORDER BY seq LIMIT ?",
        (now, now + longest, most),
    ).fetchall()
    return [_mutation(store, row) for row in found]


def _mutation(store: sqlite3.Connection, row: tuple[Any, ...]) -> dict[str, Any]:
    seq, pk, kind, oid, fields, base_rev, depends, made_at = row
    if seq is None:  # numbered when first sent; a repetition is the same in every way
        seq = int(get(store, "device_seq") or 0) + 1
        if kind.startswith("inspection."):
            base_rev = _base_rev(store, oid, base_rev)
        with together(store):
            put(store, "device_seq", str(seq))
            store.execute("UPDATE outbox SET device_seq=?, base_rev=? WHERE id=?", (seq, base_rev, pk))
    return {
        "id": pk,
        "device_seq": seq,
        "type": kind,
        "object": oid,
        "base_rev": base_rev or None,
        "fields": json.loads(fields),
        "depends_on": json.loads(depends),
        "made_on_device_at": made_at,
    }


def keep_in_journal(
    store: sqlite3.Connection,
    mutation: Mapping[str, Any],
    rev: int | None,
    server_now: float,
    *,
    lets_go: bool = True,
) -> None:
    """Keep what was applied, and let go what is older than 14 days, both by the server's clock.

    Nothing is let go on the word of a server that has gone back in time: it needs all of the journal first.

    A photo stays until a receipt for it was checked, and for as long as its declaration stands here, so that a restored
    server can have its bytes again; and a declaration stays for as long as there is no receipt for its photo.
    """
    store.execute(
        "INSERT OR IGNORE INTO journal(id, object, body, rev, acked_at) VALUES(?,?,?,?,?)",
        (mutation["id"], mutation["object"], json.dumps(mutation), rev, server_now),
    )
    if lets_go:
        store.execute(
            "DELETE FROM journal WHERE acked_at < ? AND object NOT IN "
            "(SELECT id FROM photo WHERE receipt IS NULL AND bytes IS NOT NULL)",
            (server_now - JOURNAL_SECONDS,),
        )
    store.execute(
        "UPDATE photo SET bytes=NULL WHERE state='stored' AND receipt IS NOT NULL AND bytes IS NOT NULL "
        "AND id NOT IN (SELECT object FROM journal)"
    )
    if mutation["type"] == "attachment.create":
        store.execute(
            "UPDATE photo SET state='declared' WHERE id=? AND state='waiting'", (mutation["object"],)
        )


def _photo_stored(store: sqlite3.Connection, change: Mapping[str, Any]) -> None:
    """Note that the server has a photo: it has said `stored` with the same hash."""
    if change["k"] == "attachment" and change["body"]["state"] == "stored":
        store.execute(
            "UPDATE photo SET state='stored' WHERE id=? AND sha256=?",
            (change["id"], change["body"]["sha256"]),
        )
