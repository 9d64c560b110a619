"""Server truth for the sync centre of one phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from apps.common.actor import Actor
from apps.evidence.models import Attachment, Upload
from apps.inspections.models import InspectionReport
from apps.inspections.queries import KIND as INSPECTION
from apps.seizures.models import Participant, SeizureReport
from apps.seizures.queries import KIND as SEIZURE
from apps.sync.models import Mutation

MOST_REPORTS = 200


def device_status(actor: Actor) -> dict[str, Any]:
    """Give the officer's newest 200 inspections and seizures with each photo's state, open uploads, and verdicts."""
    verdicts = Mutation.objects.visible_to(actor).values_list("status").annotate(times=Count("pk"))
    uploads = Upload.objects.visible_to(actor).filter(ended_at__isnull=True, finished_at__isnull=True)
    return {
        "verdicts": dict(verdicts.order_by("status")),
        "reports": [*_inspections(actor), *_seizures(actor)],
        "uploads": [
            {"id": u.pk, "attachment": u.attachment_id, "offset": u.offset, "length": u.length}
            for u in uploads.order_by("created_at")[:MOST_REPORTS]
        ],
    }


def _inspections(actor: Actor) -> Iterator[dict[str, Any]]:
    mine = InspectionReport.objects.visible_to(actor).filter(officer_id=actor.person)
    reports = list(mine.order_by("-updated_at")[:MOST_REPORTS])
    states = _states(actor, INSPECTION, [report.pk for report in reports])
    for report in reports:
        named = [photo for ids in report.photos.values() for photo in ids]
        yield _told(INSPECTION, report, report.state, named, states)


def _seizures(actor: Actor) -> Iterator[dict[str, Any]]:
    """Give the seizures that the officer wrote or works on."""
    shared = Participant.objects.filter(officer_id=actor.person)
    theirs = Q(officer_id=actor.person) | Q(pk__in=shared.values("report_id"))
    mine = SeizureReport.objects.visible_to(actor).filter(theirs)
    reports = list(mine.order_by("-updated_at")[:MOST_REPORTS])
    states = _states(actor, SEIZURE, [report.pk for report in reports])
    for report in reports:
        yield _told(SEIZURE, report, report.stage, report.fields.get("photos") or [], states)


def _states(actor: Actor, kind: str, reports: Sequence[UUID]) -> dict[str, str]:
    rows = Attachment.objects.visible_to(actor).filter(owner_kind=kind, owner_id__in=reports)
    return {str(pk): state for pk, state in rows.values_list("pk", "state")}


def _told(
    kind: str,
    report: InspectionReport | SeizureReport,
    state: str,
    named: Iterable[str],
    states: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": report.pk,
        "number": report.number,
        "state": state,
        "rev": report.rev,
        "version": report.version,
        "photos": {photo: states.get(photo, "missing") for photo in named},
    }
