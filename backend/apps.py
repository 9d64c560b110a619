"""Wires the parts together once Django is ready."""

from __future__ import annotations

from django.apps import AppConfig


class BackendConfig(AppConfig):
    """The composition root as an app: it connects the relay to the table of reactions."""

    name = "backend"

    def ready(self) -> None:
        """Load Celery first so that tasks are sent through our application."""
        from backend import celery  # noqa: F401, PLC0415  sets the current Celery application
        from backend.reactions import connect  # noqa: PLC0415  needs the app registry

        connect()
