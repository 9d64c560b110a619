"""What happens to uploads that nobody continues: cancelled by the phone, expired, or left unfinished by a crash."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.common.actor import SYSTEM, Actor
from apps.common.errors import DomainError, NotFound
from apps.evidence.actions.finishing import finalize_upload
from apps.evidence.actions.parts import clear, end_upload
from apps.evidence.errors import UploadEnded
from apps.evidence.models import Upload
from apps.evidence.storage import depot

log = structlog.get_logger(__name__)

STALLED = timedelta(minutes=5)
LEFT_BEHIND = timedelta(days=1)
BATCH = 500


@transaction.atomic
def terminate_upload(*, actor: Actor, upload_id: UUID) -> None:
    """End an upload and free its bytes; a file that was stored from it stays. Raises NotFound, UploadEnded."""
    upload = Upload.objects.visible_to(actor).select_for_update().filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    if upload.ended_at or upload.expires_at <= timezone.now():
        raise UploadEnded
    end_upload(actor, upload, "upload.terminated")


def expire_uploads(*, actor: Actor = SYSTEM) -> dict[str, int]:
    """End what has expired, finish what a crash left complete, and remove bytes without a session. Gives counts."""
    swept = depot().sweep(before=timezone.now() - LEFT_BEHIND)
    return {"expired": _expire(actor), "finished": _finish(actor), "removed": _remove_strays() + swept}


def _expire(actor: Actor) -> int:
    due = Upload.objects.filter(ended_at=None, expires_at__lte=timezone.now()).order_by("expires_at")
    count = 0
    for pk in list(due.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            upload = due.select_for_update().filter(pk=pk).first()
            if upload:
                end_upload(actor, upload, "upload.expired")
                count += 1
    return count


def _finish(actor: Actor) -> int:
    count = 0
    full = Upload.objects.filter(finished_at=None, ended_at=None, offset__gt=0, offset=F("length"))
    quiet = timezone.now() - STALLED
    for upload in full.filter(created_at__lt=quiet).order_by("expires_at")[:BATCH]:
        try:
            count += finalize_upload(actor=actor, upload_id=upload.pk).finished_at is not None
        except DomainError as refusal:
            log.warning("upload.refused_late", upload=str(upload.pk), code=refusal.code)
    return count


def _remove_strays() -> int:
    there = list(depot().uploads())
    count = 0
    for start in range(0, len(there), BATCH):
        ids = there[start : start + BATCH]
        open_ones = set(
            Upload.objects.filter(pk__in=ids, finished_at=None, ended_at=None).values_list("pk", flat=True)
        )
        for pk in set(ids) - open_ones:
            clear(Upload(pk=pk))
            count += 1
    return count
