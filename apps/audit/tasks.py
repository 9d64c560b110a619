"""Celery shims of the ledger; each may run at any time and twice."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from django.conf import settings

from apps.audit import actions

MOST_ROUNDS = 30


@shared_task(name="audit.sequence")
def sequence() -> None:
    """Number what was committed, until nothing waits."""
    for _ in range(MOST_ROUNDS):
        if not actions.sequence_events():
            return


@shared_task(name="audit.sign_head")
def sign_head() -> None:
    """Sign a head over all that is numbered."""
    actions.sign_head()


@shared_task(name="audit.export_head")
def export_head() -> None:
    """Hand the newest head to the witness."""
    if settings.WITNESS_DIR:
        actions.export_head(Path(settings.WITNESS_DIR))


@shared_task(name="audit.stamp_head")
def stamp_head() -> None:
    """Have the newest head stamped, where an authority is named."""
    actions.stamp_newest()
