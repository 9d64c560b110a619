"""What a phone that waits is waiting for, and the one question that all waiting phones of a process share.

A view that has nothing to tell leaves its wish in the request (`leave_wish`); the web server answers later (decision
0013). Behind a server that cannot wait, a pull is answered at once: `wait` is the longest time, never a promise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import close_old_connections

from apps.changes.models import Stream
from apps.sync.queries import epoch
from apps.sync.rules import Cursor, decode_cursor

ENVIRON = "haidang.turn"
TOGETHER = 1000


@dataclass(frozen=True)
class Wish:
    """Wake me when one of these streams is no longer at this number, or the epoch another; after `seconds` anyway."""

    epoch: str
    seqs: Mapping[str, int]
    seconds: float


@dataclass
class Turn:
    """One round of a request that may wait: the server offers it, the view leaves its wish in it."""

    wish: Wish | None = None


@dataclass(frozen=True)
class Heads:
    """The epoch, and the highest number of each stream."""

    epoch: str
    seqs: Mapping[str, int]


def leave_wish(
    meta: Mapping[str, Any], cursor: Cursor | None, answer: Mapping[str, Any], seconds: float
) -> None:
    """Ask the web server to hold back an answer that tells nothing new; without such a server it goes out now."""
    turn = meta.get(ENVIRON)
    if not isinstance(turn, Turn) or cursor is None or seconds <= 0:
        return
    if decode_cursor(answer["cursor"]) == cursor and not any(answer[k] for k in ("drop", "reset", "more")):
        turn.wish = Wish(cursor.epoch, cursor.seqs, seconds)


def read_heads(streams: Sequence[str]) -> Heads:
    """Read the heads, a thousand streams per statement, over the connection of this thread."""
    try:
        seqs: dict[str, int] = {}
        for start in range(0, len(streams), TOGETHER):
            rows = Stream.objects.filter(pk__in=streams[start : start + TOGETHER])
            seqs.update(rows.values_list("id", "seq"))
        return Heads(epoch(), seqs)
    finally:
        close_old_connections()
