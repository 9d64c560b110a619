"""Photos of a report: declared with the post the report was made from, and what happens when they arrive."""

from __future__ import annotations

from typing import Any, Unpack
from uuid import UUID

from apps.common.actor import Actor
from apps.common.errors import NotAllowed
from apps.common.transactions import transactional
from apps.evidence.actions import declare_attachment, publish_attachments
from apps.evidence.models import Attachment
from apps.evidence.rules.declarations import FileClaims
from apps.inspections.actions.common import finish
from apps.inspections.actions.editing import post_of
from apps.inspections.models import InspectionReport, State
from apps.inspections.queries import KIND, photos_missing


@transactional
def declare_photo(
    *, actor: Actor, report_id: UUID, photo_id: UUID, posting: Any = None, **claims: Unpack[FileClaims]
) -> Attachment:
    """Declare a photo of one's own report, which may come later than its photos.

    The photo belongs to the post the report was made from, so that whoever sees the report sees its photos; while there
    is no report yet, to the post named, or the only one held. Raises NotAllowed for somebody else's report, and what
    `declare_attachment` raises.
    """
    rows = InspectionReport.objects.select_for_update(of=("self",)).select_related("posting")
    report = rows.filter(pk=report_id).first()
    if report is not None and report.officer_id != actor.officer_id:
        raise NotAllowed
    post = report.posting if report is not None else post_of(actor, posting)[0]
    photo = declare_attachment(
        actor=actor, post=post, id=photo_id, owner_kind=KIND, owner_id=report_id, **claims
    )
    if report is not None and not report.is_draft and photo.is_draft:
        publish_attachments(actor=actor, owner_kind=KIND, owner_id=report_id)
        photo.refresh_from_db()
    return photo


@transactional
def settle_media(*, actor: Actor, report_id: UUID) -> InspectionReport | None:
    """Move a report from `media_pending` to `complete` once every photo it names is stored; safe to call again."""
    report = InspectionReport.objects.select_for_update().filter(pk=report_id).first()
    if report is None or report.state != State.MEDIA_PENDING or photos_missing(report):
        return report
    report.state = State.COMPLETE
    return finish(actor, report, "inspection.completed", fields=["state"])
