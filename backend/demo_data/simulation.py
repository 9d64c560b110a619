"""The clock and the dice of the demo: while it runs, this process lives at the moment of the story.

The actions take no stated time, and they should not: what they write down is when they ran. So the story sets the
clock of this one process, and ids made meanwhile carry the story's time. With the same seed and the same end, the
same world comes out, id for id.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar
from unittest.mock import patch
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from apps.common import records

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
# Eighteen months of service, and before them (when they do not hold it anyway) August 2024 under the old tree.
HISTORY = dt.timedelta(days=548)
ARCHIVE = (dt.date(2024, 8, 1), dt.date(2024, 8, 31))
T = TypeVar("T")


class Simulation:
    """A moment that is set, random numbers from one seed, and ids made of both."""

    def __init__(self, seed: int, end: dt.datetime) -> None:
        self.end = end
        self.now = end
        self.seed = seed
        self.dice = random.Random(seed)  # noqa: S311  a story, not a secret
        self.start = end - HISTORY
        self.has_archive = self.start > local(ARCHIVE[1], 23, 59)
        first = local(ARCHIVE[0]) if self.has_archive else self.start
        self.opening = local((first - dt.timedelta(days=60)).astimezone(VIETNAM).date(), 8)
        self._ids = random.Random(f"ids {seed}")  # noqa: S311  likewise
        self._given: dict[int, int] = defaultdict(int)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the process's clock and its new ids follow the story; the clock tells UTC, as the real one does.

        What actions seal holds moments as they are spelt, and a database gives them back in UTC.
        """
        with (
            patch.object(timezone, "now", lambda: self.now.astimezone(dt.UTC)),
            patch.object(records, "uuid7", self.new_id),
        ):
            yield

    def at(self, moment: dt.datetime) -> None:
        """Go to a moment of the story."""
        self.now = moment

    def new_id(self) -> UUID:
        """Make a UUIDv7 of the story's time: milliseconds, then a counter, then dice.

        The counter is that of the moment, so that ids of one moment keep their order also when the story comes back to
        it; past 4,096 ids a moment borrows from the next millisecond.
        """
        milliseconds = int(self.now.timestamp() * 1000)
        stamp = (milliseconds << 12) + self._given[milliseconds]
        self._given[milliseconds] += 1
        return UUID(
            int=stamp >> 12 << 80 | 7 << 76 | (stamp & 0xFFF) << 64 | 2 << 62 | self._ids.getrandbits(62)
        )

    def often(self, probability: float) -> bool:
        """Throw the dice."""
        return self.dice.random() < probability

    def one_of(self, items: Sequence[T]) -> T:
        """Pick one, each as likely as any other."""
        return items[int(self.dice.random() * len(items))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """Pick one by weight."""
        return self.dice.choices(list(weights), list(weights.values()))[0]

    def digits(self, count: int) -> str:
        """Make a string of digits."""
        return "".join(self.dice.choices("0123456789", k=count))


def local(day: dt.date, hour: int = 0, minute: int = 0) -> dt.datetime:
    """Give a moment in Vietnam."""
    return dt.datetime(day.year, day.month, day.day, hour, minute, tzinfo=VIETNAM)
