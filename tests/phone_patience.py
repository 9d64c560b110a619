"""How the reference phone waits: jittered back-off, `Retry-After`, and a clock that tests can replace."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

FIRST_DELAY = 2.0
LONGEST_DELAY = 900.0


class Clock:
    """The phone's own clock; the server's is never compared with it."""

    def now(self) -> float:
        """Give the seconds since 1970 as the phone believes."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass
class VirtualClock(Clock):
    """A clock that moves when somebody sleeps on it, and remembers how long they slept."""

    at: float = field(default_factory=time.time)
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Give the moment."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.at += seconds


def delay(dice: random.Random, failures: int, retry_after: float | None = None) -> float:
    """Give how long to wait after so many failures in a row.

    Without a word from the server: a random part of 2, 4, 8 … seconds, at most 15 minutes. With `Retry-After`: never
    less than that, and up to half as much again, so that phones that were sent away together do not return together.
    """
    if retry_after is not None:
        asked = min(max(retry_after, 1.0), LONGEST_DELAY)
        return asked + dice.uniform(0, asked / 2)
    longest: float = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures, 12))
    return dice.uniform(0.5, 1) * longest
