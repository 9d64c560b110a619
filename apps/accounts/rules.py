"""Pure decisions about authority, codes, keys, signatures and tokens: who may, and what is signed and derived, and how.

The texts that a device signs are made here and nowhere else; docs/security.md lists them for writers of phone apps.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Collection
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from apps.accounts.errors import DeviceRevoked, KeyNotUsable, SecondPersonNeeded
from apps.common.actor import Actor
from apps.common.errors import NotAllowed

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
CODE_LENGTH = 15  # 75 bits
CODE_GROUP = 5

CHALLENGE_SECONDS = 120

ENROLLED, SUSPENDED = "enrolled", "suspended"
LEADER, ADMINISTRATOR = "leader", "administrator"


def check_administers(actor: Actor, officer_id: UUID | None = None) -> None:
    """Raise NotAllowed for anyone but an administrator, and SecondPersonNeeded when it is about oneself."""
    if actor.is_system:
        return
    if not actor.has_role(ADMINISTRATOR):
        raise NotAllowed
    if officer_id is not None and actor.officer_id == officer_id:
        raise SecondPersonNeeded


def oversees(actor: Actor, units: Collection[UUID]) -> bool:
    """Tell whether the actor administers, or leads one of the units (those where the officer serves now)."""
    if actor.is_system or actor.has_role(ADMINISTRATOR):
        return True
    return not actor.reach_of(LEADER).isdisjoint(units)


def check_issues_code(actor: Actor, officer_id: UUID, units: Collection[UUID], *, has_device: bool) -> None:
    """Raise unless the actor may issue an enrolment code for the officer.

    An officer may enrol the first device alone; every further one takes a leader or an administrator beside them.
    """
    if actor.officer_id == officer_id:
        if has_device:
            raise SecondPersonNeeded
    elif not oversees(actor, units):
        raise NotAllowed


def check_manages_device(
    actor: Actor, officer_id: UUID, units: Collection[UUID], *, is_reinstating: bool
) -> None:
    """Raise unless the actor may shut out, or let in again, a device of the officer who serves in `units`."""
    if actor.officer_id == officer_id:
        if is_reinstating:
            raise SecondPersonNeeded
    elif not oversees(actor, units):
        raise NotAllowed


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


def sign_in_proof(device_id: str, username: str, challenge: str) -> bytes:
    """Give the text that the device signs when its officer signs in again; user name and challenge as sent."""
    return f"session|{device_id}|{username}|{challenge}".encode("utf-8", "surrogatepass")


def new_challenge(key: bytes, device_id: str, now: int) -> str:
    """Make the server's challenge for a sign-in: the time (seconds), a nonce, and a mac over both and the device."""
    head = f"{now}.{secrets.token_hex(8)}"
    return f"{head}.{_challenge_mac(key, device_id, head)}"


def is_fresh_challenge(key: bytes, device_id: str, challenge: str, now: int) -> bool:
    """Tell whether we made the challenge for this device within the last two minutes."""
    head, _, mac = challenge[:200].rpartition(".")
    if not hmac.compare_digest(mac.encode(), _challenge_mac(key, device_id, head).encode()):
        return False
    made = head.partition(".")[0]
    return made.isascii() and made.isdigit() and 0 <= now - int(made) <= CHALLENGE_SECONDS


def _challenge_mac(key: bytes, device_id: str, head: str) -> str:
    return hmac.new(key, f"challenge|{device_id}|{head}".encode(), "sha256").hexdigest()


def load_key(spki: str) -> ec.EllipticCurvePublicKey:
    """Read a public key (SubjectPublicKeyInfo, DER, base64) on the curve P-256. Raises KeyNotUsable."""
    if len(spki) > 400:
        raise KeyNotUsable
    try:
        key = load_der_public_key(base64.b64decode(spki, validate=True))
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm) as error:
        raise KeyNotUsable from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyNotUsable
    return key


def normal_key(spki: str) -> str:
    """Give the one spelling of a public key under which it is stored. Raises KeyNotUsable."""
    der = load_key(spki).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def is_signed(spki: str, signature: str, message: bytes) -> bool:
    """Tell whether `signature` (base64; ECDSA with SHA-256, DER or the 64 raw bytes of WebCrypto) fits."""
    try:
        raw = base64.b64decode(signature[:400], validate=True)
    except (ValueError, binascii.Error):
        return False
    return fits(spki, as_der(raw), message)


def fits(spki: str, der: bytes, message: bytes) -> bool:
    """Tell whether a signature in DER form (ECDSA with SHA-256) over the message is by the key."""
    try:
        load_key(spki).verify(der, message, ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature, KeyNotUsable):
        return False
    return True


def as_der(raw: bytes) -> bytes:
    """Turn the 64 bytes r‖s of WebCrypto into the DER form, which openssl demands; anything else stays as it is.

    A DER signature of 64 bytes does not occur with two 32-byte numbers in practice.
    """
    if len(raw) != 64:
        return raw
    parts = b"".join(_integer(raw[i : i + 32]) for i in (0, 32))
    return b"\x30" + bytes([len(parts)]) + parts


def _integer(number: bytes) -> bytes:
    body = number.lstrip(b"\0") or b"\0"
    body = b"\0" + body if body[0] & 0x80 else body
    return b"\x02" + bytes([len(body)]) + body


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
