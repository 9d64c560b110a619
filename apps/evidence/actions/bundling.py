"""Handing a record out as a bundle that proves itself: for whom and what for is written down."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log, sign_head, stamp_head
from apps.audit.authority import certificates
from apps.audit.models import Event, Head
from apps.audit.queries import latest_head
from apps.common.actor import Actor
from apps.common.text import clean_text
from apps.evidence.bundle import Contents, TimeStamp, Version, write_bundle
from apps.evidence.errors import NotReceipted
from apps.evidence.models import Attachment, Receipt


@dataclass(frozen=True)
class Told:
    """What an app tells of its record: each version as bytes, the events about it, and what custody adds."""

    kind: str
    id: UUID
    number: str
    versions: Mapping[int, bytes]
    events: Sequence[Event]
    custody: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """The zip, open at its beginning, the name it should bear, and its SHA-256."""

    file: IO[bytes]
    name: str
    sha256: str


def export_record(*, actor: Actor, told: Told, reason: str) -> Exported:
    """Make the bundle of a record that has a receipt; the caller has asked whether this person may have it, and why.

    Raises NotReceipted, StorageUnavailable, SigningKeyMissing, LedgerBroken.
    """
    rows = Receipt.objects.filter(owner_kind=told.kind, owner_id=told.id).order_by("version")
    receipts = [receipt for receipt in rows if receipt.version in told.versions]
    if not receipts:
        raise NotReceipted
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  whoever asked closes it
    write_bundle(file, _contents(told, receipts))
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1024 * 1024):
        digest.update(piece)
    file.seek(0)
    with transaction.atomic():
        said = {
            "sha256": digest.hexdigest(),
            "reason": clean_text(reason)[:500],
            "versions": [receipt.version for receipt in receipts],
        }
        log(actor, "bundle.exported", told.kind, told.id, said)
    return Exported(file, f"{told.number}.zip", digest.hexdigest())


def _contents(told: Told, receipts: Sequence[Receipt]) -> Contents:
    sign_head()
    head = latest_head()
    if head is None:
        raise NotReceipted
    photos = Attachment.objects.filter(
        owner_kind=told.kind, owner_id=told.id, is_draft=False, state=Attachment.State.STORED
    )
    about = [*photos.values_list("pk", flat=True), *(receipt.pk for receipt in receipts)]
    proving = Event.objects.filter(oid__in=about, action__in=("attachment.declared", "receipt.issued"))
    named = Event.objects.filter(pk__in=[receipt.event_id for receipt in receipts])
    events = {event.pk: event for event in (*told.events, *proving, *named)}
    return Contents(
        record_kind=told.kind,
        record_id=told.id,
        number=told.number,
        versions=[Version(r.version, told.versions[r.version], r) for r in receipts],
        photos=list(photos.order_by("pk")),
        events=[events[pk] for pk in sorted(events)],
        head=head,
        made_at=timezone.now(),
        custody=told.custody,
        files=told.files,
        stamp=_stamp(head),
    )


def _stamp(head: Head) -> TimeStamp | None:
    """Have the head stamped at once; a bundle that the authority does not stamp goes without, and says so."""
    stamp, pem = stamp_head(head), certificates()
    return TimeStamp(bytes(stamp.token), pem) if stamp and pem else None
