"""Device sessions: opening, rotation of tokens that survives a lost answer, and the alarm when an old token returns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.utils import timezone

from apps.accounts.errors import ProofInvalid, SignInRefused, TokenExpired, TokenInvalid, TokenReused
from apps.accounts.models import Device, DeviceSession, DeviceToken, Officer
from apps.accounts.rules import (
    check_standing,
    digest,
    is_fresh_challenge,
    is_signed,
    new_challenge,
    new_token,
    refresh_proof,
    sign_in_proof,
    successor_tokens,
)
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.common.actor import Actor

SESSION = "session"
REUSED = "token-reused"


@dataclass(frozen=True)
class Tokens:
    """A pair of opaque tokens as the phone receives them; the server keeps their hashes."""

    access_token: str
    refresh_token: str
    access_expires_at: datetime
    refresh_expires_at: datetime


@dataclass(frozen=True)
class SignIn:
    """What the phone sends when its officer signs in again; `signature` is over `sign_in_proof`."""

    device_id: UUID
    username: str
    password: str
    challenge: str
    signature: str


@dataclass(frozen=True)
class Rotation:
    """What the phone sends to rotate; `request_id` is its own and the same on a retry."""

    refresh_token: str
    request_id: str
    signature: str


def challenge_device(*, actor: Actor, device_id: UUID) -> str:
    """Give a challenge for a sign-in, to known and unknown devices alike; nothing is stored."""
    del actor  # nobody yet
    return new_challenge(_key(), str(device_id), int(timezone.now().timestamp()))


@transaction.atomic
def open_session(*, actor: Actor, sign_in: SignIn) -> tuple[DeviceSession, Tokens]:
    """Sign the officer in on their own device; sessions that were open on it end.

    Raises SignInRefused, the same for an unknown name, a wrong password, a foreign device and a bad signature, and
    DeviceRevoked to a device that proves its key.
    """
    device = (
        Device.objects.select_for_update(of=("self",)).select_related("officer").filter(pk=sign_in.device_id)
    )
    found = device.first()
    if not _is_proved(found, sign_in) or found is None:
        _spend_time(sign_in.password)
        raise SignInRefused
    officer = found.officer
    check_standing(found.state, is_officer_active=officer.is_active)
    if not _is_officer(officer, sign_in):
        raise SignInRefused
    now = timezone.now()
    actor = replace(actor, officer_id=officer.pk, device_id=found.pk)
    end_open_sessions(found, "signed-in-again", now)
    session, tokens = start_session(found, now)
    log(actor, "session.opened", SESSION, session.pk)
    record(actor, Item("session.opened", SESSION, session.pk, 1))
    return session, tokens


def rotate_session(*, actor: Actor, rotation: Rotation) -> Tokens:
    """Give the tokens that follow; the same request within a minute gives the same ones.

    Raises DeviceRevoked, TokenInvalid, TokenExpired (also for the same request later than a minute: its answer is
    lost, sign in again), ProofInvalid, and TokenReused when another request comes with a token that was rotated
    already: then somebody holds a copy, and the session ends for all.
    """
    with transaction.atomic():
        tokens = _rotated(actor, rotation)
    if tokens is None:
        raise TokenReused
    return tokens


@transaction.atomic
def end_session(*, actor: Actor, session_id: UUID) -> None:
    """Sign out on the device: its tokens are worthless from now on. Ending twice changes nothing."""
    ended = DeviceSession.objects.filter(pk=session_id, ended_at=None).update(
        ended_at=timezone.now(), end_reason="signed-out"
    )
    if ended:
        log(actor, "session.ended", SESSION, session_id)
        record(actor, Item("session.ended", SESSION, session_id, 1))


def start_session(device: Device, now: datetime) -> tuple[DeviceSession, Tokens]:
    """Start a session with fresh random tokens; called inside the transaction that lets the device in."""
    session = DeviceSession.objects.create(device=device, started_at=now)
    return session, _issue(session, new_token(), new_token(), now)


def end_open_sessions(device: Device, reason: str, now: datetime) -> None:
    """End what is open on the device; called inside the transaction that shuts it out."""
    DeviceSession.objects.filter(device=device, ended_at=None).update(ended_at=now, end_reason=reason)


def _rotated(actor: Actor, rotation: Rotation) -> Tokens | None:
    """Rotate under a lock on the token's row; None when the session had to be ended."""
    rows = DeviceToken.objects.select_for_update(of=("self",)).select_related("session__device__officer")
    token = rows.filter(refresh_hash=digest(rotation.refresh_token)).first()
    if token is None:
        raise TokenInvalid
    session, device = token.session, token.session.device
    check_standing(device.state, is_officer_active=device.officer.is_active)
    proof = refresh_proof(str(device.pk), rotation.request_id, rotation.refresh_token)
    if not is_signed(device.public_key, rotation.signature, proof):
        raise ProofInvalid
    if session.ended_at is not None:
        raise TokenReused if session.end_reason == REUSED else TokenInvalid
    now = timezone.now()
    if token.rotated_at is not None:
        return _answered_before(actor, token, rotation, now)
    if token.refresh_expires_at <= now:
        raise TokenExpired
    token.rotated_at, token.rotated_by_request = now, rotation.request_id
    token.save(update_fields=["rotated_at", "rotated_by_request"])
    session.tokens.filter(refresh_expires_at__lte=now).delete()
    return _issue(session, *successor_tokens(_key(), rotation.refresh_token, rotation.request_id), now)


def _answered_before(actor: Actor, token: DeviceToken, rotation: Rotation, now: datetime) -> Tokens | None:
    """Answer a token that was rotated already: its own request gets the same successor, any other ends the session."""
    if token.rotated_by_request == rotation.request_id:
        if token.rotated_at is None or now - token.rotated_at > settings.REFRESH_REPLAY_WINDOW:
            raise TokenExpired
        access, refresh = successor_tokens(_key(), rotation.refresh_token, rotation.request_id)
        row = DeviceToken.objects.get(session_id=token.session_id, refresh_hash=digest(refresh))
        return Tokens(access, refresh, row.access_expires_at, row.refresh_expires_at)
    session = token.session
    end_open_sessions(session.device, REUSED, now)
    actor = replace(actor, officer_id=session.device.officer_id, device_id=session.device_id)
    log(actor, "session.reuse_detected", SESSION, session.pk, {"issued_at": token.issued_at.isoformat()})
    data = {"device": str(session.device_id), "officer": str(session.device.officer_id)}
    record(actor, Item("session.reuse_detected", SESSION, session.pk, 1, data=data))
    return None


def _issue(session: DeviceSession, access: str, refresh: str, now: datetime) -> Tokens:
    tokens = Tokens(
        access, refresh, now + settings.ACCESS_TOKEN_LIFETIME, now + settings.REFRESH_TOKEN_LIFETIME
    )
    DeviceToken.objects.create(
        session=session,
        access_hash=digest(access),
        refresh_hash=digest(refresh),
        issued_at=now,
        access_expires_at=tokens.access_expires_at,
        refresh_expires_at=tokens.refresh_expires_at,
    )
    return tokens


def _is_proved(device: Device | None, sign_in: SignIn) -> bool:
    if device is None:
        return False
    now = int(timezone.now().timestamp())
    proof = sign_in_proof(str(device.pk), sign_in.username, sign_in.challenge)
    return is_fresh_challenge(_key(), str(device.pk), sign_in.challenge, now) and is_signed(
        device.public_key, sign_in.signature, proof
    )


def _is_officer(officer: Officer, sign_in: SignIn) -> bool:
    """Tell whether name and password are this officer's; the password is computed in either case."""
    is_right = check_password(sign_in.password, officer.password)
    return is_right and sign_in.username.strip().lower() == officer.username.lower()


def _spend_time(password: str) -> None:
    """Take as long as a check of the password would, so that time tells nothing."""
    make_password(password)


def _key() -> bytes:
    """Give the secret from which successors and challenges are derived."""
    return hashlib.sha256(b"haidang.device-sessions|" + settings.SECRET_KEY.encode()).digest()
