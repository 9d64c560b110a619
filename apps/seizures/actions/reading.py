"""Reading who somebody is: for whoever decides about the report, with a stated purpose, and always audited."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts.models import REPORT_READERS
from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.common.text import clean_text
from apps.inspections.errors import NoteRequired
from apps.seizures.models import SeizureReport
from apps.seizures.queries import KIND


@transaction.atomic
def read_persons(*, actor: Actor, report_id: UUID, purpose: str) -> SeizureReport:
    """Give a report for reading its nominal fields, having written down who reads them and why.

    Raises NotFound for a report out of reach, NoteRequired without a purpose.
    """
    rows = SeizureReport.objects.visible_to(actor).filter(is_draft=False, pk=report_id)
    report = rows.first()
    if report is None or not (actor.is_system or actor.has_role(*REPORT_READERS)):
        raise NotFound
    purpose = clean_text(purpose)[:500]
    if not purpose:
        raise NoteRequired
    log(actor, "seizure.persons_read", KIND, report.pk, {"purpose": purpose})
    return report
