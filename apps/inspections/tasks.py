"""Celery shims: what a report owes to the arrival of a photo."""

from __future__ import annotations

from celery import shared_task

from apps.changes.actions import settle
from apps.changes.models import Change
from apps.common.actor import SYSTEM
from apps.evidence.models import Attachment
from apps.inspections import actions
from apps.inspections.queries import KIND


@shared_task(name="inspections.settle_media")
def settle_media(reaction_ids: list[int]) -> None:
    """Look at the reports whose photos have been stored."""

    def effect(changes: list[Change]) -> None:
        owners = Attachment.objects.filter(pk__in=[c.oid for c in changes], owner_kind=KIND)
        for report_id in sorted(set(owners.values_list("owner_id", flat=True))):
            actions.settle_media(actor=SYSTEM, report_id=report_id)

    settle(reaction_ids, effect)
