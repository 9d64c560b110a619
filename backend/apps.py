"""Wires the parts together once Django is ready."""

from __future__ import annotations

import select
from typing import Any

from django.apps import AppConfig


class BackendConfig(AppConfig):
    """The composition root as an app: it connects the relay to the table of reactions."""

    name = "backend"

    def ready(self) -> None:
        """Connect the feed with the worker, and spare pooled connections a question per request."""
        from backend import checks  # noqa: F401, PLC0415  registers them
        from backend.reactions import connect  # noqa: PLC0415  needs the app registry

        connect()
        _check_pooled_connections_cheaply()


def _check_pooled_connections_cheaply() -> None:
    """Ask a pooled connection whether it lives only when there is a sign that it does not.

    A server that closed a connection has made its socket readable; a sound one at rest has nothing to say. The pool's
    own check asks the server each time, which is a tenth of an idle pull.
    """
    try:
        from psycopg_pool import ConnectionPool  # noqa: PLC0415  the embedded default has no PostgreSQL
    except ImportError:
        return
    ask = ConnectionPool.check_connection

    def check(connection: Any) -> None:
        socket = select.poll()
        socket.register(connection.fileno(), select.POLLIN)
        if socket.poll(0):
            ask(connection)

    ConnectionPool.check_connection = staticmethod(check)  # type: ignore[assignment]
