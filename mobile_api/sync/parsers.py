"""The body of a push: one bad mutation must not spoil the others, so faults are told by position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from rest_framework.parsers import BaseParser

from apps.common.errors import InvalidFields, Problem
from apps.sync.errors import PushTooLarge
from apps.sync.rules import (
    DEFAULT_PULL_ROWS,
    LIMITS,
    MAX_MUTATIONS,
    MAX_PULL_BYTES,
    MAX_PULL_ROWS,
    MAX_WAIT_SECONDS,
)
from mobile_api.parsers import MAX_FAULTS, PUSH, find_faults, parse, read_bytes

MAX_CURSOR = 100_000


@dataclass(frozen=True)
class PushBody:
    """The mutations of a push, and what cannot be stored in which of them."""

    device_id: str
    mutations: list[Any]
    faults: Mapping[int, list[Problem]]


class PushParser(BaseParser):
    """`application/json`, plain or gzip, up to the limits of a push."""

    media_type = "application/json"

    def parse(  # type: ignore[override]  # a parser may give any value; the stubs know forms only
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> PushBody:
        """Read the body. Raises Malformed, TooLarge, PushTooLarge, InvalidFields or MediaTypeUnsupported."""
        request = (parser_context or {})["request"]
        value, is_suspect = parse(read_bytes(stream, request.headers, PUSH), PUSH)
        mutations = value.get("mutations") if isinstance(value, dict) else None
        if not isinstance(mutations, list):
            raise InvalidFields(errors=[_problem("/mutations")])
        if len(mutations) > MAX_MUTATIONS:
            raise PushTooLarge(members={"limits": dict(LIMITS)})
        device_id = value.get("device_id", "")
        if not isinstance(device_id, str):
            raise InvalidFields(errors=[_problem("/device_id")])
        return PushBody(device_id, mutations, _faults(mutations) if is_suspect else {})


def plain_wish(data: object) -> dict[str, Any] | None:
    """Read the body of an everyday pull; None for any other, which the serializer judges and tells the faults of.

    Building a serializer would cost as much as the rest of a pull that has nothing to tell.
    """
    if not isinstance(data, dict) or not data.keys() <= _EVERYDAY.keys():
        return None
    wish = {**_EVERYDAY, **data}
    cursor, limit, size, wait = wish["cursor"], wish["limit"], wish["max_bytes"], wish["wait"]
    sound = cursor is None or (type(cursor) is str and 0 < len(cursor) <= MAX_CURSOR)
    sound = sound and type(limit) is type(size) is type(wait) is int and wish["reset"] == []
    in_bounds = sound and 1 <= limit <= MAX_PULL_ROWS and 1000 <= size <= MAX_PULL_BYTES
    return wish if in_bounds and 0 <= wait <= MAX_WAIT_SECONDS else None


_EVERYDAY: Mapping[str, Any] = {
    "cursor": None,
    "limit": DEFAULT_PULL_ROWS,
    "max_bytes": MAX_PULL_BYTES,
    "wait": 0,
    "reset": [],
}


def _faults(mutations: list[Any]) -> dict[int, list[Problem]]:
    found = {i: list(zip(find_faults(m), range(MAX_FAULTS), strict=False)) for i, m in enumerate(mutations)}
    return {i: [problem for problem, _ in faults] for i, faults in found.items() if faults}


def _problem(pointer: str) -> Problem:
    return Problem(pointer, "type", "Thiếu hoặc sai kiểu dữ liệu.", "This is missing or has the wrong type.")
