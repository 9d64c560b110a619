"""Pure decisions about codes, keys, signatures and tokens: what is written, hashed, signed and derived, and how.

The texts that a device signs are made here and nowhere else; docs/security.md lists them for writers of phone apps.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from apps.accounts.errors import DeviceRevoked, KeyNotUsable

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
CODE_LENGTH = 15  # 75 bits
CODE_GROUP = 5

ENROLLED, SUSPENDED = "enrolled", "suspended"


def check_standing(state: str, *, is_officer_active: bool) -> None:
    """Raise DeviceRevoked unless the device and its officer may be served; `wipe` tells the phone to erase itself.

    A suspended device or officer may come back, so the phone keeps what it holds; a lost device never may.
    """
    if state not in {ENROLLED, SUSPENDED}:
        raise DeviceRevoked(members={"wipe": True, "state": state})
    if state == SUSPENDED:
        raise DeviceRevoked(members={"wipe": False, "state": state})
    if not is_officer_active:
        raise DeviceRevoked(members={"wipe": False, "state": "officer-suspended"})


def digest(secret: str) -> str:
    """Give the SHA-256 (hex) under which a token or code is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_token() -> str:
    """Make an opaque token of 256 random bits."""
    return secrets.token_urlsafe(32)


def successor_tokens(key: bytes, refresh_token: str, request_id: str) -> tuple[str, str]:
    """Derive the next (access, refresh) pair from the token it replaces and the id of the request.

    The same request gives the same pair, so a lost answer can be given again without storing any token.
    """
    seed = f"{refresh_token}\n{request_id}".encode("utf-8", "surrogatepass")
    access, refresh = (hmac.digest(key, purpose + seed, "sha256") for purpose in (b"access\n", b"refresh\n"))
    return _text(access), _text(refresh)


def new_code() -> str:
    """Make a one-time enrolment code: 75 random bits in Crockford's base 32, in groups of five."""
    letters = "".join(secrets.choice(CROCKFORD) for _ in range(CODE_LENGTH))
    return "-".join(letters[i : i + CODE_GROUP] for i in range(0, CODE_LENGTH, CODE_GROUP))


def normal_code(typed: str) -> str:
    """Read a code as people type it: any case, with or without dashes, O for 0, I and L for 1."""
    return typed.upper().translate(_READ_AS)[:64]


def enrolment_proof(code: str) -> bytes:
    """Give the text whose signature proves, at enrolment, that the phone holds the private key."""
    return f"enrol|{normal_code(code)}".encode("utf-8", "surrogatepass")


def refresh_proof(device_id: str, request_id: str, refresh_token: str) -> bytes:
    """Give the text that the device signs to rotate its tokens."""
    return f"refresh|{device_id}|{request_id}|{digest(refresh_token)}".encode("utf-8", "surrogatepass")


def sign_in_proof(device_id: str, username: str, signed_at: str) -> bytes:
    """Give the text that the device signs when its officer signs in again; `signed_at` as sent."""
    return f"session|{device_id}|{username}|{signed_at}".encode("utf-8", "surrogatepass")


def load_key(spki: str) -> ec.EllipticCurvePublicKey:
    """Read a public key (SubjectPublicKeyInfo, DER, base64) on P-256. Raises KeyNotUsable."""
    if len(spki) > 400:
        raise KeyNotUsable
    try:
        key = load_der_public_key(base64.b64decode(spki, validate=True))
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm) as error:
        raise KeyNotUsable from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyNotUsable
    return key


def is_signed(spki: str, signature: str, message: bytes) -> bool:
    """Tell whether `signature` (base64; ECDSA with SHA-256, DER or the 64 raw bytes of WebCrypto) fits."""
    try:
        raw = base64.b64decode(signature[:400], validate=True)
        load_key(spki).verify(_der(raw) if len(raw) == 64 else raw, message, ec.ECDSA(SHA256()))
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return True


def _der(raw: bytes) -> bytes:
    """Turn r‖s into the DER form; a DER signature of 64 bytes does not occur with two 32-byte numbers in practice."""
    parts = b"".join(_integer(raw[i : i + 32]) for i in (0, 32))
    return b"\x30" + bytes([len(parts)]) + parts


def _integer(number: bytes) -> bytes:
    body = number.lstrip(b"\0") or b"\0"
    body = b"\0" + body if body[0] & 0x80 else body
    return b"\x02" + bytes([len(body)]) + body


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
