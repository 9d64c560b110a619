"""Django's PostgreSQL engine with a `channel`, on which statements go straight to libpq, and writes that wait.

What waits in `waiting` is sent by `_commit` in one piece with the COMMIT. `apps.common.sql` says who may use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from apps.common.postgresql.channel import COMMIT, Channel, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.common.postgresql.waiting import Statement, Waiting


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._channel: Channel | None = None
        self.waiting: Waiting | None = None

    def is_usable(self) -> bool:
        """Tell whether the connection lives. It is asked only after an error, or when its socket has something to say.

        A server that closed a connection has made the socket readable; a sound one at rest is silent.
        """
        if self.connection is None:
            return False
        if not self.errors_occurred and self._open_channel().is_silent():
            return True
        return super().is_usable()

    def run(self, statements: Sequence[Statement]) -> list[Rows]:
        """Send statements in one piece, inside Django's transaction if there is one; gives the rows of each."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            return self._open_channel().run(statements, is_autocommit=self.autocommit)

    def _commit(self) -> None:
        """Commit, together with what waits; a failed write fails the commit."""
        statements = self.waiting.taken() if self.waiting else []
        if not statements:
            super()._commit()  # type: ignore[misc]  # the stubs leave out what engines override
            return
        with self.wrap_database_errors:
            self._open_channel().run([*statements, COMMIT], is_autocommit=False)

    def _open_channel(self) -> Channel:
        channel = self._channel
        if channel is None or channel.connection is not self.connection:
            channel = self._channel = Channel.of(self.connection)
        return channel

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001  Django's own shape
        """Turn autocommit on or off; outside a transaction that is only a note, to which psycopg goes a long way."""
        connection = self.connection
        if connection.pgconn.transaction_status == TransactionStatus.IDLE and connection._pipeline is None:  # noqa: SLF001
            connection._autocommit = autocommit  # noqa: SLF001  what its own setter does after these questions
        else:
            super()._set_autocommit(autocommit)  # type: ignore[misc]  # as above
