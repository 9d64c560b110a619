"""Photos of a seizure report: declared by whoever works on it, and shown with it."""

from __future__ import annotations

from typing import Any, Unpack
from uuid import UUID

from apps.common.actor import Actor
from apps.common.errors import NotAllowed
from apps.common.transactions import transactional
from apps.evidence.actions import declare_attachment, publish_attachments
from apps.evidence.models import Attachment
from apps.evidence.rules.declarations import FileClaims
from apps.inspections.actions.editing import post_of
from apps.seizures.actions.editing import locked, may_edit
from apps.seizures.queries import KIND


@transactional
def declare_photo(
    *, actor: Actor, report_id: UUID, photo_id: UUID, posting: Any = None, **claims: Unpack[FileClaims]
) -> Attachment:
    """Declare a photo of a report one works on; the report may come later than its photos.

    Raises NotAllowed for a report of other people, and what `declare_attachment` raises.
    """
    report = locked(report_id)
    if report is not None and not may_edit(actor, report):
        raise NotAllowed
    is_own = report is not None and report.officer_id == actor.officer_id
    post = report.posting if report is not None and is_own else post_of(actor, posting)[0]
    photo = declare_attachment(
        actor=actor, post=post, id=photo_id, owner_kind=KIND, owner_id=report_id, **claims
    )
    if report is not None and not report.is_draft and photo.is_draft:
        publish_attachments(actor=actor, owner_kind=KIND, owner_id=report_id)
        photo.refresh_from_db()
    return photo
