"""The life of the server's key: announced in the ledger, followed by another, no longer trusted."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.audit.actions.events import log
from apps.audit.errors import SigningKeyMissing
from apps.audit.keys import FILE, NEXT, ServerKey, make_key_file, server_key, take_next_key
from apps.audit.models import KeyStatement
from apps.common.actor import SYSTEM, Actor

KIND = "server_key"
Kind = KeyStatement.Kind


@transaction.atomic
def announced_key() -> ServerKey:
    """Give the key that signs now, announced in the ledger; the very first one announces itself.

    Raises SigningKeyMissing when there is none, when others are known but this one was never announced, and when it is
    no longer trusted.
    """
    key = server_key()
    said = dict(KeyStatement.objects.filter(key_id=key.id).values_list("kind", "id"))
    if Kind.REVOKED in said:
        raise SigningKeyMissing
    if Kind.ADDED not in said:
        if KeyStatement.objects.exists():
            raise SigningKeyMissing
        _announce(SYSTEM, key, by=key)
    return key


def rotate_key(*, actor: Actor, tell: Callable[[KeyStatement], None] | None = None) -> ServerKey:
    """Make the key that signs from now on, announced by the one before it; safe to call again after a crash.

    `tell` is called with the announcement, in its transaction. With `HAIDANG_SERVER_KEY` in use the new key waits in
    the keys directory for its seed to be set.
    """
    old = announced_key()
    path = Path(settings.KEYS_DIR) / FILE
    new = make_key_file(path.with_name(NEXT))
    with transaction.atomic():
        if not KeyStatement.objects.filter(key_id=new.id).exists():
            row = _announce(actor, new, by=old)
            if tell is not None:
                tell(row)
    if not settings.SERVER_KEY:
        take_next_key(path, old.id)
    return new


@transaction.atomic
def revoke_key(*, actor: Actor, key_id: str, since: datetime, reason: str) -> KeyStatement:
    """Say that what a key signed from a moment on is not to be trusted; the key that signs now says so.

    Raises LookupError for a key that was never announced, ValueError for the one that signs now.
    """
    key = announced_key()
    if key.id == key_id:
        raise ValueError("rotate the key first: it cannot speak against itself")
    if not KeyStatement.objects.filter(key_id=key_id, kind=Kind.ADDED).exists():
        raise LookupError(key_id)
    now = timezone.now()
    body = {"v": 1, "kind": "server-key-revoked", "key_id": key_id, "from": since, "reason": reason}
    row = _say(Kind.REVOKED, key_id, {**body, "time": now, "signed_by": key.id}, key, now)
    log(
        actor,
        "server_key.revoked",
        KIND,
        data={"key_id": key_id, "from": since.isoformat(), "reason": reason},
    )
    return row


def _announce(actor: Actor, key: ServerKey, *, by: ServerKey) -> KeyStatement:
    now = timezone.now()
    public = base64.b64encode(key.public).decode()
    body = {"v": 1, "kind": "server-key", "key_id": key.id, "public_key": public, "time": now}
    row = _say(Kind.ADDED, key.id, {**body, "signed_by": by.id}, by, now)
    log(actor, "server_key.added", KIND, data={"key_id": key.id, "public_key": public, "signed_by": by.id})
    return row


def _say(kind: Kind, key_id: str, body: dict[str, object], by: ServerKey, now: datetime) -> KeyStatement:
    payload = orjson.dumps(body)
    row: KeyStatement = KeyStatement.objects.create(
        key_id=key_id, kind=kind, at=now, body=payload, signature=by.sign(payload), signed_by=by.id
    )
    return row
