"""`log()`: the one way to write an audit event, inside the transaction of what it tells."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from apps.audit.rules.sealing import SALT_BYTES, leaf_hash
from apps.common.actor import Actor
from apps.common.records import new_id
from apps.common.sql import insert


def log(
    actor: Actor,
    action: str,
    record_kind: str,
    oid: UUID | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write down that `actor` did `action` (`noun.past_tense`) to a record; `data` holds JSON types only.

    The event is sealed as it is written: `body` is all of it as bytes, whose leaf the ledger numbers after the commit.
    """
    row = {
        "id": new_id(),
        "at": timezone.now(),
        "actor_id": actor.officer_id,
        "device_id": actor.device_id,
        "request_id": actor.request_id[:64],
        "action": action,
        "record_kind": record_kind,
        "oid": oid,
        "note": actor.note[:500],
        "data": dict(data or {}),
    }
    body, salt = orjson.dumps(row), os.urandom(SALT_BYTES)
    insert("audit_event", {**row, "body": body, "salt": salt, "leaf_hash": leaf_hash(salt, body)})
