"""Celery shims: what becomes of photos without a seizure report."""

from __future__ import annotations

from celery import shared_task

from apps.seizures import actions


@shared_task(name="seizures.remove_orphaned_photos")
def remove_orphaned_photos() -> None:
    """Remove photos whose seizure report never came."""
    actions.remove_orphaned_photos()
