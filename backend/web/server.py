"""Django's WSGI handler behind granian's RSGI, so that a request may wait without a thread.

The event loop receives the body and hands the request to a thread, which runs Django and answers itself: on the common
way the loop is not asked a second time. A pull that left a wish in its turn is not answered: it waits in the loop, and
then the same request runs through Django once more, from the token on. Whoever lost a right while waiting is judged by
what counts now.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from typing import Any

import structlog

from apps.sync.waiting import ENVIRON, Turn, read_heads
from backend.web.bodies import Body
from backend.web.threads import Threads
from backend.web.waiting import GONE, Waiting
from mobile_api.admission import ARRIVED

logger = structlog.get_logger(__name__)
Application = Callable[[dict[str, Any], Any], Any]
SWEEP_SECONDS = 0.05
STREAM_PIECE = 256 * 1024
_PLAIN = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Server:
    """The RSGI application."""

    def __init__(self, application: Application, *, threads: int) -> None:
        self._application = application
        self._threads = Threads(threads)
        self._woken_at_once = max(1, threads // 4)
        self._answered: deque[asyncio.Future[Turn | None]] = deque()
        self._names: dict[str, str] = {}
        self._open = 0
        self._is_sweeping = False

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Prepare for many connections: called once in each process."""
        self._loop = loop
        self._waiting = Waiting(loop, read_heads)
        self._gate = asyncio.Semaphore(self._woken_at_once)
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))
        with suppress(ValueError):  # only a main thread has signals
            self._end_waits_at(signal.SIGTERM, signal.SIGINT)

    def _end_waits_at(self, *signals: signal.Signals) -> None:
        """Let go of everybody when the process is told to end: granian waits for requests, and these would wait long.

        Its own handler hangs on the event loop's file for signals; this one runs beside it.
        """
        for number in signals:
            signal.signal(number, lambda *_: self._loop.call_soon_threadsafe(self._waiting.close))
            signal.siginterrupt(number, False)  # noqa: FBT003  the function's own form

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        """Serve one request."""
        length = _length(scope)
        self._open += 1
        try:
            body = Body(proto, length, self._loop) if length else None
            data = await body.whole() if body else b""
            turn = await self._served(scope, proto, data, body)
            if turn is not None:
                await self._wait(scope, proto, turn, data or b"")
        finally:
            self._open -= 1

    async def _wait(self, scope: Any, proto: Any, turn: Turn, data: bytes) -> None:
        """Hold the request until there is something to tell or its time is up, and answer it then."""
        gone: asyncio.Future[None] = asyncio.ensure_future(proto.client_disconnect())
        try:
            end = self._loop.time() + (turn.wish.seconds if turn.wish else 0)
            while (left := end - self._loop.time()) > 0 and turn.wish:
                if await self._waiting.wait(turn.wish, left, gone) == GONE:
                    return
                is_over = end - self._loop.time() <= 0
                async with self._gate:
                    again = await self._served(scope, proto, data, None, is_second=True, may_wait=not is_over)
                if again is None:
                    return
                turn = again
            async with self._gate:
                await self._served(scope, proto, data, None, is_second=True, may_wait=False)
        finally:
            gone.cancel()

    def _served(
        self,
        scope: Any,
        proto: Any,
        data: bytes | None,
        body: Body | None,
        *,
        is_second: bool = False,
        may_wait: bool = True,
    ) -> asyncio.Future[Turn | None]:
        """Have a thread run Django; gives None when the request was answered, or the turn with the wish left in it."""
        self._sweep_soon()
        future: asyncio.Future[Turn | None] = self._loop.create_future()
        turn = Turn() if may_wait and not self._waiting.is_full() else None
        arrived = time.monotonic()

        def job() -> None:
            waits = False
            try:
                source = BytesIO(data) if data is not None else body.reader() if body else BytesIO()
                waits = self._run(self._environ(scope, source, turn) | {ARRIVED: arrived}, proto, turn)
            finally:
                if waits or is_second:
                    self._loop.call_soon_threadsafe(_settle, future, turn if waits else None)
                else:
                    self._answered.append(future)

        self._threads.run(job)
        return future

    def _run(self, meta: dict[str, Any], proto: Any, turn: Turn | None) -> bool:
        """Run Django in this thread and send its answer; True when the request waits instead."""
        told: list[Any] = []
        try:
            answer = self._application(
                meta, lambda status, headers, _exc=None: told.extend((status, headers))
            )
        except Exception:
            logger.exception("web.application_failed")
            proto.response_empty(500, [])
            return False
        try:
            if turn is not None and turn.wish is not None:
                return True
            status, headers = int(told[0][:3]), told[1]
            if getattr(answer, "streaming", False):
                self._stream(answer, proto.response_stream(status, headers))
            else:
                proto.response_bytes(status, headers, b"".join(answer))
        finally:
            close = getattr(answer, "close", None)
            if close:
                close()
        return False

    def _stream(self, answer: Iterable[bytes], transport: Any) -> None:
        """Send a streamed answer in large pieces; a client that hangs up ends it."""
        held = bytearray()
        try:
            for part in answer:
                held += part
                if len(held) >= STREAM_PIECE:
                    self._send(transport, bytes(held))
                    held.clear()
            if held:
                self._send(transport, bytes(held))
        except RuntimeError:  # granian says so when the connection is closed
            return

    def _send(self, transport: Any, data: bytes) -> None:
        async def send() -> None:
            await transport.send_bytes(data)

        asyncio.run_coroutine_threadsafe(send(), self._loop).result()

    def _environ(self, scope: Any, source: Any, turn: Turn | None) -> dict[str, Any]:
        host, _, port = scope.server.rpartition(":")
        meta: dict[str, Any] = {
            "REQUEST_METHOD": scope.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
            "QUERY_STRING": scope.query_string,
            "SERVER_NAME": host,
            "SERVER_PORT": port,
            "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
            "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scope.scheme,
            "wsgi.input": source,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            ENVIRON: turn,
        }
        if scope.authority:  # HTTP/2 says the host there
            meta["HTTP_HOST"] = scope.authority
        for name, value in scope.headers.items():
            key = self._names.get(name) or self._name(name)
            if key in meta and key != "HTTP_HOST":
                meta[key] = f"{meta[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
            elif key:
                meta[key] = value
        return meta

    def _name(self, header: str) -> str:
        """Give a header's name as WSGI has it; "" for one with an underscore, which could pose as another's."""
        name = header.lower()
        key = _PLAIN.get(name) or ("" if "_" in name else f"HTTP_{name.upper().replace('-', '_')}")
        if key and len(self._names) < 200:
            self._names[header] = key
        return key

    def _sweep_soon(self) -> None:
        """Let go of answered requests: with the next request, or within a moment; the threads need not call for it."""
        self._sweep()
        if not self._is_sweeping:
            self._is_sweeping = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep_again)

    def _sweep_again(self) -> None:
        self._sweep()
        self._is_sweeping = self._open > self._waiting.count
        if self._is_sweeping:
            self._loop.call_later(SWEEP_SECONDS, self._sweep_again)

    def _sweep(self) -> None:
        while self._answered:
            _settle(self._answered.popleft(), None)


def _settle(future: asyncio.Future[Turn | None], turn: Turn | None) -> None:
    if not future.done():
        future.set_result(turn)


def _length(scope: Any) -> int:
    text = scope.headers.get("content-length") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
