"""Receipts: what the server signs once a version of a record is complete and all its bytes are durable.

The bytes are read back and hashed before anything is signed, so a receipt never stands for a file that is not there.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.utils import timezone

from apps.audit.actions import announced_key, log, sign_head
from apps.audit.models import Event
from apps.audit.queries import head_facts, latest_head
from apps.changes.actions import Item, record
from apps.common.actor import Actor
from apps.common.records import new_id
from apps.common.sql import insert_record
from apps.common.transactions import transactional, whole
from apps.evidence.models import Attachment, Capture, Receipt
from apps.evidence.queries import RECEIPT, receipt_body, receipt_streams
from apps.evidence.storage import depot

logger = structlog.get_logger(__name__)
PIECE = 1024 * 1024
AT_A_TIME = 100


@dataclass(frozen=True)
class Complete:
    """A version of a record that is complete: which files it names, and the audit event that says so.

    `unnamed` and `posts` are found by `issue_receipts`: files of the record that are stored and that this version does
    not name, and the posts from which its files came.
    """

    owner_kind: str
    owner_id: UUID
    number: str
    version: int
    content_sha256: str
    posting_id: UUID
    photos: tuple[UUID, ...]
    event_id: UUID
    unnamed: tuple[UUID, ...] = ()
    posts: tuple[UUID, ...] = ()


Confirm = Callable[[Sequence[Complete]], Sequence[Complete]]


def issue_receipts(*, actor: Actor, versions: Iterable[Complete], confirm: Confirm) -> int:
    """Sign for those of the versions whose files are all durable and which have no receipt yet; gives how many.

    Files are read back before anything is locked. A transaction signs for up to a hundred; in it, `confirm` locks the
    records, before any stream is raised, and gives those that are still what was looked at. Raises StorageUnavailable,
    SigningKeyMissing, LedgerBroken.
    """
    versions = list(versions)
    signed = signed_versions(v.owner_id for v in versions)
    count = 0
    for batch in _in_batches(v for v in versions if (v.owner_kind, v.owner_id, v.version) not in signed):
        ready = _durable(batch)
        if ready:
            with whole():
                count += len(sign_receipts(actor=actor, versions=confirm(ready)))
    return count


def _in_batches(versions: Iterable[Complete]) -> Iterator[list[Complete]]:
    """Give so many as a transaction takes, those of one post beside each other, so that few streams are raised."""
    those = sorted(versions, key=lambda version: str(version.posting_id))
    for start in range(0, len(those), AT_A_TIME):
        yield those[start : start + AT_A_TIME]


def _durable(versions: Sequence[Complete]) -> list[Complete]:
    """Give the versions of which every named file is stored and is what its row says, with what else is stored."""
    kept: dict[tuple[str, UUID], dict[UUID, Attachment]] = defaultdict(dict)
    rows = Attachment.objects.filter(
        owner_id__in={v.owner_id for v in versions}, state=Attachment.State.STORED, is_draft=False
    )
    for photo in rows.order_by("pk"):
        kept[photo.owner_kind, photo.owner_id][photo.pk] = photo
    judged: dict[UUID, bool] = {}

    def is_durable(photo: Attachment) -> bool:
        if photo.pk not in judged:
            judged[photo.pk] = are_durable([photo])
        return judged[photo.pk]

    ready = []
    for version in versions:
        own = kept[version.owner_kind, version.owner_id]
        if not all(pk in own and is_durable(own[pk]) for pk in version.photos):
            continue
        unnamed = tuple(pk for pk, photo in own.items() if pk not in version.photos and is_durable(photo))
        posts = sorted({version.posting_id, *(own[pk].posting_id for pk in (*version.photos, *unnamed))})
        ready.append(replace(version, unnamed=unnamed, posts=tuple(posts)))
    return ready


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


@transactional
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
    captures = Capture.objects.in_bulk([photo for v in versions for photo in (*v.photos, *v.unnamed)])
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
    body, streams = receipt_body(receipt), receipt_streams(receipt)
    return Item("receipt.issued", RECEIPT, receipt.pk, 1, body=body, streams=streams)


def _facts(version: Complete, leaf_hash: bytes, captures: Mapping[UUID, Capture]) -> dict[str, Any]:
    return {
        "v": 1,
        "kind": "receipt",
        **_named(version),
        "number": version.number,
        "content_sha256": version.content_sha256,
        "photos": [_photo(captures[pk]) for pk in version.photos],
        "unnamed": [_photo(captures[pk]) for pk in version.unnamed],
        "posts": version.posts,
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
