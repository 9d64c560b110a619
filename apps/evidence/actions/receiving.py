"""Taking the bytes of an upload: durable first, then counted.

No transaction is open while bytes come from the network. A piece is read whole, made durable at its absolute offset,
and only then moves the offset, by compare-and-set: of two connections one is first, and the other learns it. A declared
file that comes in one piece, as most photos do, takes a shorter way (`at_once`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.common.actor import Actor
from apps.common.errors import Conflict, Invalid, TooLarge
from apps.common.sql import execute
from apps.evidence.actions.at_once import finish_at_once, open_at_once
from apps.evidence.actions.finishing import finalize_upload
from apps.evidence.actions.opening import LIFETIME, fix_length, open_upload
from apps.evidence.actions.parts import gather, live, shorten, spool_of
from apps.evidence.errors import BeyondTheEnd, FileTooLarge, OffsetMismatch
from apps.evidence.models import Attachment, Piece, Upload
from apps.evidence.storage import depot


class Opening(TypedDict):
    """What `open_upload` takes."""

    attachment_id: UUID | None
    length: int | None
    metadata: str
    mime: str


AT_ONCE = 512 * 1024  # bytes that are waited for before an upload is opened for them


def read_upload(*, actor: Actor, upload_id: UUID) -> Upload:
    """Give an upload as it truly stands: finished if all bytes are here, shortened if the disk lost some.

    Raises NotFound, UploadEnded, StorageUnavailable. Bytes that were refused at the end count as received.
    """
    return _as_it_stands(actor, live(actor, upload_id))


def _as_it_stands(actor: Actor, upload: Upload) -> Upload:
    if upload.finished_at or not upload.offset:
        return upload
    upload = shorten(upload, depot().durable(spool_of(upload), upload.offset))
    if upload.offset != upload.length:
        return upload
    with suppress(Invalid, TooLarge, Conflict):  # told by the attachment's state, or by the offset
        return finalize_upload(actor=actor, upload_id=upload.pk)
    upload.refresh_from_db()
    return upload


def open_with_bytes(
    *,
    actor: Actor,
    size: int,
    pieces: Iterable[bytes],
    **opening: Unpack[Opening],
) -> Upload:
    """Open an upload as `open_upload` does and take its first `size` bytes as `append_chunk` does.

    An upload that was open already and has bytes takes none: where it stands, the client is told, as by `read_upload`.
    Raises what those two raise.
    """
    stream, first = iter(pieces), b""
    attachment_id = opening["attachment_id"]
    if attachment_id is not None and size == opening["length"] and size <= AT_ONCE:
        first = next(stream, b"")
        if len(first) == size:
            upload = open_at_once(
                actor=actor, attachment_id=attachment_id, metadata=opening["metadata"], data=first
            )
            if upload is not None:
                return upload
    upload = _as_it_stands(actor, open_upload(actor=actor, **opening))
    if not size or upload.offset:
        return upload
    rest = chain((first,) if first else (), stream)
    return take_chunk(actor=actor, upload=upload, offset=0, size=size, pieces=rest)


def append_chunk(
    *,
    actor: Actor,
    upload_id: UUID,
    offset: int,
    size: int,
    pieces: Iterable[bytes],
    length: int | None = None,
) -> Upload:
    """Take `size` bytes that start at `offset`; pieces that arrived before the connection broke stay.

    `length` is the length of the whole, from a client that could not say it before. With the last byte the file is
    judged (see `finalize_upload`, whose refusals this raises). Raises NotFound, UploadEnded, OffsetMismatch (also when
    another connection was faster), SizeDiffers, FileTooLarge, BeyondTheEnd, StorageUnavailable.
    """
    return take_chunk(
        actor=actor, upload=live(actor, upload_id), offset=offset, size=size, pieces=pieces, length=length
    )


def take_chunk(
    *,
    actor: Actor,
    upload: Upload,
    offset: int,
    size: int,
    pieces: Iterable[bytes],
    length: int | None = None,
) -> Upload:
    """Do as `append_chunk` does, for an upload that was just found or opened."""
    if upload.offset and not upload.finished_at:
        upload = shorten(upload, depot().durable(spool_of(upload), upload.offset))
    if offset != upload.offset:
        raise OffsetMismatch(members={"offset": upload.offset})
    if length is not None:
        fix_length(upload, length)
    limit = upload.most if upload.length is None else upload.length
    if limit is not None and offset + size > limit:
        beyond = FileTooLarge if upload.length is None else BeyondTheEnd
        raise beyond(members={"limits": {"file_bytes": limit}})
    stream = iter(pieces)
    first = next(stream, b"")
    if upload.attachment is not None and not offset and len(first) == upload.length:
        return finish_at_once(actor=actor, upload=upload, data=first)
    return _take_all(actor, upload, offset, chain((first,) if first else (), stream))


def _take_all(actor: Actor, upload: Upload, offset: int, pieces: Iterator[bytes]) -> Upload:
    """Take piece after piece; the hash is known at the end when they are all there are."""
    digest = hashlib.sha256() if offset == 0 else None
    for piece in pieces:
        if not _take(upload, offset, piece):
            upload.refresh_from_db()
            raise OffsetMismatch(members={"offset": upload.offset})
        if digest is not None:
            digest.update(piece)
        offset += len(piece)
        upload.offset = offset
        gather(upload)
    if offset != upload.length:
        return upload
    sha256 = digest.hexdigest() if digest is not None else ""
    return finalize_upload(actor=actor, upload_id=upload.pk, sha256=sha256)


def _take(upload: Upload, offset: int, piece: bytes) -> bool:
    """Make one piece durable, then count it; False when the upload stands elsewhere by now."""

    def is_next() -> bool:
        return execute(_STANDS_HERE, [upload.pk, offset]).fetchone() is not None

    def count() -> bool:
        upload.expires_at = timezone.now() + LIFETIME
        moved = execute(_MOVE, [offset + len(piece), upload.expires_at, upload.pk, offset])
        return moved.fetchone() is not None

    def settle(name: str) -> bool:
        if not name:
            return count()
        try:
            with transaction.atomic():
                Piece.objects.create(upload=upload, offset=offset, length=len(piece), name=name)
                is_counted = count()
                transaction.set_rollback(not is_counted)
        except IntegrityError:
            return False
        return is_counted

    return depot().put(upload.pk, offset, piece, is_next=is_next, settle=settle)


_HERE = 'WHERE id = %s AND "offset" = %s AND finished_at IS NULL AND ended_at IS NULL'
_STANDS_HERE = f"SELECT 1 FROM evidence_upload {_HERE}"  # noqa: S608  a constant
_MOVE = f'UPDATE evidence_upload SET "offset" = %s, expires_at = %s {_HERE} RETURNING id'  # noqa: S608  likewise


def store_original(*, actor: Actor, attachment_id: UUID, data: bytes) -> Attachment:
    """Store the bytes of a declared file in one go, through the same judgement as an upload."""
    upload = open_upload(actor=actor, attachment_id=attachment_id, length=len(data))
    if upload.finished_at is None:
        rest = data[upload.offset :]
        take_chunk(actor=actor, upload=upload, offset=upload.offset, size=len(rest), pieces=[rest])
    return Attachment.objects.get(pk=attachment_id)
