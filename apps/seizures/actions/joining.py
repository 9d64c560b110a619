"""Joint seizures: a unit that is named as having led or supported says so itself, before the region verifies."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Role
from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.inspections.errors import NotReviewer
from apps.seizures.models import Agreement, Participation, SeizureReport
from apps.seizures.queries import KIND


@transaction.atomic
def agree_participation(*, actor: Actor, report_id: UUID) -> SeizureReport:
    """Agree to the roles that a report gives to the units one leads. Saying it twice changes nothing.

    Raises NotFound for a report out of reach, NotReviewer for whoever leads none of its units.
    """
    report = (
        SeizureReport.objects.visible_to(actor)
        .filter(is_draft=False, pk=report_id)
        .select_for_update(of=("self",))
        .first()
    )
    if report is None:
        raise NotFound
    led = actor.reach_of(Role.LEADER)
    rows = [p for p in Participation.objects.filter(report=report) if p.unit_id in led]
    if not rows:
        raise NotReviewer
    now = timezone.now()
    for row in rows:
        _, is_new = Agreement.objects.get_or_create(
            report=report,
            unit_id=row.unit_id,
            role=row.role,
            defaults={"officer_id": actor.officer_id, "at": now},
        )
        if is_new:
            said = {"unit": str(row.unit_id), "role": row.role, "at": now.isoformat()}
            log(actor, "seizure.agreed", KIND, report.pk, said)
    return report
