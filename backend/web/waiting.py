"""Phones that wait for a change: no thread and no database connection each, one question to the database for all.

Each process asks twice a second, in one statement, for the heads of all streams that somebody waits for, and wakes
those whose head has moved. A woken phone's request is judged and answered anew from the start, a few at a time, so
that a publication that wakes a thousand phones leaves threads for those who push.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from apps.sync.waiting import Heads, Wish

logger = structlog.get_logger(__name__)
EVERY_SECONDS = 0.5
LARGEST_SHARE = 0.05
MOST = 4000

CHANGED, OVER, GONE = "changed", "over", "gone"


class Waiting:
    """The waiting phones of one process; used from its event loop alone."""

    def __init__(self, loop: asyncio.AbstractEventLoop, read: Callable[[list[str]], Heads]) -> None:
        self._loop = loop
        self._read = read
        self._by_stream: dict[str, set[_Waiter]] = {}
        self._epochs: dict[str, set[_Waiter]] = {}
        self._asking: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="heads")
        self._is_closed = False
        self.count = 0

    def is_full(self) -> bool:
        """Tell whether no more may wait; the next are answered at once."""
        return self.count >= MOST or self._is_closed

    async def wait(self, wish: Wish, seconds: float, gone: asyncio.Future[None]) -> str:
        """Wait until the phone's streams move (CHANGED), the time is up (OVER) or the phone hangs up (GONE)."""
        waiter = _Waiter(wish, self._loop.create_future())
        timer = self._loop.call_later(seconds, waiter.wake, OVER)
        gone.add_done_callback(lambda _: waiter.wake(GONE))
        self._add(waiter)
        try:
            return await waiter.future
        finally:
            timer.cancel()
            self._remove(waiter)

    def close(self) -> None:
        """Send everybody on their way, and let nobody wait any more: the process ends."""
        self._is_closed = True
        for waiters in list(self._epochs.values()):
            for waiter in list(waiters):
                waiter.wake(OVER)

    def _add(self, waiter: _Waiter) -> None:
        self.count += 1
        self._epochs.setdefault(waiter.wish.epoch, set()).add(waiter)
        for stream in waiter.wish.seqs:
            self._by_stream.setdefault(stream, set()).add(waiter)
        if self._asking is None or self._asking.done():
            self._asking = self._loop.create_task(self._ask_while_somebody_waits())

    def _remove(self, waiter: _Waiter) -> None:
        self.count -= 1
        _discard(self._epochs, waiter.wish.epoch, waiter)
        for stream in waiter.wish.seqs:
            _discard(self._by_stream, stream, waiter)

    async def _ask_while_somebody_waits(self) -> None:
        while self.count:
            began = time.monotonic()
            try:
                heads = await self._loop.run_in_executor(self._thread, self._read, list(self._by_stream))
            except Exception as error:  # noqa: BLE001  a database that is away: they go on waiting, to their end
                logger.warning("wait.heads_unread", error=type(error).__name__)
            else:
                self._tell(heads)
            taken = time.monotonic() - began
            await asyncio.sleep(max(EVERY_SECONDS, taken / LARGEST_SHARE))

    def _tell(self, heads: Heads) -> None:
        for epoch, waiters in list(self._epochs.items()):
            if epoch != heads.epoch:
                for waiter in list(waiters):
                    waiter.wake(CHANGED)
        for stream, waiters in list(self._by_stream.items()):
            head = heads.seqs.get(stream, 0)
            for waiter in list(waiters):
                if waiter.wish.seqs[stream] != head:
                    waiter.wake(CHANGED)


class _Waiter:
    """One phone's wish and what it waits on."""

    __slots__ = ("future", "wish")

    def __init__(self, wish: Wish, future: asyncio.Future[str]) -> None:
        self.wish = wish
        self.future = future

    def wake(self, why: str) -> None:
        """Wake it, once."""
        if not self.future.done():
            self.future.set_result(why)


def _discard(index: dict[str, set[_Waiter]], key: str, waiter: _Waiter) -> None:
    waiters = index[key]
    waiters.discard(waiter)
    if not waiters:
        del index[key]
