"""Telling phones of the server's keys: they pinned one at enrolment, and learn of the next by the word of that one."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit.actions import revoke_key, rotate_key
from apps.audit.actions.keys import KIND
from apps.audit.keys import ServerKey
from apps.audit.models import KeyStatement
from apps.changes.actions import Item, record
from apps.changes.rules import REF
from apps.common.actor import Actor


def rotate_server_key(*, actor: Actor) -> ServerKey:
    """Make the key that signs from now on and tell all phones; safe to call again. Raises SigningKeyMissing."""

    def tell(announcement: KeyStatement) -> None:
        record(actor, _item("server_key.added", announcement))

    return rotate_key(actor=actor, tell=tell)


@transaction.atomic
def revoke_server_key(*, actor: Actor, key_id: str, since: datetime, reason: str) -> None:
    """Tell all phones that a key is not to be trusted from a moment on. Raises LookupError and ValueError."""
    revoke_key(actor=actor, key_id=key_id, since=since, reason=reason)
    announcement = KeyStatement.objects.get(key_id=key_id, kind=KeyStatement.Kind.ADDED)
    record(actor, _item("server_key.revoked", announcement))


def key_body(announcement: KeyStatement) -> dict[str, Any]:
    """Give what a phone holds of a key: who signed for it, and whether it has been revoked. Bytes are base64."""
    revoked = KeyStatement.objects.filter(key_id=announcement.key_id, kind=KeyStatement.Kind.REVOKED).first()
    return {**_signed(announcement), "revoked": _signed(revoked) if revoked else None}


def key_rev(body: Mapping[str, Any]) -> int:
    """Give the revision of a key's body: it changes once, if ever."""
    return 2 if body["revoked"] else 1


def _signed(row: KeyStatement) -> dict[str, Any]:
    return {
        "key_id": row.key_id,
        "statement": base64.b64encode(bytes(row.body)).decode(),
        "signature": base64.b64encode(bytes(row.signature)).decode(),
        "signed_by": row.signed_by,
    }


def _item(change: str, announcement: KeyStatement) -> Item:
    body = key_body(announcement)
    return Item(change, KIND, announcement.pk, key_rev(body), body=body, streams=[REF])
