"""Virtual time: one clock for the server, a wrong one for each phone, and ids that come out the same each time.

Nothing sleeps. Every look at the server's clock moves it by a hair, so that moments order what happened.
"""

from __future__ import annotations

import datetime as dt
import time as real_time
import uuid

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
TICK = dt.timedelta(microseconds=50)


class Clock:
    """The server's time, and how far the phone at hand is off."""

    def __init__(self) -> None:
        self.moment = START
        self.offset = 0.0
        self.ids = 0

    def now(self) -> dt.datetime:
        """Stand in for `django.utils.timezone.now`."""
        self.moment += TICK
        return self.moment

    def pass_by(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += dt.timedelta(seconds=seconds)

    def server_id(self) -> uuid.UUID:
        """Make a UUIDv7 of the server."""
        return self._id(self.now().timestamp())

    def phone_id(self) -> uuid.UUID:
        """Make a UUIDv7 by the clock of the phone at hand."""
        return self._id(self.phone_time())

    def phone_time(self) -> float:
        """Give what the phone at hand takes for the time."""
        return self.now().timestamp() + self.offset

    def _id(self, moment: float) -> uuid.UUID:
        self.ids += 1
        milliseconds = int(max(moment, 0.0) * 1000) & (1 << 48) - 1
        return uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | self.ids)


class Watch:
    """Stands in for the module `time` where a phone reads it."""

    gmtime = staticmethod(real_time.gmtime)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def time(self) -> float:
        """Give the phone's time."""
        return self._clock.phone_time()

    def monotonic(self) -> float:
        """Give a time that a wrong clock does not touch."""
        return self._clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._clock.pass_by(seconds)

    def strftime(self, shape: str, moment: real_time.struct_time | None = None) -> str:
        """Write the phone's time."""
        return real_time.strftime(shape, moment or real_time.gmtime(self.time()))
