"""The bytes of an upload as the database knows them: when the storage knows fewer, and when they are to go."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log as audit
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.evidence.errors import StorageUnavailable, UploadEnded
from apps.evidence.models import Piece, Upload
from apps.evidence.queries import find_upload
from apps.evidence.storage import Part, Spool, depot, number_at

log = structlog.get_logger(__name__)


def live(actor: Actor, upload_id: UUID) -> Upload:
    """Give an upload of this officer and device, with its attachment. Raises NotFound, UploadEnded."""
    upload = find_upload(actor, upload_id)
    if upload is None:
        raise NotFound
    if upload.ended_at or upload.expires_at <= timezone.now():
        raise UploadEnded
    return upload


def spool_of(upload: Upload) -> Spool:
    """Give what the storage must know: on a disk the id alone, elsewhere the pieces in order."""
    if not depot().has_parts:
        return Spool(upload.pk)
    rows = upload.pieces.order_by("offset").values_list("offset", "length", "name", "number")
    return Spool(upload.pk, [Part(*row) for row in rows], upload.multipart)


def shorten(upload: Upload, durable: int) -> Upload:
    """Lower the offset to what is really there, unless the upload moved on meanwhile."""
    if durable >= upload.offset:
        return upload
    left_over = Spool(upload.pk)
    with transaction.atomic():
        here = Upload.objects.filter(pk=upload.pk, offset=upload.offset, finished_at=None, ended_at=None)
        if here.update(offset=durable):
            upload.pieces.filter(offset__gte=durable).delete()
            log.warning("upload.shortened", upload=str(upload.pk), recorded=upload.offset, durable=durable)
            if upload.multipart and not upload.pieces.exclude(number=0).exists():
                left_over = Spool(upload.pk, multipart=upload.multipart)
                Upload.objects.filter(pk=upload.pk).update(multipart="")
    if left_over.multipart:
        depot().abandon(left_over)
    upload.refresh_from_db()
    return upload


def gather(upload: Upload, *, is_last: bool = False) -> None:
    """Make parts of a multipart upload of the pieces that are worth one; with the last bytes, of all that are left.

    Short uploads never get that far: their pieces stay objects of their own. Of two connections that gather the same
    pieces one is written down, and both have stored the same bytes under the same number.
    """
    size = depot().part_size
    if not size:
        return
    while pieces := _worth_a_part(spool_of(upload), size, is_last=is_last):
        if not upload.multipart:
            _begin(upload)
        joined = Part(pieces[0].offset, sum(p.length for p in pieces), number=number_at(pieces[0].offset))
        depot().join(spool_of(upload), joined, pieces)
        with transaction.atomic():
            old = upload.pieces.filter(number=0, name__in=[p.name for p in pieces])
            if old.delete()[0] != len(pieces):
                transaction.set_rollback(True)
                return
            Piece.objects.create(
                upload=upload, offset=joined.offset, length=joined.length, number=joined.number
            )
        depot().discard(upload.pk, Spool(upload.pk, pieces))


def _worth_a_part(spool: Spool, size: int, *, is_last: bool) -> list[Part]:
    """Give the shortest run of loose pieces that is long enough, so that whoever asks chooses the same ones."""
    chosen: list[Part] = []
    for part in spool.parts:
        if part.number:
            chosen = []
            continue
        chosen.append(part)
        if sum(p.length for p in chosen) >= size:
            return chosen
    return chosen if is_last and spool.multipart else []


def _begin(upload: Upload) -> None:
    """Open the multipart upload of an upload, once."""
    name = depot().begin(upload.pk)
    if not Upload.objects.filter(pk=upload.pk, multipart="").update(multipart=name):
        depot().abandon(Spool(upload.pk, multipart=name))
    upload.refresh_from_db(fields=["multipart"])


def end_upload(actor: Actor, upload: Upload, why: str) -> None:
    """Close a locked session, inside a transaction; its bytes go once that is committed."""
    upload.ended_at = timezone.now()
    upload.save(update_fields=["ended_at"])
    upload.pieces.all().delete()
    audit(actor, why, "upload", upload.pk, {"offset": upload.offset, "length": upload.length})
    transaction.on_commit(lambda: clear(upload))


def clear(upload: Upload) -> None:
    """Remove bytes that nobody waits for any more; a storage that fails now is made good by the sweep."""
    try:
        depot().discard(upload.pk)
    except StorageUnavailable:
        log.warning("upload.not_cleared", upload=str(upload.pk))
