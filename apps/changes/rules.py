"""Pure arithmetic of the feed: names of streams and the additive digest of a stream."""

from __future__ import annotations

import hashlib
from uuid import UUID

DIGEST_MASK = (1 << 53) - 1

REF = "ref"


def post_stream(posting_id: UUID) -> str:
    """Name the stream of one posting: that officer's own reports while the posting lasts."""
    return f"post:{posting_id}"


def row_digest(kind: str, oid: UUID, rev: int) -> int:
    """Give the first 53 bits of SHA-256(`kind|id|rev`): exact in a JavaScript number."""
    digest = hashlib.sha256(f"{kind}|{oid}|{rev}".encode()).digest()
    return int.from_bytes(digest[:7], "big") >> 3
