"""Server truth for the sync centre of one phone."""

from __future__ import annotations

from typing import Any

from django.db.models import Count

from apps.common.actor import Actor
from apps.evidence.models import Attachment, Upload
from apps.inspections.models import InspectionReport
from apps.inspections.queries import KIND
from apps.sync.models import Mutation

MOST_REPORTS = 200


def device_status(actor: Actor) -> dict[str, Any]:
    """Give the officer's newest 200 reports with each photo's state, open uploads, and verdicts by status."""
    reports = list(
        InspectionReport.objects.visible_to(actor)
        .filter(officer_id=actor.person)
        .order_by("-updated_at")[:MOST_REPORTS]
    )
    stored = dict(
        Attachment.objects.visible_to(actor)
        .filter(owner_kind=KIND, owner_id__in=[r.pk for r in reports])
        .values_list("pk", "state")
    )
    by_id = {str(pk): state for pk, state in stored.items()}
    verdicts = Mutation.objects.visible_to(actor).values_list("status").annotate(times=Count("pk"))
    uploads = Upload.objects.visible_to(actor).filter(ended_at__isnull=True, finished_at__isnull=True)
    return {
        "verdicts": dict(verdicts.order_by("status")),
        "reports": [_report(r, by_id) for r in reports],
        "uploads": [
            {"id": u.pk, "attachment": u.attachment_id, "offset": u.offset, "length": u.length}
            for u in uploads.order_by("created_at")[:MOST_REPORTS]
        ],
    }


def _report(report: InspectionReport, states: dict[str, str]) -> dict[str, Any]:
    named = [photo for ids in report.photos.values() for photo in ids]
    return {
        "id": report.pk,
        "number": report.number,
        "state": report.state,
        "rev": report.rev,
        "version": report.version,
        "photos": {photo: states.get(photo, "missing") for photo in named},
    }
