"""Reads of reference lists: the body of an entry as phones hold it."""

from __future__ import annotations

import orjson

KIND = "reference_entry"


def body(key: str, labels: tuple[str, str], data: str, *, valid: bool) -> str:
    """Give the ready JSON of an entry; `data` is JSON already."""
    label = {"vi": labels[0], "en": labels[1]}
    return orjson.dumps({"key": key, "label": label, "data": orjson.Fragment(data), "valid": valid}).decode()
