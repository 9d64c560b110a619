"""A web server inside the test process: real sockets, real requests, the product's whole WSGI application.

In a test without real transactions the server works on the test's own connection, so that what it writes is rolled
back with the test; such a server must be asked one thing at a time. With `django_db(transaction=True)` each request
has a connection of its own, as in production. Time and settings are the test's, which a live stack cannot offer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test.testcases import QuietWSGIRequestHandler

from tests.cast import Member
from tests.phone import Phone


class _Handler(QuietWSGIRequestHandler):
    timeout = 10  # nobody keeps a thread of the test run for ever


class _Server(ThreadedWSGIServer):
    daemon_threads = False
    block_on_close = True


def _leave_open() -> None:
    """Close nothing."""


class Near:
    """The server and the phones of one test."""

    def __init__(self, *, shares: bool) -> None:
        self._own = connections["default"] if shares else None
        if self._own:
            self._own.inc_thread_sharing()
            # Django looks after its connections around each request; this one is the test's.
            self._own.__dict__ |= {"close_if_unusable_or_obsolete": _leave_open, "close": _leave_open}
        override = {"default": self._own} if self._own else None
        self.server = _Server(("127.0.0.1", 0), _Handler, connections_override=override)
        self.server.set_app(get_wsgi_application())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.phones: list[Phone] = []
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def phone(self, member: Member, store: Path | str = ":memory:", **more: Any) -> Phone:
        """Give a phone of this person, enrolled over HTTP."""
        phone = Phone(self.url, store, name=f"phone {len(self.phones)}", **more)
        self.phones.append(phone)
        if not phone.get("device_id"):
            phone.enrol(member.code())
        return phone

    def close(self) -> None:
        """Switch everything off."""
        for phone in self.phones:
            phone.close()
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
        if self._own:
            for name in ("close_if_unusable_or_obsolete", "close"):
                del self._own.__dict__[name]
            self._own.dec_thread_sharing()


@pytest.fixture
def near(request: pytest.FixtureRequest, db: None) -> Iterator[Near]:
    """The product on a port of this process."""
    mark = request.node.get_closest_marker("django_db")
    server = Near(shares=not (mark and mark.kwargs.get("transaction")))
    try:
        yield server
    finally:
        server.close()
