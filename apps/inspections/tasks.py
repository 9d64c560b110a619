"""Celery shims: what a report owes to the arrival of a photo, and what becomes of photos without a report."""

from __future__ import annotations

from celery import shared_task

from apps.changes.actions import open_reactions, settle
from apps.changes.models import Change
from apps.common.actor import SYSTEM
from apps.inspections import actions
from apps.inspections.queries import owners_of


@shared_task(name="inspections.settle_media")
def settle_media(reaction_ids: list[int]) -> None:
    """Look at the reports whose photos have been stored.

    Each in a transaction of its own: several reports raise several streams, and workers that raise them in different
    orders would wait for each other.
    """
    for reaction_id in reaction_ids:
        settle([reaction_id], _effect, task="inspections.settle_media")


@shared_task(name="inspections.issue_receipts")
def issue_receipts(reaction_ids: list[int]) -> None:
    """Sign for the reports that became complete, before it is noted as done."""
    open_ones = open_reactions(reaction_ids, "inspections.issue_receipts")
    actions.issue_receipts(actor=SYSTEM, report_ids=list(open_ones.values_list("change__oid", flat=True)))
    settle(reaction_ids, lambda _changes: None, task="inspections.issue_receipts")


def _effect(changes: list[Change]) -> None:
    for report_id in owners_of(c.oid for c in changes):
        actions.settle_media(actor=SYSTEM, report_id=report_id)


@shared_task(name="inspections.remove_orphaned_photos")
def remove_orphaned_photos() -> None:
    """Remove photos whose report never came."""
    actions.remove_orphaned_photos()


@shared_task(name="inspections.note_single_use")
def note_single_use() -> None:
    """Note the seals and other single-use numbers of new submissions."""
    actions.note_single_use(actor=SYSTEM)
