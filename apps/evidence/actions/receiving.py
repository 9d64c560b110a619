"""Opening an upload and taking its bytes: durable first, then counted.

No transaction is open while bytes come from the network. A piece is read whole, made durable at its absolute offset,
and only then moves the offset, by compare-and-set: of two connections one is first, and the other learns it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import Conflict, Invalid, NotAllowed, NotFound, TooLarge
from apps.evidence.actions.announcing import officer_of
from apps.evidence.actions.finishing import finalize_upload
from apps.evidence.actions.parts import end_upload, parts_of, shorten
from apps.evidence.errors import (
    AttachmentRefused,
    FileTooLarge,
    OffsetMismatch,
    SizeDiffers,
    TooManyUploads,
    UploadEnded,
)
from apps.evidence.models import Attachment, Piece, Upload
from apps.evidence.rules.declarations import LIMITS, PHOTO_BYTES, VIDEO_BYTES
from apps.evidence.storage import depot

LIFETIME = timedelta(days=7)
UNBOUND_PER_DEVICE = 20


def open_upload(
    *,
    actor: Actor,
    length: int,
    attachment_id: UUID | None = None,
    metadata: str = "",
    mime: str = "",
) -> Upload:
    """Open an upload of `length` bytes, or give the one that is open for this attachment.

    Without an attachment the bytes wait for one of the same officer, size and hash. Raises NotFound, SizeDiffers,
    AttachmentRefused, FileTooLarge, TooManyUploads.
    """
    if attachment_id is None:
        return _open_unbound(actor, length, metadata, mime)
    with transaction.atomic():
        attachment = (
            Attachment.objects.awaited_from(actor).select_for_update().filter(pk=attachment_id).first()
        )
        if attachment is None:
            raise NotFound
        if attachment.state == Attachment.State.REJECTED:
            raise AttachmentRefused(members={"failure": attachment.failure})
        if length != attachment.size:
            raise SizeDiffers(members={"size": attachment.size})
        upload = attachment.uploads.filter(ended_at=None).first()
        if upload and upload.expires_at <= timezone.now():
            end_upload(actor, upload, "upload.expired")
            upload = None
        if upload:
            return _adopt(actor, upload)
        return _create(actor, attachment, length, metadata)


def _adopt(actor: Actor, upload: Upload) -> Upload:
    """Let the officer's other device go on where the first stopped; the newest connection wins."""
    if actor.device_id and upload.device_id != actor.device_id:
        upload.device_id = actor.device_id
        upload.save(update_fields=["device"])
        log(actor, "upload.adopted", "upload", upload.pk)
    return upload


def _create(actor: Actor, attachment: Attachment | None, length: int, metadata: str) -> Upload:
    if actor.device_id is None:
        raise NotAllowed
    now = timezone.now()
    is_stored = attachment is not None and attachment.state == Attachment.State.STORED
    upload = Upload.objects.create(
        attachment=attachment,
        officer_id=officer_of(actor),
        device_id=actor.device_id,
        length=length,
        offset=length if is_stored else 0,
        metadata=metadata,
        expires_at=now + LIFETIME,
        finished_at=now if is_stored else None,
    )
    log(
        actor,
        "upload.opened",
        "upload",
        upload.pk,
        {"attachment": str(attachment.pk) if attachment else None},
    )
    return upload


@transaction.atomic
def _open_unbound(actor: Actor, length: int, metadata: str, mime: str) -> Upload:
    limit = VIDEO_BYTES if LIMITS.get(mime) == VIDEO_BYTES else PHOTO_BYTES
    if length > limit:
        raise FileTooLarge(members={"limits": {"file_bytes": limit}})
    waiting = Upload.objects.visible_to(actor).filter(
        attachment=None, ended_at=None, expires_at__gt=timezone.now()
    )
    if waiting.count() >= UNBOUND_PER_DEVICE:
        raise TooManyUploads(members={"limits": {"open_uploads": UNBOUND_PER_DEVICE}})
    return _create(actor, None, length, metadata)


def read_upload(*, actor: Actor, upload_id: UUID) -> Upload:
    """Give an upload as it truly stands: finished if all bytes are here, shortened if the disk lost some.

    Raises NotFound, UploadEnded, StorageUnavailable. Bytes that were refused at the end count as received.
    """
    upload = _live(actor, upload_id)
    if upload.finished_at or not upload.offset:
        return upload
    upload = shorten(upload, depot().durable(upload.pk, upload.offset, parts_of(upload)))
    if upload.offset < upload.length:
        return upload
    with suppress(Invalid, TooLarge, Conflict):  # told by the attachment's state, or by the offset
        return finalize_upload(actor=actor, upload_id=upload.pk)
    upload.refresh_from_db()
    return upload


def append_chunk(*, actor: Actor, upload_id: UUID, offset: int, size: int, pieces: Iterable[bytes]) -> Upload:
    """Take `size` bytes that start at `offset`; pieces that arrived before the connection broke stay.

    With the last byte the file is judged (see `finalize_upload`, whose refusals this raises). Raises NotFound,
    UploadEnded, OffsetMismatch (also when another connection was faster), FileTooLarge, StorageUnavailable.
    """
    upload = _live(actor, upload_id)
    if not upload.finished_at:
        upload = shorten(upload, depot().durable(upload.pk, upload.offset, parts_of(upload)))
    if offset != upload.offset:
        raise OffsetMismatch(members={"offset": upload.offset})
    if offset + size > upload.length:
        raise FileTooLarge(members={"limits": {"file_bytes": upload.length}})
    for piece in pieces:
        if not _take(upload, offset, piece):
            upload.refresh_from_db()
            raise OffsetMismatch(members={"offset": upload.offset})
        offset += len(piece)
    return (
        finalize_upload(actor=actor, upload_id=upload.pk)
        if offset == upload.length
        else _live(actor, upload_id)
    )


def _take(upload: Upload, offset: int, piece: bytes) -> bool:
    """Make one piece durable, then count it; False when the upload stands elsewhere by now."""
    here = Upload.objects.filter(pk=upload.pk, offset=offset, finished_at=None, ended_at=None)

    def settle(name: str) -> bool:
        moved = {"offset": offset + len(piece), "expires_at": timezone.now() + LIFETIME}
        if not name:
            return bool(here.update(**moved))
        try:
            with transaction.atomic():
                Piece.objects.create(upload=upload, offset=offset, length=len(piece), name=name)
                is_counted = bool(here.update(**moved))
                transaction.set_rollback(not is_counted)
        except IntegrityError:
            return False
        return is_counted

    return depot().put(upload.pk, offset, piece, is_next=here.exists, settle=settle)


def _live(actor: Actor, upload_id: UUID) -> Upload:
    upload = Upload.objects.visible_to(actor).filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    if upload.ended_at or upload.expires_at <= timezone.now():
        raise UploadEnded
    return upload


def store_original(*, actor: Actor, attachment_id: UUID, data: bytes) -> Attachment:
    """Store the bytes of a declared file in one go, through the same judgement as an upload."""
    upload = open_upload(actor=actor, attachment_id=attachment_id, length=len(data))
    if upload.finished_at is None:
        rest = data[upload.offset :]
        append_chunk(actor=actor, upload_id=upload.pk, offset=upload.offset, size=len(rest), pieces=[rest])
    return Attachment.objects.get(pk=attachment_id)
