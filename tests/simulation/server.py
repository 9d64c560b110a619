"""The server in this process: the real WSGI handler, a worker, a broker that may fail, backups, crashes, restarts.

Made once per process. An example starts from the template database and an empty disk (`Server.begin`).
"""

from __future__ import annotations

import gc
import io
import sqlite3
import sys
from collections.abc import Callable, Mapping
from functools import _lru_cache_wrapper
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import django
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from apps.evidence.storage.local import _DURABLE
from tests.simulation.clock import Clock, Watch
from tests.simulation.crashes import Crash, Crasher
from tests.simulation.disk import Disk
from tests.wire import Answer

# Photos of this story have some 650 bytes: several requests each, and several pieces in a request.
PHONE_CHUNK = 650
SERVER_PIECE = 200


class ServerFailed(AssertionError):
    """The server answered with a failure of its own."""


class Broker:
    """Messages to the worker: kept in order, but the story may lose, repeat or reorder them."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[int]]] = []

    def send(self, task: str, reaction_ids: list[int]) -> None:
        """Take a message."""
        self.messages.append((task, reaction_ids))


class Server:
    """The product as one process that can die."""

    def __init__(self, root: Path) -> None:
        self.clock = Clock()
        self.broker = Broker()
        self.disk = Disk(root / "evidence")
        from apps.changes.actions import set_wake

        self._stand_in()
        self._application = _loaded()
        connection.ensure_connection()
        set_wake(lambda: None)
        self.crasher = Crasher(str(self.disk.root), self.disk.synced)
        self._tasks = _tasks()
        self._caches: list[_lru_cache_wrapper[Any]] = []

    # -- one example ----------------------------------------------------------------------------------------------

    def begin(self, template: Store) -> None:
        """Start an example from the template."""
        self.disk.clear()
        self.broker.messages.clear()
        self.crasher.revive()
        template.restore()
        self.forget()

    def remember_caches(self) -> None:
        """Find what the product keeps in memory; once, when all of it is loaded and before `gc.freeze` hides it."""
        self._caches = _caches()

    def forget(self) -> None:
        """Empty what a process keeps in memory."""
        for kept in self._caches:
            kept.cache_clear()
        _DURABLE.clear()
        cache.clear()

    def restart(self, *, power: bool = False) -> None:
        """Come back after a crash, or after a power cut."""
        self.crasher.revive()
        if power:
            self.disk.lose_power()
        self.forget()

    # -- requests and work ----------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: io.RawIOBase | Any) -> Answer:
        """Process one request through the whole stack. Raises Crash."""
        told: list[Any] = []

        def start(status: str, sent: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], object]:
            told[:] = [status, sent]
            return lambda _data: None

        with self.crasher.process():
            parts = self._application(_environ(method, path, headers, body), start)
            try:
                content = b"".join(parts)
            finally:
                close = getattr(parts, "close", None)
                if close and not self.crasher.is_dead:
                    close()
        self.crasher.disarm()
        status = int(told[0].split(" ", 1)[0])
        if status >= 500 and status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise ServerFailed(f"{method} {path}: {status} {content[:300]!r}")
        return Answer(status, dict(told[1]), content)

    def relay(self) -> None:
        """Work off the outbox."""
        self._tasks["changes.relay"]()

    def run(self, task: str, *arguments: Any) -> None:
        """Run one task in this process."""
        self._tasks[task](*arguments)

    def beat(self) -> list[str]:
        """Give the names of all scheduled tasks."""
        from backend.celery import app

        return sorted({entry["task"] for entry in app.conf.beat_schedule.values()})

    def drain(self) -> None:
        """Let the worker do all that is owed."""
        for _ in range(50):
            self.relay()
            messages, self.broker.messages[:] = list(self.broker.messages), []
            for task, ids in messages:
                self.run(task, ids)
            if not messages:
                return
        raise AssertionError("the worker never finishes")

    # -- inside ---------------------------------------------------------------------------------------------------

    def _stand_in(self) -> None:
        """Put virtual time and the broker where the product looks for the real ones."""
        import tests.phone
        import tests.phone_photos
        import tests.reports
        from apps.changes import tasks
        from apps.common import records
        from apps.evidence.actions import deriving
        from mobile_api.uploads import bodies

        clock: Any = self.clock
        watch: Any = Watch(self.clock)
        timezone.now = clock.now
        vars(records)["uuid7"] = clock.server_id
        vars(tests.reports)["time"] = watch
        for module in (tests.phone, tests.phone_photos):
            vars(module)["uuid7"] = clock.phone_id
        vars(tests.phone_photos)["CHUNK"] = PHONE_CHUNK
        vars(bodies)["PIECE"] = SERVER_PIECE
        vars(tasks)["send"] = self.broker.send
        vars(deriving)["Imager"] = QuickImager


class QuickImager:
    """Stands in for the child process that decodes photos."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def look(self, photo: bytes) -> Any:
        """Make something small of the photo."""
        from apps.evidence.imaging import Look

        return Look(thumbnail=photo[:16])


class Store:
    """A copy of the whole database, to go back to."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._name = ""
        self._copy: sqlite3.Connection | None = None
        if connection.vendor == "postgresql":
            Store.count += 1
            self._name = f"copy_{Store.count}"
            _as_administrator(f"CREATE DATABASE {self._name} TEMPLATE {connection.settings_dict['NAME']}")
        else:
            self._copy = sqlite3.connect(":memory:")
            connection.connection.backup(self._copy)

    count = 0

    def restore(self) -> None:
        """Put the copy in the place of the database."""
        if self._copy is not None:
            # A new connection: on an open one, statements prepared before undid what the transaction had written.
            connection.connection.close()
            connection.connection = None
            connection.connect()
            self._copy.backup(connection.connection)
            return
        name = connection.settings_dict["NAME"]
        _as_administrator(f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE {self._name}")

    def drop(self) -> None:
        """Let the copy go."""
        if self._copy is not None:
            self._copy.close()
        else:
            _as_administrator(f"DROP DATABASE IF EXISTS {self._name}")


def _as_administrator(*statements: str) -> None:
    """Run statements on databases as wholes: whoever is still connected to this one is sent away."""
    import psycopg

    about = connection.settings_dict
    connection.close()
    with psycopg.connect(
        host=about["HOST"],
        port=about["PORT"],
        user=about["USER"],
        password=about["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as administrator:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        while administrator.execute(others, [about["NAME"]]).fetchall():  # until they have gone
            pass
        for statement in statements:
            administrator.execute(statement.encode())


def _loaded() -> Callable[..., Any]:
    """Load the product as a web server does: phones take the shorter way through it that they take in production."""
    from backend.wsgi import application

    gc.unfreeze()  # what it has put out of sight holds the caches that a restart empties
    return application


def _tasks() -> dict[str, Callable[..., Any]]:
    from backend.celery import app

    app.loader.import_default_modules()
    return {name: task.run for name, task in app.tasks.items() if not name.startswith("celery.")}


def _caches() -> list[_lru_cache_wrapper[Any]]:
    """Find what the product's modules keep in memory."""
    ours = ("apps.", "mobile_api.", "backend.")
    return [
        thing
        for thing in gc.get_objects()
        if type(thing) is _lru_cache_wrapper and str(thing.__module__).startswith(ours)
    ]


def _environ(method: str, path: str, headers: Mapping[str, str], body: Any) -> dict[str, Any]:
    place, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": place,
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    return environ


__all__ = ["Broker", "Crash", "Server", "ServerFailed", "Store", "django"]
