"""How an event is sealed: its bytes are hashed under a salt of their own, and that hash is a leaf of the ledger.

leaf_hash = SHA-256(0x00 ‖ SHA-256(salt ‖ body)). Who does not hold the salt learns nothing from a leaf, so a proof
about one event gives no hint at its neighbours.
"""

from __future__ import annotations

import hashlib

SALT_BYTES = 16
_sha256 = hashlib.sha256


def leaf_hash(salt: bytes, body: bytes) -> bytes:
    """Give the leaf (32 bytes) that stands for a body under its salt."""
    return _sha256(b"\0" + _sha256(salt + body).digest()).digest()
