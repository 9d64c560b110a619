"""Pure parts of the protocol: limits, the shape of a mutation, verdicts, cursors."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from apps.common.errors import Problem

PROTOCOL = 1
MAX_MUTATIONS = 200
MAX_MUTATION_BYTES = 256 * 1024
MAX_PULL_ROWS = 5000
MAX_PULL_BYTES = 1_000_000
DEFAULT_PULL_ROWS = 2000
MAX_WAIT_SECONDS = 25
NO_OBJECT = UUID(int=0)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

LIMITS: Mapping[str, int] = {
    "mutations": MAX_MUTATIONS,
    "mutation_bytes": MAX_MUTATION_BYTES,
    "compressed_bytes": 1024 * 1024,
    "inflated_bytes": 8 * 1024 * 1024,
    "depth": 32,
    "pull_rows": MAX_PULL_ROWS,
    "pull_bytes": MAX_PULL_BYTES,
    "photo_bytes": 25 * 1024 * 1024,
    "video_bytes": 500 * 1024 * 1024,
}


@dataclass(frozen=True)
class Envelope:
    """One mutation as a phone sent it; what is wrong with its outer shape stands in `problems`."""

    id: UUID
    type: str
    object: UUID
    base_rev: int | None
    fields: Mapping[str, Any]
    depends_on: tuple[UUID, ...]
    device_seq: int | None
    payload: str
    hash: str
    size: int
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What became of one mutation; `final` verdicts are stored and given again to every repetition."""

    status: str
    members: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Deferred mutations leave no trace; the phone sends them again."""
        return self.status != "deferred"

    def as_json(self, mutation_id: object) -> dict[str, Any]:
        """Give the result that goes to the phone."""
        return {"id": str(mutation_id), "status": self.status, **self.members}


def canonical(mutation: object) -> str:
    """Give one spelling of a mutation: sorted keys, no white space; holds even what no database can."""
    try:
        return orjson.dumps(mutation, option=orjson.OPT_SORT_KEYS).decode()
    except (TypeError, orjson.JSONEncodeError):
        return json.dumps(mutation, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def read_envelope(mutation: object) -> Envelope | list[Problem]:
    """Check the outer shape of a mutation.

    What has an id can be kept with its faults, so it gives an envelope; without one there are only the faults.
    """
    if not isinstance(mutation, Mapping):
        return [_problem("", "type")]
    if not is_uuid(mutation.get("id")):
        return [_problem("/id", "type")]
    kind, fields, needs = mutation.get("type"), mutation.get("fields", {}), mutation.get("depends_on") or []
    sound = {
        "object": is_uuid(mutation.get("object")),
        "type": isinstance(kind, str) and len(kind) <= 60,
        "fields": isinstance(fields, Mapping),
        "base_rev": _is_count(mutation.get("base_rev")),
        "device_seq": _is_count(mutation.get("device_seq")),
        "depends_on": isinstance(needs, list)
        and len(needs) <= MAX_MUTATIONS
        and all(is_uuid(n) for n in needs),
    }
    payload = canonical(mutation)
    data = payload.encode()
    return Envelope(
        id=UUID(mutation["id"]),
        type=str(kind) if sound["type"] else "",
        object=UUID(mutation["object"]) if sound["object"] else NO_OBJECT,
        base_rev=mutation.get("base_rev") if sound["base_rev"] else None,
        fields=fields if sound["fields"] else {},
        depends_on=tuple(UUID(n) for n in needs) if sound["depends_on"] else (),
        device_seq=mutation.get("device_seq") if sound["device_seq"] else None,
        payload=payload,
        hash=hashlib.sha256(data).hexdigest(),
        size=len(data),
        problems=tuple(_problem(f"/{key}", "type") for key, is_sound in sound.items() if not is_sound),
    )


def is_uuid(value: object) -> bool:
    """Tell whether the value is the usual spelling of a UUID."""
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31)


def _problem(pointer: str, code: str) -> Problem:
    return Problem(pointer, code, "Sai kiểu dữ liệu.", "The value is missing or has the wrong type.")


@dataclass(frozen=True)
class Cursor:
    """Where a phone stands: the epoch it knows, the number reached in each stream, the streams it is still loading."""

    epoch: str
    seqs: Mapping[str, int] = field(default_factory=dict)
    loading: frozenset[str] = frozenset()

    def encode(self) -> str:
        """Give the opaque string."""
        data = {"e": self.epoch, "s": dict(sorted(self.seqs.items())), "l": sorted(self.loading)}
        return base64.urlsafe_b64encode(orjson.dumps(data)).decode().rstrip("=")


def decode_cursor(text: str) -> Cursor | None:
    """Read a cursor; None when it is not one. No trust is placed in what it says."""
    try:
        data = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        seqs = {str(k): v for k, v in data["s"].items() if type(v) is int and 0 <= v < 2**62}
        sound = len(seqs) == len(data["s"]) <= 1000 and isinstance(data["e"], str)
        return Cursor(data["e"], seqs, frozenset(map(str, data["l"]))) if sound else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True)
class Keep:
    """For how many days the engine keeps what it needs only for a time (docs/operations.md)."""

    tombstone_days: int = 90
    payload_days: int = 180
    receipt_days: int = 400
    outbox_days: int = 30


_NUMBERS = re.compile(r"[0-9]{1,6}")
Versions = Mapping[str, tuple[int, ...]]


def read_version(text: str) -> tuple[int, ...]:
    """Read the numbers of a version, `1.10.2` after `1.9`; text without numbers comes before all."""
    return tuple(int(n) for n in _NUMBERS.findall(text[:40])[:4])


def read_versions(text: str) -> Versions:
    """Read the lowest app version per type of mutation, JSON such as `{"inspection.submit": "1.4"}`.

    Raises ValueError.
    """
    told = orjson.loads(text) if text.strip() else {}
    if not isinstance(told, dict) or not all(isinstance(v, str) and read_version(v) for v in told.values()):
        raise ValueError('not of the form {"inspection.submit": "1.4"}')
    return {kind: read_version(version) for kind, version in told.items()}


def version_needed(kind: str, app_version: str, minimums: Versions) -> str | None:
    """Give the version that a phone must have for this type of mutation, None when it may send it.

    A phone that does not say its version is not held up: plain clients and tools do not.
    """
    minimum = minimums.get(kind)
    if minimum is None or not app_version or read_version(app_version) >= minimum:
        return None
    return ".".join(map(str, minimum))
