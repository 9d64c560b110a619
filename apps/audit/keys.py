"""The server's signing key (Ed25519) and what it signs: raw bytes, kept and handed out as they were signed.

The key is `HAIDANG_SERVER_KEY`, or lies in the keys directory (`server-ed25519.pem`, readable by the service alone).
Its id is the start of the SHA-256 of the public key. A deployment that is reached by HTTPS makes its key by
`manage.py server_keys make`; a demo or a developer's machine makes it on first use. What is said about keys, and which
were trusted when, stands in the ledger (`KeyStatement`), not here.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

from apps.audit.errors import SigningKeyMissing

FILE, NEXT = "server-ed25519.pem", "server-ed25519.next.pem"


@dataclass(frozen=True)
class ServerKey:
    """A key that signs, with the public half (32 bytes) and its id, by which keys are compared."""

    private: Ed25519PrivateKey = field(compare=False, repr=False)
    public: bytes
    id: str

    def sign(self, payload: bytes) -> bytes:
        """Give the 64-byte signature over the bytes."""
        return self.private.sign(payload)


def server_key() -> ServerKey:
    """Give the key that signs now. Raises SigningKeyMissing."""
    if settings.SERVER_KEY:
        return _from_seed(settings.SERVER_KEY)
    path = Path(settings.KEYS_DIR) / FILE
    try:
        return _from_file(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        if not settings.MAKES_OWN_KEY:
            raise SigningKeyMissing from None
    make_key_file(path)
    return _from_file(path, path.stat().st_mtime_ns)


def make_key_file(path: Path) -> ServerKey:
    """Write a new key, or give the one that is there: of several processes at once one wins, with a complete file."""
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
    return _from_file(path, path.stat().st_mtime_ns)


def take_next_key(path: Path, retired_id: str) -> None:
    """Put the next key in the place of the one that signs, which is kept under its id until it is destroyed."""
    with contextlib.suppress(FileExistsError):
        path.with_name(f"retired-{retired_id}.pem").hardlink_to(path)
    path.with_name(NEXT).replace(path)


def seed_of(key: ServerKey) -> str:
    """Give a private key as `HAIDANG_SERVER_KEY` takes it."""
    raw = key.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return base64.b64encode(raw).decode()


def key_id(public: bytes) -> str:
    """Name a public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def is_signed_by(public: bytes, signature: bytes, payload: bytes) -> bool:
    """Tell whether an Ed25519 signature over the bytes is by the key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, payload)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=8)
def _from_file(path: Path, _changed: int) -> ServerKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key")
    return _whole(key)


@lru_cache(maxsize=8)
def _from_seed(seed: str) -> ServerKey:
    return _whole(Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed, validate=True)))


def _whole(key: Ed25519PrivateKey) -> ServerKey:
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return ServerKey(key, public, key_id(public))
