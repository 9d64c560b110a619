"""Wires the parts together once Django is ready."""

from __future__ import annotations

from django.apps import AppConfig


class BackendConfig(AppConfig):
    """The composition root as an app: it connects the relay to the table of reactions, and custody to the close."""

    name = "backend"

    def ready(self) -> None:
        """Connect the feed with the worker; let no seizure end, itself or in another, with exhibits in a hand."""
        from apps.custody.queries import in_hand, left_open  # noqa: PLC0415  needs the app registry
        from apps.seizures.actions import require  # noqa: PLC0415  needs the app registry
        from backend import checks  # noqa: F401, PLC0415  registers them
        from backend.reactions import connect  # noqa: PLC0415  needs the app registry

        connect()
        require("close", left_open)
        require("merge", in_hand)
