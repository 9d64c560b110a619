"""Reads of the ledger: its size, hashes of its tree, heads, proofs, and the keys it knows."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from apps.audit.models import Event, Head, KeyStatement, Leaf, Tile
from apps.audit.rules.trees import consistency_proof, inclusion_proof, root_of
from apps.common.sql import execute


class Missing(LookupError):
    """A hash of the tree is not in its table: `level` and `index` say which."""

    def __init__(self, level: int, index: int) -> None:
        super().__init__(f"no hash {level}/{index}")
        self.level, self.index = level, index


@dataclass(frozen=True)
class KnownKey:
    """A key of the server: its public half, since when it signs, and from when on it is no longer trusted."""

    id: str
    public: bytes
    since: datetime
    until: datetime | None


def revisions_by_device(kind: str, oid: UUID, device: UUID | None) -> frozenset[int]:
    """Give the revisions of a record that this phone's own edits made; none without a phone."""
    if device is None:
        return frozenset()
    events = Event.objects.filter(record_kind=kind, oid=oid, device_id=device)
    return frozenset(data["rev"] for data in events.values_list("data", flat=True) if "rev" in data)


def ledger_size() -> int:
    """Give how many events are numbered."""
    (size,) = execute("SELECT COALESCE(MAX(leaf_index) + 1, 0) FROM audit_leaf").fetchone()
    return int(size)


def read_hashes(level: int, start: int, count: int) -> Sequence[bytes]:
    """Give hashes of the tree, for `rules.trees`. Raises Missing."""
    if level == 0:
        rows = Leaf.objects.filter(leaf_index__gte=start, leaf_index__lt=start + count)
        found = dict(rows.values_list("leaf_index", "leaf_hash"))
    else:
        tiles = Tile.objects.filter(level=level, index__gte=start, index__lt=start + count)
        found = dict(tiles.values_list("index", "hash"))
    for index in range(start, start + count):
        if index not in found:
            raise Missing(level, index)
    return [bytes(found[index]) for index in range(start, start + count)]


def root_at(size: int) -> bytes:
    """Give the root over the first `size` leaves. Raises Missing."""
    return root_of(read_hashes, size)


def proof_of(index: int, size: int) -> list[bytes]:
    """Give the proof that a leaf is among the first `size`. Raises Missing."""
    return inclusion_proof(read_hashes, index, size)


def proof_between(old: int, size: int) -> list[bytes]:
    """Give the proof that the first `old` leaves stayed as they were. Raises Missing."""
    return consistency_proof(read_hashes, old, size)


def latest_head() -> Head | None:
    """Give the newest signed head."""
    return Head.objects.order_by("-id").first()


def head_hash(head: Head | None) -> str | None:
    """Give the hash by which the next head names this one."""
    return hashlib.sha256(bytes(head.body)).hexdigest() if head else None


def head_facts(head: Head | None) -> dict[str, object] | None:
    """Give a head as receipts and phones name it."""
    if head is None:
        return None
    return {"origin": head.origin, "size": head.size, "root": bytes(head.root).hex(), "time": head.at}


def known_keys() -> dict[str, KnownKey]:
    """Give the keys of the server by id, as the statements about them say.

    Under a key that cannot be read nothing is valid; a revocation whose time cannot be read holds from the first day.
    """
    keys: dict[str, KnownKey] = {}
    for row in KeyStatement.objects.order_by("at", "id"):
        said = said_in(row.body)
        if row.kind == KeyStatement.Kind.ADDED:
            keys[row.key_id] = KnownKey(row.key_id, public_key_in(said), row.at, None)
        elif row.key_id in keys:
            known = keys[row.key_id]
            until = moment_in(said.get("from")) or known.since
            keys[row.key_id] = KnownKey(known.id, known.public, known.since, until)
    return keys


def said_in(body: bytes | memoryview) -> dict[str, Any]:
    """Read what was signed or sealed; what cannot be read, because somebody changed it, says nothing."""
    try:
        said = orjson.loads(bytes(body))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def public_key_in(said: Mapping[str, Any]) -> bytes:
    """Give the public key that a statement names; none, under which nothing is valid, when it cannot be read."""
    try:
        return base64.b64decode(said["public_key"], validate=True)
    except (KeyError, TypeError, ValueError):
        return b""


def moment_in(text: object) -> datetime | None:
    """Read a moment as it is written in what was signed; None when it is none."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def newest_events(record_kind: str, oids: Iterable[UUID], *actions: str) -> dict[UUID, UUID]:
    """Give the id of the newest event of the named actions about each record that has one."""
    rows = Event.objects.filter(record_kind=record_kind, oid__in=list(oids), action__in=actions)
    return {oid: pk for oid, pk in rows.order_by("id").values_list("oid", "id") if oid is not None}
