"""Pure parts of reference data: names of lists, streams and entries, vocabularies, substances, check digits.

No Django and no clock. What is published for the service stands in the CSV files of `apps/reference/lists`.
"""

from __future__ import annotations

import re
from uuid import UUID, uuid5

NAMESPACE = UUID("6f0b6a52-6b0c-5d53-9a34-0f1f6f2f7a10")
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")


def is_slug(text: str) -> bool:
    """Tell whether a text may name a list: lower case, digits and dashes, 40 at most."""
    return bool(_SLUG.fullmatch(text))


def list_stream(slug: str) -> str:
    """Name the stream of one list."""
    return f"list:{slug}"


def entry_id(slug: str, key: str) -> UUID:
    """Give the id of an entry: the same on every server and in every import."""
    return uuid5(NAMESPACE, f"{slug}|{key}")
