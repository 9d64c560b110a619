"""Pure: from when until when each exhibit was in custody, where and in what state, by its events (dictionary 4.7).

A stock, not a flow: a figure of custody is what was held at one moment. Events are never changed and the server's clock
dates them, so what was held on any day can be worked out again, and stays what it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from apps.custody.rules.moves import SETTLED


@dataclass(frozen=True)
class Held:
    """An exhibit that the service answered for: under which unit, in what state, stopped by which differences.

    `until` is None while it is so.
    """

    exhibit: UUID
    unit: UUID
    state: str
    stop: str
    since: dt.datetime
    until: dt.datetime | None = None


def spans_of(steps: Iterable[Held]) -> list[Held]:
    """Give the times in which one exhibit was held, from what it was after each of its events, in their order.

    What changes neither unit nor state nor stop starts no new time. What is handed over or closed is not held.
    """
    found: list[Held] = []
    for step in steps:
        if found and (found[-1].unit, found[-1].state, found[-1].stop) == (step.unit, step.state, step.stop):
            continue
        if found:
            found[-1] = replace(found[-1], until=step.since)
        found.append(step)
    return [span for span in found if span.state not in SETTLED and span.until != span.since]
