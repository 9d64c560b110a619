"""Celery shims of the relay. The table of reactions is handed over by `backend.reactions` at start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from celery import current_app, shared_task

from apps.changes import actions

_reactions: dict[str, Sequence[str]] = {}


def set_reactions(table: Mapping[str, Sequence[str]]) -> None:
    """Name the tasks each kind of change owes."""
    _reactions.clear()
    _reactions.update(table)


def send(task: str, reaction_ids: list[int]) -> None:
    """Hand one task to the broker; a broker that is down is made good by the sweep."""
    current_app.send_task(task, args=[reaction_ids])


@shared_task(name="changes.relay")
def relay() -> None:
    """Work off the outbox until it is empty."""
    while actions.relay(_reactions, send):
        pass


@shared_task(name="changes.sweep")
def sweep() -> None:
    """Work off the outbox and send again what is overdue."""
    relay()
    actions.resend_overdue(send)
