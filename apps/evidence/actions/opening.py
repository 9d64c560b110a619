"""Opening an upload, for a declared file or for one that is still to be declared; its length may come later."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import NotAllowed, NotFound
from apps.common.sql import insert_record, with_commit
from apps.evidence.actions.announcing import officer_of
from apps.evidence.actions.parts import end_upload
from apps.evidence.errors import AttachmentRefused, FileTooLarge, SizeDiffers, TooManyUploads
from apps.evidence.models import Attachment, Upload
from apps.evidence.queries import find_awaited
from apps.evidence.rules.declarations import LIMITS, PHOTO_BYTES, VIDEO_BYTES

LIFETIME = timedelta(days=7)
UNBOUND_PER_DEVICE = 20


def open_upload(
    *,
    actor: Actor,
    length: int | None,
    attachment_id: UUID | None = None,
    metadata: str = "",
    mime: str = "",
) -> Upload:
    """Open an upload of `length` bytes, or give the one that is open for this attachment.

    A length of None comes later (`fix_length`). Without an attachment the bytes wait for one of the same officer, size
    and hash. Raises NotFound, SizeDiffers, AttachmentRefused, FileTooLarge, TooManyUploads.
    """
    if attachment_id is None:
        return _open_unbound(actor, length, metadata, mime)
    with with_commit():
        attachment, upload = find_awaited(actor, attachment_id)
        if attachment is None:
            raise NotFound
        if attachment.state == Attachment.State.REJECTED:
            raise AttachmentRefused(members={"failure": attachment.failure})
        if length is not None and length != attachment.size:
            raise SizeDiffers(members={"size": attachment.size})
        if upload and upload.expires_at <= timezone.now():
            end_upload(actor, upload, "upload.expired")
            upload = None
        if upload is None:
            upload = _create(actor, attachment, length, metadata, attachment.size)
        else:
            _adopt(actor, upload)
        upload.attachment = attachment
        return upload if length is None else fix_length(upload, length)


def fix_length(upload: Upload, length: int) -> Upload:
    """Write down the length of an upload that was opened without one; said again, it must be the same.

    Raises SizeDiffers (also when more bytes are here already), FileTooLarge.
    """
    if upload.length is None:
        if upload.most is not None and length > upload.most and upload.attachment is None:
            raise FileTooLarge(members={"limits": {"file_bytes": upload.most}})
        if upload.attachment is not None and length != upload.attachment.size:
            raise SizeDiffers(members={"size": upload.attachment.size})
        if length < upload.offset:
            raise SizeDiffers(members={"size": upload.offset})
        Upload.objects.filter(pk=upload.pk, length=None, offset__lte=length).update(length=length)
        upload.refresh_from_db(fields=["length", "offset"])
    if upload.length != length:
        raise SizeDiffers(members={"size": upload.length})
    return upload


def _adopt(actor: Actor, upload: Upload) -> None:
    """Let the officer's other device go on where the first stopped; the newest connection wins."""
    if actor.device_id and upload.device_id != actor.device_id:
        upload.device_id = actor.device_id
        upload.save(update_fields=["device"])
        log(actor, "upload.adopted", "upload", upload.pk)


def _create(
    actor: Actor, attachment: Attachment | None, length: int | None, metadata: str, most: int
) -> Upload:
    if actor.device_id is None:
        raise NotAllowed
    now = timezone.now()
    is_stored = attachment is not None and attachment.state == Attachment.State.STORED
    upload = Upload(
        attachment=attachment,
        officer_id=officer_of(actor),
        device_id=actor.device_id,
        length=attachment.size if attachment is not None and is_stored else length,
        most=most,
        offset=attachment.size if attachment is not None and is_stored else 0,
        metadata=metadata,
        expires_at=now + LIFETIME,
        finished_at=now if is_stored else None,
    )
    insert_record(upload)
    about = {"attachment": str(attachment.pk) if attachment else None}
    log(actor, "upload.opened", "upload", upload.pk, about)
    return upload


@with_commit()
def _open_unbound(actor: Actor, length: int | None, metadata: str, mime: str) -> Upload:
    limit = VIDEO_BYTES if LIMITS.get(mime) == VIDEO_BYTES else PHOTO_BYTES
    if length is not None and length > limit:
        raise FileTooLarge(members={"limits": {"file_bytes": limit}})
    waiting = Upload.objects.visible_to(actor).filter(
        attachment=None, ended_at=None, expires_at__gt=timezone.now()
    )
    if waiting.count() >= UNBOUND_PER_DEVICE:
        raise TooManyUploads(members={"limits": {"open_uploads": UNBOUND_PER_DEVICE}})
    return _create(actor, None, length, metadata, limit)
