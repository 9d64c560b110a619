"""What the server states about a device: raw bytes, signed once, kept and handed out as they were signed."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from apps.audit.keys import server_key


@dataclass(frozen=True)
class Signed:
    """A statement: the exact bytes, the signature over them, and the key that made it (all but the id in base64)."""

    statement: str
    signature: str
    key_id: str
    public_key: str


def sign_statement(payload: bytes) -> Signed:
    """Sign the bytes with the server's key. Raises SigningKeyMissing."""
    key = server_key()
    return Signed(_b64(payload), _b64(key.sign(payload)), key.id, _b64(key.public))


def server_key_id() -> str:
    """Give the id of the key that signs now."""
    return server_key().id


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
