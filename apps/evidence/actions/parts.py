"""The bytes of an upload as the database knows them: when the storage knows fewer, and when they are to go."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log as audit
from apps.common.actor import Actor
from apps.evidence.errors import StorageUnavailable
from apps.evidence.models import Upload
from apps.evidence.storage import Part, depot

log = structlog.get_logger(__name__)


def parts_of(upload: Upload) -> list[Part]:
    """Give the stored pieces in order (none on a local disk)."""
    if not depot().has_parts:
        return []
    return [Part(*row) for row in upload.pieces.order_by("offset").values_list("offset", "length", "name")]


def shorten(upload: Upload, durable: int) -> Upload:
    """Lower the offset to what is really there, unless the upload moved on meanwhile."""
    if durable >= upload.offset:
        return upload
    with transaction.atomic():
        here = Upload.objects.filter(pk=upload.pk, offset=upload.offset, finished_at=None, ended_at=None)
        if here.update(offset=durable):
            upload.pieces.filter(offset__gte=durable).delete()
            log.warning("upload.shortened", upload=str(upload.pk), recorded=upload.offset, durable=durable)
    upload.refresh_from_db()
    return upload


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
