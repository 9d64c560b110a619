"""What the reference phone makes of receipts and of the server's keys: nothing is believed without a signature.

The key of the server that the phone was enrolled with is pinned. A later key is taken when one that is already trusted
announces it; a key that was revoked signs nothing more.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash


def take(store: sqlite3.Connection, change: Mapping[str, Any]) -> None:
    """Look at a row of a pull: photos of a receipt that fits are noted, and a new key may make older ones fit."""
    if change["k"] == "receipt":
        _check(store, [change["body"]])
    elif change["k"] == "server_key" or _waits(store, change):
        rows = store.execute("SELECT body FROM base WHERE kind='receipt'").fetchall()
        _check(store, [json.loads(body) for (body,) in rows])


def _waits(store: sqlite3.Connection, change: Mapping[str, Any]) -> bool:
    """Tell whether a report has come of which stored photos have no receipt: it may name one no more."""
    sql = "SELECT 1 FROM photo WHERE report=? AND state='stored' AND receipt IS NULL"
    return (
        change["k"] in {"inspection", "seizure"}
        and store.execute(sql, (change["id"],)).fetchone() is not None
    )


def _check(store: sqlite3.Connection, bodies: Iterable[Mapping[str, Any]]) -> None:
    keys = trusted(store)
    for body in bodies:
        receipt = signed(keys, body["key_id"], body["receipt"], body["signature"])
        if receipt is None:
            continue
        for photo in receipt["photos"]:
            store.execute(
                "UPDATE photo SET receipt=? WHERE id=? AND sha256=? AND size=? AND receipt IS NULL",
                (receipt["record_id"], photo["id"], photo["sha256"], photo["size"]),
            )
        for photo in receipt.get("unnamed", ()):
            if _is_loose(store, receipt["record_id"], photo["id"]):
                store.execute(
                    "UPDATE photo SET receipt=? WHERE id=? AND sha256=? AND size=? AND receipt IS NULL",
                    (receipt["record_id"], photo["id"], photo["sha256"], photo["size"]),
                )


def _is_loose(store: sqlite3.Connection, report: str, photo: str) -> bool:
    """Tell whether a photo was taken out of its report for good: the report is here, at rest, and names it no more."""
    row = store.execute("SELECT body, rev FROM base WHERE id=?", (report,)).fetchone()
    if row is None:
        return False
    work = "SELECT 1 FROM outbox WHERE object=? AND state<>'answered' AND (state<>'done' OR rev>?)"
    if store.execute(work, (report, row[1])).fetchone():
        return False
    body = json.loads(row[0])
    return photo not in json.dumps(body.get("fields", body).get("photos"))


def trusted(store: sqlite3.Connection) -> dict[str, bytes]:
    """Give the keys that are trusted, by id: the pinned one, and those that follow from it."""
    pinned = store.execute("SELECT value FROM meta WHERE key='server_key'").fetchone()
    if pinned is None:
        return {}
    first = base64.b64decode(pinned[0])
    keys = {key_id(first): first}
    told = [json.loads(body) for (body,) in store.execute("SELECT body FROM base WHERE kind='server_key'")]
    grown = True
    while grown:
        grown = False
        for body in told:
            said = signed(keys, body["signed_by"], body["statement"], body["signature"])
            if said and said["key_id"] not in keys:
                keys[said["key_id"]] = base64.b64decode(said["public_key"])
                grown = True
    for body in told:
        word = body["revoked"]
        if word and signed(keys, word["signed_by"], word["statement"], word["signature"]):
            keys.pop(body["key_id"], None)
    return keys


def signed(keys: Mapping[str, bytes], key: str, payload: str, signature: str) -> dict[str, Any] | None:
    """Read what was signed (base64), if the signature is by a trusted key."""
    raw = base64.b64decode(payload)
    try:
        Ed25519PublicKey.from_public_bytes(keys[key]).verify(base64.b64decode(signature), raw)
    except (InvalidSignature, KeyError):
        return None
    said: dict[str, Any] = json.loads(raw)
    return said


def key_id(public: bytes) -> str:
    """Name a key as the server does."""
    digest = Hash(SHA256())
    digest.update(public)
    return digest.finalize().hex()[:16]
