"""Celery shims of checklists."""

from __future__ import annotations

from celery import shared_task

from apps.checklists import actions


@shared_task(name="checklists.close_expired")
def close_expired() -> None:
    """Close the closing versions whose time is up."""
    actions.close_expired()
