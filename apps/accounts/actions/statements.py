"""The server's signing key (Ed25519) and what it signs: raw bytes, kept and handed out as they were signed.

The key lies in the data directory (`keys/server-ed25519.pem`, readable by the service alone) and is made on first use.
Its id is the start of the SHA-256 of the public key, so that statements signed before a rotation can still be checked.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings


@dataclass(frozen=True)
class Signed:
    """A statement: the exact bytes, the signature over them, and the key that made it (all but the id in base64)."""

    statement: str
    signature: str
    key_id: str
    public_key: str


def sign_statement(payload: bytes) -> Signed:
    """Sign the bytes with the server's key."""
    key, public, key_id = _server_key(settings.DATA_DIR / "keys" / "server-ed25519.pem")
    return Signed(_b64(payload), _b64(key.sign(payload)), key_id, _b64(public))


def server_key_id() -> str:
    """Give the id of the key that signs now."""
    return _server_key(settings.DATA_DIR / "keys" / "server-ed25519.pem")[2]


@lru_cache(maxsize=4)
def _server_key(path: Path) -> tuple[Ed25519PrivateKey, bytes, str]:
    if not path.exists():
        _make_key(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key")
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key, public, hashlib.sha256(public).hexdigest()[:16]


def _make_key(path: Path) -> None:
    """Write a new key so that of several processes starting at once exactly one wins, with a complete file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
