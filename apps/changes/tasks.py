"""Celery shims of the relay. `settings.REACTIONS` names the table of reactions."""

from __future__ import annotations

from celery import current_app, shared_task
from django.conf import settings
from django.utils.module_loading import import_string

from apps.changes import actions


def send(task: str, reaction_ids: list[int]) -> None:
    """Hand one task to the broker; a broker that is down is made good by the sweep."""
    current_app.send_task(task, args=[reaction_ids])


@shared_task(name="changes.relay")
def relay() -> None:
    """Work off the outbox as it stands; what comes meanwhile has its own call, and is told together."""
    reactions = import_string(settings.REACTIONS)
    while actions.relay(reactions, send) == actions.BATCH:
        pass


@shared_task(name="changes.sweep")
def sweep() -> None:
    """Work off the outbox and send again what is overdue."""
    relay()
    actions.resend_overdue(send)
