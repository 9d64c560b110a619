"""Receipts: what the server signs once a version of a record is complete and all its bytes are durable.

The bytes are read back and hashed before anything is signed, so a receipt never stands for a file that is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import transaction
from django.utils import timezone

from apps.audit.actions import announced_key, log, sign_head
from apps.audit.models import Event
from apps.audit.queries import head_facts, latest_head
from apps.changes.actions import Item, record
from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.common.records import new_id
from apps.evidence.models import Attachment, Capture, Receipt
from apps.evidence.queries import RECEIPT, receipt_body
from apps.evidence.storage import depot

logger = structlog.get_logger(__name__)
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Complete:
    """A version of a record that is complete: which files it names, and the audit event that says so."""

    owner_kind: str
    owner_id: UUID
    number: str
    version: int
    content_sha256: str
    posting_id: UUID
    photos: tuple[UUID, ...]
    event_id: UUID


def are_durable(attachments: Sequence[Attachment]) -> bool:
    """Read every original back and compare; a file that is not what its row says is logged, and nothing is signed.

    Raises StorageUnavailable.
    """
    for attachment in attachments:
        found = original_hash(attachment)
        if found != (attachment.sha256, attachment.size):
            logger.critical("receipt.withheld", attachment=str(attachment.pk), found=found)
            return False
    return True


def original_hash(attachment: Attachment) -> tuple[str, int] | None:
    """Give hash and length of what lies at an attachment's place; None when nothing does. Raises StorageUnavailable."""
    digest, length = hashlib.sha256(), 0
    try:
        with depot().open(attachment.original) as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                length += len(piece)
    except FileNotFoundError:
        return None
    return digest.hexdigest(), length


@transaction.atomic
def issue_receipt(*, actor: Actor, complete: Complete) -> Receipt | None:
    """Sign for a complete version, once, and send the receipt to the officer's stream; None when it was signed before.

    The caller holds the record locked and has asked `are_durable`. Raises SigningKeyMissing and LedgerBroken.
    """
    owner = {"owner_kind": complete.owner_kind, "owner_id": complete.owner_id}
    if Receipt.objects.filter(**owner, version=complete.version).exists():
        return None
    key, now = announced_key(), timezone.now()
    body = orjson.dumps({**_facts(complete), "server_time": now, "key_id": key.id})
    receipt = Receipt.objects.create(
        id=new_id(),
        **owner,
        version=complete.version,
        posting_id=complete.posting_id,
        event_id=complete.event_id,
        at=now,
        key_id=key.id,
        body=body,
        signature=key.sign(body),
    )
    log(
        actor,
        "receipt.issued",
        RECEIPT,
        receipt.pk,
        {
            "sha256": hashlib.sha256(body).hexdigest(),
            "posting": str(complete.posting_id),
            **_named(complete),
        },
    )
    streams = [post_stream(complete.posting_id)]
    record(actor, Item("receipt.issued", RECEIPT, receipt.pk, 1, body=receipt_body(receipt), streams=streams))
    return receipt


def _facts(complete: Complete) -> dict[str, Any]:
    event = Event.objects.get(pk=complete.event_id)
    return {
        "v": 1,
        "kind": "receipt",
        **_named(complete),
        "number": complete.number,
        "content_sha256": complete.content_sha256,
        "photos": _photos(complete.photos),
        "event": {"id": event.pk, "leaf_hash": bytes(event.leaf_hash).hex()},
        "head": head_facts(latest_head() or sign_head()),
    }


def _named(complete: Complete) -> dict[str, Any]:
    return {
        "record_kind": complete.owner_kind,
        "record_id": str(complete.owner_id),
        "version": complete.version,
    }


def _photos(ids: Sequence[UUID]) -> list[dict[str, Any]]:
    captures = {capture.attachment_id: capture for capture in Capture.objects.filter(pk__in=list(ids))}
    return [
        {
            "id": pk,
            "sha256": captures[pk].sha256,
            "size": captures[pk].size,
            "signed": captures[pk].verdict,
            "manifest_sha256": hashlib.sha256(captures[pk].manifest).hexdigest()
            if captures[pk].manifest
            else None,
        }
        for pk in ids
    ]
