"""What an answer must have: a pattern with literal members and marks such as `<uuid>`; further members are allowed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.recordings.world import World

# Members whose very values phones act on.
LITERAL = frozenset(
    "status code original_status op k s state pointer warnings wipe more merged retry_after min_version protocol "
    "kind mime needs rev fields drop reset snapshot outcome Upload-Offset Upload-Length Tus-Resumable".split()
)
WHOLE = frozenset({"content", "limits", "current", "statement", "answers", "claims"})
SOME = frozenset({"changes", "errors", "reports", "uploads", "notes"})


def _is_moment(value: Any) -> bool:
    try:
        return bool(datetime.fromisoformat(value).tzinfo)
    except (TypeError, ValueError):
        return False


def _is_uuid(value: Any) -> bool:
    try:
        return bool(str(UUID(value)) == value)
    except (TypeError, ValueError, AttributeError):
        return False


MARKS: dict[str, Any] = {
    "<uuid>": _is_uuid,
    "<moment>": _is_moment,
    "<int>": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "<text>": lambda value: isinstance(value, str),
    "<object>": lambda value: isinstance(value, dict),
    "<any>": lambda _value: True,
}


def generalised(world: World, value: Any, key: str = "") -> Any:
    """Make the pattern of a value: what phones act on as it is, the rest by its kind."""
    if key in WHOLE and isinstance(value, dict):
        return "<object>"
    if isinstance(value, dict):
        return {world.named(name): generalised(world, item, name) for name, item in value.items()}
    if isinstance(value, list):
        items = [generalised(world, item, key) for item in value]
        return {"$some": _unique(items)} if key in SOME else items
    if value is None or isinstance(value, bool) or key in LITERAL:
        return world.named(value) if isinstance(value, str) else value
    if isinstance(value, str) and re.search(r"\{\{", world.named(value)):
        return world.named(value)
    return next(mark for mark, fits in MARKS.items() if fits(value))


def faults(pattern: Any, value: Any, place: str = "") -> list[str]:
    """Give what of an answer does not fit its pattern; placeholders must have been filled."""
    if isinstance(pattern, str) and pattern in MARKS:
        return [] if MARKS[pattern](value) else [f"{place}: {value!r} is no {pattern}"]
    if isinstance(pattern, dict) and set(pattern) == {"$some"}:
        return [
            f"{place}: nothing like {wanted}"
            for wanted in pattern["$some"]
            if not any(not faults(wanted, item) for item in value)
        ]
    if isinstance(pattern, dict):
        if not isinstance(value, dict):
            return [f"{place}: {value!r} is no object"]
        missing = [f"{place}/{key}: missing" for key in pattern if key not in value]
        return missing + [
            f for key in pattern if key in value for f in faults(pattern[key], value[key], f"{place}/{key}")
        ]
    if isinstance(pattern, list) and isinstance(value, list) and len(pattern) == len(value):
        return [
            f
            for i, (p, v) in enumerate(zip(pattern, value, strict=True))
            for f in faults(p, v, f"{place}/{i}")
        ]
    return [] if pattern == value else [f"{place}: {value!r} is not {pattern!r}"]


def _unique(items: list[Any]) -> list[Any]:
    return [item for i, item in enumerate(items) if item not in items[:i]]
