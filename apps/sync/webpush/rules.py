"""Pure parts of web push: which addresses may be poked, when, and the signed word that says who pokes (RFC 8292)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

POKE_EVERY = timedelta(seconds=30)
TOKEN_LIFETIME = timedelta(hours=12)
MAX_ENDPOINT = 1000
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class WebPush:
    """The service's own key, its contact, and the push services that may be called; off without a key."""

    private_key: str = ""
    subject: str = ""
    services: str = ""

    @property
    def is_on(self) -> bool:
        """Tell whether phones can be poked."""
        return bool(self.private_key)

    def key(self) -> ec.EllipticCurvePrivateKey:
        """Give the private key (32 bytes, base64url)."""
        return ec.derive_private_key(int.from_bytes(unpack(self.private_key), "big"), ec.SECP256R1())

    def public_key(self) -> str:
        """Give the public key as browsers take it: an uncompressed point, base64url."""
        return pack(self.key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    def may_call(self, endpoint: str) -> bool:
        """Tell whether an address is https on the usual port, at a service that is named, and nothing clever."""
        if len(endpoint) > MAX_ENDPOINT or not endpoint.isascii() or not endpoint.isprintable():
            return False
        try:
            parts = urlsplit(endpoint)
            port, host = parts.port, (parts.hostname or "").rstrip(".")
        except ValueError:
            return False
        if parts.scheme != "https" or port not in {None, 443} or "@" in parts.netloc or not host:
            return False
        return any(_fits(host, service.strip().lower()) for service in self.services.split(","))

    def authorization(self, endpoint: str, now: datetime) -> str:
        """Give the header that names the caller: a token for this service alone, twelve hours long."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + TOKEN_LIFETIME).timestamp()),
            "sub": self.subject,
        }
        text = f"{pack(orjson.dumps({'typ': 'JWT', 'alg': 'ES256'}))}.{pack(orjson.dumps(claims))}"
        r, s = decode_dss_signature(self.key().sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        signature = pack(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return f"vapid t={text}.{signature}, k={self.public_key()}"


def should_poke(
    heads: Mapping[str, int],
    pulled: Mapping[str, int],
    poked_for: Mapping[str, int],
    poked_at: datetime | None,
    now: datetime,
) -> bool:
    """Tell whether a phone is behind with something it was not yet poked for, and was left alone long enough."""
    if poked_at is not None and now - poked_at < POKE_EVERY:
        return False
    return any(seq > max(pulled.get(s, 0), poked_for.get(s, 0)) for s, seq in heads.items())


def is_key(text: str, size: int) -> bool:
    """Tell whether a text is so many bytes in base64url."""
    plain = text.rstrip("=")
    return bool(_BASE64URL.fullmatch(plain)) and len(plain) == (size * 4 + 2) // 3


def pack(data: bytes) -> str:
    """Give base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unpack(text: str) -> bytes:
    """Read base64url with or without padding."""
    text = text.rstrip("=")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _fits(host: str, service: str) -> bool:
    return host.endswith(service[1:]) if service.startswith("*.") else host == service
