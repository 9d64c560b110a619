"""A declared file whose bytes come in one piece, as those of most photos do.

It is hashed and looked at in memory, written and synced once, and settled in one transaction; nothing is acknowledged
before. Whatever is not plain (other bytes than declared, no photo, a second connection) goes the common way.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audit.actions import log
from apps.changes.actions import record
from apps.common.actor import Actor
from apps.common.errors import DomainError
from apps.common.records import new_id
from apps.common.sql import execute_all, insert_record, with_commit
from apps.evidence.actions.announcing import Expected
from apps.evidence.actions.finishing import KEPT_AFTER_FINISH, decided, judge, place_of, settle, start_again
from apps.evidence.errors import HashMismatch, OffsetMismatch
from apps.evidence.models import Attachment, Upload
from apps.evidence.queries import find_awaited
from apps.evidence.rules.content import Facts
from apps.evidence.storage import depot


def finish_at_once(*, actor: Actor, upload: Upload, data: bytes) -> Upload:
    """Judge and store all bytes of an open upload.

    Raises what `finalize_upload` raises, and OffsetMismatch when another connection has moved the upload meanwhile;
    the bytes it left at the content address are right for whoever comes next.
    """
    attachment = upload.attachment
    assert attachment is not None  # noqa: S101  the caller looked
    sha256 = hashlib.sha256(data).hexdigest()
    verdict = judge(data, attachment, sha256)
    if isinstance(verdict, HashMismatch):
        start_again(actor, upload, sha256)
        raise verdict
    depot().store(upload.pk, data, place_of(verdict, sha256))
    if not settle(actor, upload, verdict, stands_at=0):
        raise OffsetMismatch(members={"offset": upload.offset})
    if isinstance(verdict, DomainError):
        raise verdict
    return upload


def open_at_once(*, actor: Actor, attachment_id: UUID, metadata: str, data: bytes) -> Upload | None:
    """Store the bytes of a declared file that no upload is open for, and give an upload that is finished already.

    None when that cannot be: the common way then tells why, or does it step by step.
    """
    attachment, opened = find_awaited(actor, attachment_id)
    if attachment is None or opened is not None or actor.officer_id is None or actor.device_id is None:
        return None
    if attachment.state != Attachment.State.EXPECTED or attachment.size != len(data):
        return None
    sha256 = hashlib.sha256(data).hexdigest()
    verdict = judge(data, attachment, sha256)
    if not isinstance(verdict, Facts):
        return None
    now = timezone.now()
    upload = Upload(
        id=new_id(),
        attachment=attachment,
        officer_id=actor.officer_id,
        device_id=actor.device_id,
        length=len(data),
        most=len(data),
        offset=len(data),
        metadata=metadata,
        expires_at=now + KEPT_AFTER_FINISH,
        finished_at=now,
    )
    depot().store(upload.pk, data, place_of(verdict, sha256))
    try:
        return upload if _settle_new(actor, upload, attachment, verdict) else None
    except IntegrityError:  # an upload was opened for it meanwhile
        return None


def _settle_new(actor: Actor, upload: Upload, attachment: Attachment, verdict: Facts) -> bool:
    """Write down the upload and what it brought; False when the attachment is no longer expected."""
    kind, fields, data = decided(attachment, verdict, timezone.now())
    expected = Expected(attachment, fields)
    with with_commit():
        changed, held = execute_all([expected.statement, expected.ask_held()])
        item = expected.told(actor, kind, changed, data)
        if item is None:
            transaction.set_rollback(True)
            return False
        insert_record(upload)
        log(actor, "upload.opened", "upload", upload.pk, {"attachment": str(attachment.pk)})
        record(actor, item, held=held)
    return True
