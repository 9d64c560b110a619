"""The body of a request as it arrives: small ones are received before a thread is taken, large ones while it works.

A phone on a bad line therefore holds no thread while it sends a report or a piece of a photo. Only what is larger, or
comes when a process holds too much already, is read by the thread itself. A connection that breaks, or says nothing
for half a minute, ends the body: what came before counts, which is what uploads need.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

SMALL = 512 * 1024
MOST_HELD = 64 * 1024 * 1024
SILENCE_SECONDS = 30.0


class Body:
    """One request's body."""

    held = 0
    """Bytes that small bodies occupy in this process."""

    def __init__(self, proto: Any, length: int, loop: asyncio.AbstractEventLoop) -> None:
        self._chunks: AsyncIterator[bytes] = proto.__aiter__()
        self._loop = loop
        self._rest = b""
        self._left = length
        self.length = length

    async def whole(self) -> bytes | None:
        """Receive a small body; None when it is not small, and a thread must read it."""
        if self.length > SMALL or Body.held + self.length > MOST_HELD:
            return None
        Body.held += self.length
        try:
            return await self.gather(self.length)
        finally:
            Body.held -= self.length

    async def gather(self, size: int) -> bytes:
        """Receive `size` bytes, fewer at the end of the body or when the connection broke."""
        got, parts = len(self._rest), [self._rest] if self._rest else []
        watch = _Watch(self._loop)
        try:
            while got < size and self._left > len(self._rest):
                chunk = await anext(self._chunks)
                if not chunk:
                    break
                watch.heard()
                parts.append(chunk)
                got += len(chunk)
                self._left -= len(chunk)
        except (StopAsyncIteration, RuntimeError):  # the end; granian's own errors are RuntimeErrors
            self._left = 0
        except asyncio.CancelledError:
            if not watch.has_bitten:
                raise
            self._left = 0
        finally:
            watch.end()
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._rest = data[size:]
        return data[:size] if self._rest else data

    def reader(self) -> io.BufferedReader:
        """Give the body as a file for a thread, which waits in it for the bytes."""
        return io.BufferedReader(_Reader(self), buffer_size=64 * 1024)

    def read_in_thread(self, size: int) -> bytes:
        """Wait in a thread of the pool for the next bytes."""
        return asyncio.run_coroutine_threadsafe(self.gather(size), self._loop).result()


class _Reader(io.RawIOBase):
    def __init__(self, body: Body) -> None:
        self._body = body

    def readable(self) -> bool:
        """It is read, never written."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there are bytes."""
        data = self._body.read_in_thread(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Watch:
    """Cancels the task that receives when nothing has come for too long; one timer for a body, not one per chunk."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._task = asyncio.current_task(loop)
        self._loop = loop
        self._heard = loop.time()
        self._timer = loop.call_later(SILENCE_SECONDS, self._look)
        self.has_bitten = False

    def heard(self) -> None:
        """Something came."""
        self._heard = self._loop.time()

    def end(self) -> None:
        """Stop watching."""
        self._timer.cancel()

    def _look(self) -> None:
        silent = self._loop.time() - self._heard
        if silent < SILENCE_SECONDS:
            self._timer = self._loop.call_later(SILENCE_SECONDS - silent, self._look)
        elif self._task is not None:
            self.has_bitten = True
            self._task.cancel()
