"""Removing a file that no record ever came for: the one way by which something declared leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Exists
from django.utils import timezone

from apps.audit.actions import log as audit
from apps.changes.actions import Item, record
from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.evidence.actions.parts import clear
from apps.evidence.errors import StorageUnavailable
from apps.evidence.models import Attachment, Upload
from apps.evidence.queries import KIND
from apps.evidence.storage import depot, original_name, quarantine_name

log = structlog.get_logger(__name__)


WITHOUT_RECORD = timedelta(days=30)
AT_MOST = 5000  # in one run


def unclaimed(
    owner_kind: str, *, is_sent: Exists, named: Callable[[UUID], set[str]]
) -> Iterator[tuple[UUID, UUID]]:
    """Give files declared more than 30 days ago, with their owners, of which no record was sent that keeps them.

    `is_sent` tells of an attachment's owner whether it was ever sent; `named` gives the files that a draft names.
    """
    old = Attachment.objects.filter(
        ~is_sent,
        owner_kind=owner_kind,
        is_draft=True,
        created_at__lt=timezone.now() - WITHOUT_RECORD,
    ).order_by("created_at")
    drafts: dict[UUID, set[str]] = {}
    found = 0
    for pk, owner in old.values_list("pk", "owner_id").iterator():
        if owner not in drafts:
            drafts[owner] = named(owner)
        if str(pk) not in drafts[owner]:
            yield pk, owner
            found += 1
        if found >= AT_MOST:
            return


@transaction.atomic
def remove_attachment(*, actor: Actor, attachment: Attachment) -> None:
    """Remove a locked attachment that was never published, with its uploads; its phone learns it from the stream.

    Its bytes go once this is committed, unless another attachment has the same. Whoever calls has made sure that no
    record needs it. Raises ValueError for one that was published.
    """
    if not attachment.is_draft:
        raise ValueError("evidence of a submitted record is never removed")
    about = {
        "owner_kind": attachment.owner_kind,
        "owner_id": str(attachment.owner_id),
        "sha256": attachment.sha256,
        "size": attachment.size,
        "state": attachment.state,
        "declared_at": attachment.created_at.isoformat(),
    }
    uploads = list(Upload.objects.filter(attachment=attachment))
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
    pk, rev, stream = attachment.pk, attachment.rev + 1, post_stream(attachment.posting_id)
    sha256, made = attachment.sha256, (attachment.original, attachment.thumbnail)
    attachment.delete()
    audit(actor, "attachment.removed", KIND, pk, about)
    record(actor, Item("attachment.removed", KIND, pk, rev, leaves=[stream]))
    transaction.on_commit(lambda: _remove_bytes(pk, sha256, made, uploads))


def _remove_bytes(pk: UUID, sha256: str, made: Iterable[str], uploads: list[Upload]) -> None:
    """Remove what lies at the content address if nobody else has it; a storage that fails leaves it there."""

    def is_wanted() -> bool:
        return Attachment.objects.filter(sha256=sha256).exists()

    for upload in uploads:
        if upload.finished_at is None:
            clear(upload)
    try:
        for name in dict.fromkeys((original_name(sha256), quarantine_name(sha256), *filter(None, made))):
            if not is_wanted():
                depot().remove(name, is_wanted=is_wanted)
    except StorageUnavailable:
        log.warning("attachment.bytes_left", attachment=str(pk), sha256=sha256)
