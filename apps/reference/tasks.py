"""Celery shims: the list of units follows the tree."""

from __future__ import annotations

from celery import shared_task

from apps.common.actor import SYSTEM
from apps.reference import actions


@shared_task(name="reference.publish_units")
def publish_units() -> None:
    """Bring the phones' list of units up to date."""
    actions.publish_units(actor=SYSTEM)
