"""Crashes from outside: the product holds no crash points, its own boundaries are where it is killed.

Every SQL statement, COMMIT, fsync, link, rename and unlink passes through here. `crash_at("after_commit", 2)` kills
the server after the second COMMIT of the next request: open transactions roll back, nothing is answered, and whatever
the dying code still tries (its `finally` blocks) reaches neither the database nor the disk. What it raises by that is
the crash and nothing else (`process`): Django, for one, sets a connection back to autocommit in a `finally`, meets one
that is closed, and would give that error in the place of the crash.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections

POINTS = (
    "before_commit",
    "after_commit",
    "statement",
    "before_sync",
    "after_sync",
    "before_name",
    "after_name",
)
_NAMING = ("link", "rename", "replace", "unlink")


class Crash(BaseException):
    """The server process has died."""


class Crasher:
    """Counts boundaries and kills at the one that was ordered."""

    def __init__(self, root: str, synced: Callable[[int], None]) -> None:
        self._root = root
        self._synced = synced
        self._left: tuple[str, int] | None = None
        self._error_in = 0
        self.is_dead, self._died_at = False, ""
        self._wrap_files()

    def attach(self) -> None:
        """Watch the database connection; to be called once it is there."""
        wrapper: Any = connections[DEFAULT_DB_ALIAS]  # not `connection`, which only stands for it
        real_commit, real_connect = wrapper._commit, wrapper.connect

        def commit() -> None:
            self._reach("before_commit")
            real_commit()
            self._reach("after_commit")

        def connect() -> None:
            self._refuse_the_dead()
            real_connect()

        wrapper._commit, wrapper.connect = commit, connect

    @contextmanager
    def process(self) -> Iterator[None]:
        """Run the product's code as a process that may die: whatever comes of it after its death is the crash."""
        try:
            yield
        except Exception as error:
            if self.is_dead:
                raise Crash(self._died_at) from error
            raise
        self._refuse_the_dead()

    def crash_at(self, point: str, times: int) -> None:
        """Order a crash at the n-th passing of a point."""
        self._left = (point, times)
        if point == "statement":
            self._watch()

    def fail_at(self, statement: int) -> None:
        """Order that the database refuses the n-th statement, as one does that is locked or has gone away."""
        self._error_in = statement
        self._watch()

    def disarm(self) -> None:
        """Order nothing any more."""
        self._left, self._error_in = None, 0
        if self._execute in connection.execute_wrappers:
            connection.execute_wrappers.remove(self._execute)

    def revive(self) -> None:
        """Start anew after a crash: what was open is rolled back, the connection is as new."""
        self.is_dead = False
        self.disarm()
        if connection.vendor == "postgresql":
            if connection.connection is not None:
                connection.connection.close()
            connection.connection, connection.in_atomic_block = None, False
            return
        raw = connection.connection
        if raw is not None:
            raw.rollback()
            raw.isolation_level = None
        connection.in_atomic_block = connection.needs_rollback = False
        connection.savepoint_ids, connection.atomic_blocks, connection.run_on_commit = [], [], []
        connection.autocommit = connection.commit_on_exit = True
        connection.run_commit_hooks_on_set_autocommit_on = connection.closed_in_transaction = False

    def _watch(self) -> None:
        """Watch statements from now on; only when needed: on PostgreSQL the product takes a shorter way unwatched.

        So the crashes at commits and files happen on the shorter way, and those at statements on the longer.
        """
        if self._execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._execute)

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._error_in:
            self._error_in -= 1
            if not self._error_in:
                raise OperationalError("database is locked")
        if self._left or self.is_dead:
            self._reach("statement")
        return execute(sql, params, many, context)

    def _refuse_the_dead(self) -> None:
        if self.is_dead:
            raise Crash(self._died_at)

    def _reach(self, point: str) -> None:
        self._refuse_the_dead()
        if self._left is None or self._left[0] != point:
            return
        left = self._left[1] - 1
        self._left = (point, left)
        if left <= 0:
            self._die(point)

    def _die(self, point: str) -> None:
        self.is_dead, self._died_at = True, point
        self._watch()
        connection.run_on_commit = []
        if connection.connection is not None:
            if connection.vendor == "postgresql":
                connection.connection.close()
            else:
                connection.connection.rollback()
        raise Crash(point)

    def _wrap_files(self) -> None:
        for name in ("fsync", "fdatasync"):
            setattr(os, name, self._syncing(getattr(os, name)))
        for name in _NAMING:
            setattr(os, name, self._naming(getattr(os, name)))

    def _syncing(self, real: Any) -> Any:
        def sync(fd: int) -> None:
            self._reach("before_sync")
            real(fd)
            self._synced(fd)
            self._reach("after_sync")

        return sync

    def _naming(self, real: Any) -> Any:
        def name(path: Any, *more: Any, **options: Any) -> None:
            if not str(path).startswith(self._root):
                real(path, *more, **options)
                return
            self._reach("before_name")
            real(path, *more, **options)
            self._reach("after_name")

        return name
