"""Celery shims: receipts for versions whose photos have come, and what becomes of photos without a seizure report."""

from __future__ import annotations

from celery import shared_task

from apps.changes.actions import open_reactions, settle
from apps.common.actor import SYSTEM
from apps.seizures import actions
from apps.seizures.queries import KIND, owners_of


@shared_task(name="seizures.issue_receipts")
def issue_receipts(reaction_ids: list[int]) -> None:
    """Sign for the versions that became complete, by their report or by a photo, before it is noted as done."""
    open_ones = open_reactions(reaction_ids, "seizures.issue_receipts")
    about = list(open_ones.values_list("change__record_kind", "change__oid"))
    reports = {oid for kind, oid in about if kind == KIND}
    reports.update(owners_of(oid for kind, oid in about if kind != KIND))
    actions.issue_receipts(actor=SYSTEM, report_ids=reports)
    settle(reaction_ids, lambda _changes: None, task="seizures.issue_receipts")


@shared_task(name="seizures.remove_orphaned_photos")
def remove_orphaned_photos() -> None:
    """Remove photos whose seizure report never came."""
    actions.remove_orphaned_photos()
