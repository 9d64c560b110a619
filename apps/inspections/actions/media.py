"""What happens to a report when its photos arrive."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.common.actor import Actor
from apps.inspections.actions.common import finish
from apps.inspections.models import InspectionReport, State
from apps.inspections.queries import photos_missing


@transaction.atomic
def settle_media(*, actor: Actor, report_id: UUID) -> InspectionReport | None:
    """Move a report from `media_pending` to `complete` once every photo it names is stored; safe to call again."""
    report = InspectionReport.objects.select_for_update().filter(pk=report_id).first()
    if report is None or report.state != State.MEDIA_PENDING or photos_missing(report):
        return report
    report.state = State.COMPLETE
    return finish(actor, report, "inspection.completed", fields=["state"])
