"""Who is calling: an opaque access token, bound to a device, judged against the database on every request."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes
from uuid import UUID

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.accounts.actions.contact import note_contact
from apps.accounts.errors import NotSignedIn, TokenExpired, TokenInvalid
from apps.accounts.queries import Caller, caller_by_access
from apps.accounts.rules import check_standing
from apps.common.actor import Actor
from apps.common.sql import as_uuid
from apps.common.text import clean_text
from apps.sync.queries import EPOCH

MAX_TOKEN = 200


@dataclass(frozen=True, slots=True)
class DeviceAuth:
    """What `request.auth` holds: the actor for actions and querysets, their session, and the epoch of the database."""

    actor: Actor
    session_id: UUID
    epoch: str


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; `X-Device-Id`, when given, must name the token's device."""

    def authenticate(self, request: Request) -> tuple[Actor, DeviceAuth] | None:
        """Give actor and DeviceAuth, or None without a token.

        Raises DeviceRevoked (also for an expired token: a lost phone must learn it), TokenInvalid or TokenExpired.
        """
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        caller = (
            caller_by_access(given.strip(), asking=EPOCH)
            if scheme.lower() == "bearer" and len(given) <= MAX_TOKEN
            else None
        )
        if caller is None:
            raise TokenInvalid
        auth = _judged(request, caller)
        note_contact(
            actor=auth.actor,
            last_seen_at=caller.last_seen_at,
            app_version=_storable(request.headers.get("App-Version", "")),
        )
        return auth.actor, auth

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme for the 401 answer."""
        return 'Bearer realm="haidang"'


def _judged(request: Request, caller: Caller) -> DeviceAuth:
    check_standing(caller.device_state, is_officer_active=caller.is_active)
    if caller.has_ended or not _names(request.headers.get("X-Device-Id", ""), caller.device_id):
        raise TokenInvalid
    if caller.expires_at <= timezone.now():
        raise TokenExpired
    actor = Actor(
        officer_id=caller.officer_id,
        name=caller.name,
        posts=caller.posts,
        device_id=caller.device_id,
        request_id=request.META.get("haidang.request_id", ""),
        note=_storable(request.headers.get("X-Action-Note", ""))[:500],
    )
    return DeviceAuth(actor, caller.session_id, str(as_uuid(caller.told)))


def _names(header: str, device_id: UUID) -> bool:
    return not header or header.strip().lower() == str(device_id)


def _storable(header: str) -> str:
    """Read a header as UTF-8, also percent-encoded: a browser's `fetch` takes Latin-1 alone."""
    if not header:
        return ""
    raw = unquote_to_bytes(header.encode("latin-1", "replace"))
    return clean_text(raw.decode("utf-8", "replace"))


class IsEnrolledDevice(BasePermission):
    """Only an enrolled device with a valid token; outsiders learn nothing but that they must sign in."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Raise NotSignedIn for an anonymous caller."""
        if not isinstance(request.auth, DeviceAuth):
            raise NotSignedIn
        return True
