"""Is the ledger what was signed? Every event, leaf, inner hash, head and key is computed anew and compared.

Reads one pass over the numbered events; memory does not grow with their number.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.audit import authority
from apps.audit.keys import is_signed_by, key_id
from apps.audit.models import Event, Head, KeyStatement, Leaf, Stamp, Tile
from apps.audit.queries import (
    KnownKey,
    Missing,
    head_hash,
    known_keys,
    ledger_size,
    moment_in,
    proof_of,
    public_key_in,
    read_hashes,
    said_in,
)
from apps.audit.rules.findings import Finding
from apps.audit.rules.sealing import leaf_hash
from apps.audit.rules.trees import HASH_BYTES, Growing, is_included
from apps.common.sql import as_moment, as_uuid

BATCH = 5000
SOON = timedelta(seconds=60)  # a stamp and the event that tells of it are of one transaction
NOTHING = bytes(HASH_BYTES)  # stands for a leaf that is gone
FILLED = 1_000_000  # numbers that may be missing in a row; a leaf further off has no place in the tree


@dataclass(frozen=True)
class Claim:
    """Somebody says that the ledger had this root at this size: a head of ours, or a witness's copy of one."""

    size: int
    root: bytes
    finding: Finding


@dataclass
class Checked:
    """How much was looked at."""

    events: int = 0
    heads: int = 0
    witnessed: int = 0
    notes: list[str] = field(default_factory=list)


def check_ledger(checked: Checked, *, since: int = 0, witness: Path | None = None) -> Iterator[Finding]:
    """Check keys, heads, and every event from number `since` on; what lies before is taken as its inner hashes say."""
    yield from check_keys()
    claims: list[Claim] = []
    yield from check_heads(checked, claims)
    yield from check_stamps(checked)
    if witness is not None:
        yield from _check_witness(checked, claims, witness)
    yield from _check_leaves(checked, claims, since)
    yield from _unnumbered()


def check_keys() -> Iterator[Finding]:
    """Check that each key was announced by itself, if it is the first, or by one known before, and is in the audit."""
    known: dict[str, bytes] = {}
    told = {
        (e.action.rpartition(".")[2], e.data.get("key_id")): e.data
        for e in Event.objects.filter(record_kind="server_key")
    }
    for row in KeyStatement.objects.order_by("at", "id"):
        said, public = said_in(row.body), b""
        if row.kind == KeyStatement.Kind.ADDED:
            public = public_key_in(said)
            known = known or {key_id(public): public}
        event = told.pop((row.kind, row.key_id), None)
        agrees = (said.get("key_id"), said.get("signed_by"), said.get("time")) == (
            row.key_id,
            row.signed_by,
            row.at.isoformat(),
        )
        is_fit = is_signed_by(known.get(row.signed_by, b""), bytes(row.signature), bytes(row.body))
        is_own = not public or (
            key_id(public) == row.key_id and (event or {}).get("public_key") == said["public_key"]
        )
        if not (agrees and is_fit and is_own) or event is None:
            yield Finding("key-statement", f"key {row.key_id} {row.kind}")
        elif public:
            known[row.key_id] = public
    for kind, key in told:
        yield Finding("key-statement", f"key {key} {kind}", "the statement is gone")


def signed_by_known(
    keys: Mapping[str, KnownKey], name: str, at: datetime, signature: bytes, body: bytes
) -> str:
    """Give the code of what is wrong with a signature of ours: "" for nothing."""
    key = keys.get(name)
    if key is None:
        return "key-unknown"
    if not is_signed_by(key.public, signature, body):
        return "signature"
    return "key-revoked" if key.until is not None and at >= key.until else ""


def check_heads(checked: Checked, claims: list[Claim] | None = None) -> Iterator[Finding]:
    """Check the signed heads themselves and their order; `claims` gets what they say of the tree."""
    keys, before = known_keys(), None
    for head in Head.objects.order_by("id").iterator(chunk_size=BATCH):
        checked.heads += 1
        place = f"head {head.pk}"
        wrong = signed_by_known(keys, head.key_id, head.at, bytes(head.signature), bytes(head.body))
        if wrong:
            yield Finding("head-signature" if wrong == "signature" else wrong, place)
        said = said_in(head.body)
        columns = {
            "origin": head.origin,
            "size": head.size,
            "root": bytes(head.root).hex(),
            "time": head.at.isoformat(),
            "key_id": head.key_id,
        }
        if any(said.get(name) != value for name, value in columns.items()):
            yield Finding("head-columns", place)
        if said.get("previous") != (head_hash(before)):
            yield Finding("head-missing", place, "it does not follow the head before it")
        if before and (before.size > head.size or before.at > head.at):
            yield Finding("head-order", place)
        if claims is not None:
            claims.append(
                Claim(head.size, bytes(head.root), Finding("head-root", place, f"size {head.size}"))
            )
        before = head


def check_stamps(checked: Checked) -> Iterator[Finding]:
    """Compare stamps with their heads, with the events that tell of them, and with the authority's certificates."""
    told = {e.oid: e for e in Event.objects.filter(record_kind="stamp", action="head.stamped")}
    stamps = list(Stamp.objects.select_related("head").order_by("at", "id"))
    if stamps or authority.is_asked():
        last = f"the last is of {stamps[-1].at:%Y-%m-%d %H:%M}" if stamps else "none has come"
        checked.notes.append(f"time stamps by the authority: {len(stamps)}, {last}")
    pem = authority.certificates()
    for stamp in stamps:
        place, event = f"stamp {stamp.pk}", told.pop(stamp.pk, None)
        token = bytes(stamp.token)
        if event is None:
            yield Finding("event-missing", place, "head.stamped")
        elif event.data != {"head_size": stamp.head.size, "sha256": hashlib.sha256(token).hexdigest()}:
            yield Finding("stamp-differs", place)
        elif abs(event.at - stamp.at) > SOON:
            yield Finding("stamp-differs", place, "time")
        wrong = authority.fault_of(token, bytes(stamp.head.body), pem)
        if wrong:
            yield Finding("stamp-signature", place, wrong)
    yield from (Finding("stamp-missing", f"stamp {pk}") for pk in sorted(told, key=str))


def _check_witness(checked: Checked, claims: list[Claim], directory: Path) -> Iterator[Finding]:
    """Read the heads that a witness holds. Raises OSError when the directory cannot be read."""
    keys, size = known_keys(), ledger_size()
    for path in sorted(directory.iterdir()):
        if path.suffix != ".json":
            continue
        checked.witnessed += 1
        try:
            copy = orjson.loads(path.read_bytes())
            body, signature = base64.b64decode(copy["head"]), base64.b64decode(copy["signature"])
            said = orjson.loads(body)
            at, root = datetime.fromisoformat(said["time"]), bytes.fromhex(said["root"])
            wrong = signed_by_known(keys, copy["key_id"], at, signature, body)
        except (ValueError, KeyError, TypeError):
            wrong, said, root = "signature", {"size": 0}, b""
        if wrong:
            yield Finding("witness-signature", path.name, wrong)
        elif said["size"] > size:
            yield Finding("witness-ahead", path.name, f"it knows {said['size']} events, here are {size}")
        else:
            claims.append(
                Claim(said["size"], root, Finding("witness-root", path.name, f"size {said['size']}"))
            )


class _Walk:
    """One pass over the leaves: grows the tree, compares inner hashes, and holds the claims against its roots."""

    def __init__(self, claims: Iterable[Claim], since: int) -> None:
        self.claims = sorted(claims, key=lambda claim: claim.size)
        self.found: list[Finding] = []
        rows = Tile.objects.values_list("level", "index", "hash")
        self.tiles = {(level, index): bytes(h) for level, index, h in rows}
        self.tree = Growing(self._tile)
        if since:
            self.tree.start(read_hashes, since)
        self._claim = 0
        while self._claim < len(self.claims) and self.claims[self._claim].size < since:
            self._claim += 1
        self._hold()

    def add(self, leaf: bytes) -> None:
        self.tree.add(leaf)
        if self._claim < len(self.claims) and self.claims[self._claim].size == self.tree.size:
            self._hold()

    def finish(self, since: int) -> None:
        """Name the claims beyond the end, and the inner hashes that stand for nothing."""
        for claim in self.claims[self._claim :]:
            self.found.append(
                Finding(claim.finding.code, claim.finding.place, f"there are {self.tree.size} events")
            )
        for level, index in sorted(self.tiles):
            if (index + 1) << (8 * level) > since:
                self.found.append(
                    Finding("tile-differs", f"inner hash {level}/{index}", "it stands for nothing")
                )

    def _tile(self, level: int, index: int, found: bytes) -> None:
        kept = self.tiles.pop((level, index), None)
        if kept != found:
            code = "tile-missing" if kept is None else "tile-differs"
            self.found.append(Finding(code, f"inner hash {level}/{index}"))

    def _hold(self) -> None:
        root = b""
        while self._claim < len(self.claims) and self.claims[self._claim].size == self.tree.size:
            root = root or self.tree.root()
            if self.claims[self._claim].root != root:
                self.found.append(self.claims[self._claim].finding)
            self._claim += 1


def _check_leaves(checked: Checked, claims: Sequence[Claim], since: int) -> Iterator[Finding]:
    try:
        walk = _Walk(claims, since)
    except Missing as missing:
        yield Finding("tile-missing", f"inner hash {missing.level}/{missing.index}")
        return
    expected, beyond = since, 0
    for row in _streamed(_LEAVES[connection.vendor], [since]):
        index, event_id, leaf, *event = row
        leaf = bytes(leaf)
        if index - expected > FILLED:
            beyond += 1
            if beyond == 1:
                yield _gap(expected, index)
        else:
            if expected < index:
                yield _gap(expected, index)
            for _ in range(expected, index):
                walk.add(NOTHING)
            walk.add(leaf)
            expected = index + 1
        checked.events += 1
        yield from _check_event(index, event_id, leaf, event)
        if walk.found:
            yield from walk.found
            walk.found.clear()
    walk.finish(since)
    yield from walk.found


def _gap(first: int, after: int) -> Finding:
    """Name the numbers from `first` up to, not including, `after`."""
    return Finding(
        "leaf-missing", f"number {first}" if after - first == 1 else f"numbers {first} to {after - 1}"
    )


def _check_event(index: int, event_id: Any, leaf: bytes, event: Sequence[Any]) -> Iterator[Finding]:
    body, salt, sealed, *columns = event
    if body is None:
        yield Finding("event-missing", f"event {_text(event_id)}", f"number {index}")
        return
    if bytes(sealed) != leaf:
        yield Finding("leaf-differs", f"number {index}", f"event {_text(event_id)}")
    yield from check_seal(_text(event_id) or "", bytes(body), bytes(salt), bytes(sealed), columns)


def check_seal(
    pk: UUID | str, body: bytes, salt: bytes, sealed: bytes, columns: Sequence[Any]
) -> Iterator[Finding]:
    """Check one event: its seal over its bytes, and its columns, given in the order of `COLUMNS`, against them."""
    if leaf_hash(salt, body) != sealed:
        yield Finding("event-seal", f"event {pk}")
    at, actor, device, request, action, kind, oid, note, data = columns
    said = said_in(body)
    is_same = (
        said.get("id") == str(pk)
        and said.get("action") == action
        and said.get("record_kind") == kind
        and said.get("note") == note
        and said.get("request_id") == request
        and said.get("actor_id") == _text(actor)
        and said.get("device_id") == _text(device)
        and said.get("oid") == _text(oid)
        and said.get("data") == (orjson.loads(data) if isinstance(data, str) else data)
        and moment_in(said.get("at")) == as_moment(at)
    )
    if not is_same:
        yield Finding("event-columns", f"event {pk}")


COLUMNS = ("at", "actor_id", "device_id", "request_id", "action", "record_kind", "oid", "note", "data")
_SELECT = """
    SELECT l.leaf_index, l.event_id{text}, l.leaf_hash, e.body, e.salt, e.leaf_hash, e.at, e.actor_id{text},
        e.device_id{text}, e.request_id, e.action, e.record_kind, e.oid{text}, e.note, e.data{text}
    FROM audit_leaf l LEFT JOIN audit_event e ON e.id = l.event_id WHERE l.leaf_index >= %s ORDER BY l.leaf_index
"""
_LEAVES = {"postgresql": _SELECT.format(text="::text"), "sqlite": _SELECT.format(text="")}


def _unnumbered() -> Iterator[Finding]:
    rows = _streamed(
        "SELECT e.id FROM audit_event e LEFT JOIN audit_leaf l ON l.event_id = e.id "
        "LEFT JOIN audit_pending p ON p.event_id = e.id WHERE l.event_id IS NULL AND p.event_id IS NULL",
        [],
    )
    for (pk,) in rows:
        yield Finding("event-unnumbered", f"event {as_uuid(pk)}")


def check_events(events: Iterable[Event]) -> Iterator[Finding]:
    """Check events about one record: sealed, as their columns say, numbered, and covered by the newest head."""
    head = Head.objects.order_by("-size", "-id").first()
    for event in events:
        columns = [getattr(event, name) for name in COLUMNS]
        seal = bytes(event.leaf_hash)
        yield from check_seal(event.pk, bytes(event.body), bytes(event.salt), seal, columns)
        leaf = Leaf.objects.filter(event_id=event.pk).first()
        if leaf is None:
            yield Finding("event-unnumbered", f"event {event.pk}")
        elif bytes(leaf.leaf_hash) != seal:
            yield Finding("leaf-differs", f"number {leaf.leaf_index}", f"event {event.pk}")
        elif (
            head is not None and leaf.leaf_index < head.size and not _is_covered(seal, leaf.leaf_index, head)
        ):
            yield Finding("not-included", f"event {event.pk}", f"number {leaf.leaf_index}")


def _is_covered(seal: bytes, index: int, head: Head) -> bool:
    try:
        return is_included(seal, index, head.size, proof_of(index, head.size), bytes(head.root))
    except Missing:
        return False


def _streamed(statement: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Give the rows of a statement, most of which stay in the database meanwhile."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(BATCH):
            yield from rows


def _text(value: Any) -> str | None:
    """Spell an id as events do, whatever the database gives: a million times, so without making UUIDs of text."""
    if not isinstance(value, str):
        return None if value is None else str(value)
    return (
        value
        if len(value) == 36
        else "-".join((value[:8], value[8:12], value[12:16], value[16:20], value[20:]))
    )
