"""Wires the parts together once Django is ready."""

from __future__ import annotations

from django.apps import AppConfig


class BackendConfig(AppConfig):
    """The composition root as an app: it connects the relay to the table of reactions."""

    name = "backend"

    def ready(self) -> None:
        """Connect the feed with the worker."""
        from backend import checks  # noqa: F401, PLC0415  registers them
        from backend.reactions import connect  # noqa: PLC0415  needs the app registry

        connect()
