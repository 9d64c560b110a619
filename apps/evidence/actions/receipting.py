"""Receipts: what the server signs once a version of a record is complete and all its bytes are durable.

The bytes are read back and hashed before anything is signed, so a receipt never stands for a file that is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
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
from apps.common.sql import insert_record
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
def sign_receipts(*, actor: Actor, versions: Sequence[Complete]) -> list[Receipt]:
    """Sign for complete versions, each once, and send the receipts to the officers' streams; gives the new ones.

    The caller holds the records locked and has asked `are_durable`. Raises SigningKeyMissing and LedgerBroken.
    """
    signed = signed_versions(v.owner_id for v in versions)
    versions = [v for v in versions if (v.owner_kind, v.owner_id, v.version) not in signed]
    if not versions:
        return []
    key, now = announced_key(), timezone.now()
    head = head_facts(latest_head() or sign_head())
    leaves = dict(Event.objects.filter(pk__in=[v.event_id for v in versions]).values_list("pk", "leaf_hash"))
    captures = Capture.objects.in_bulk([photo for v in versions for photo in v.photos])
    receipts = []
    for version in versions:
        facts = _facts(version, bytes(leaves[version.event_id]), captures)
        body = orjson.dumps({**facts, "head": head, "server_time": now, "key_id": key.id})
        receipt = Receipt(
            id=new_id(),
            owner_kind=version.owner_kind,
            owner_id=version.owner_id,
            version=version.version,
            posting_id=version.posting_id,
            event_id=version.event_id,
            at=now,
            key_id=key.id,
            body=body,
            signature=key.sign(body),
        )
        insert_record(receipt)
        said = {"sha256": hashlib.sha256(body).hexdigest(), "posting": str(version.posting_id)}
        log(actor, "receipt.issued", RECEIPT, receipt.pk, {**said, **_named(version)})
        receipts.append(receipt)
    record(actor, *map(_item, receipts))
    return receipts


def signed_versions(owners: Iterable[UUID]) -> set[tuple[str, UUID, int]]:
    """Give the versions of these records that have been signed for, as (kind, id, version)."""
    rows = Receipt.objects.filter(owner_id__in=list(owners))
    return set(rows.values_list("owner_kind", "owner_id", "version"))


def _item(receipt: Receipt) -> Item:
    streams = [post_stream(receipt.posting_id)]
    return Item("receipt.issued", RECEIPT, receipt.pk, 1, body=receipt_body(receipt), streams=streams)


def _facts(version: Complete, leaf_hash: bytes, captures: Mapping[UUID, Capture]) -> dict[str, Any]:
    return {
        "v": 1,
        "kind": "receipt",
        **_named(version),
        "number": version.number,
        "content_sha256": version.content_sha256,
        "photos": [_photo(captures[pk]) for pk in version.photos],
        "event": {"id": version.event_id, "leaf_hash": leaf_hash.hex()},
    }


def _named(version: Complete) -> dict[str, Any]:
    return {
        "record_kind": version.owner_kind,
        "record_id": str(version.owner_id),
        "version": version.version,
    }


def _photo(capture: Capture) -> dict[str, Any]:
    return {
        "id": capture.attachment_id,
        "sha256": capture.sha256,
        "size": capture.size,
        "signed": capture.verdict,
        "manifest_sha256": hashlib.sha256(capture.manifest).hexdigest() if capture.manifest else None,
    }
