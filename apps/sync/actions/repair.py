"""Repairs of the feed: an entry is made to say what its record says, a stream to say what its entries say.

Safe beside running phones: each record is locked, read again and repaired in a transaction of its own, and gets a new
number, so that phones hear of it. Sums are put right by the difference, which what happens meanwhile does not disturb.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from apps.accounts.actions.people import POSTING
from apps.audit.actions import log
from apps.changes.actions import Rows, record_rows
from apps.changes.rules import DIGEST_MASK
from apps.common.actor import Actor
from apps.common.sql import execute
from apps.sync.comparison import Difference, Sums, compare_record, compare_records, still_differs
from apps.sync.placements import SOURCES, Placed

CHANGE = "sync.repaired"
Entries = Sequence[tuple[str, int, str]]


@transaction.atomic
def repair_record(*, actor: Actor, difference: Difference) -> bool:
    """Make the entries of one record right; False when there was nothing to repair any more.

    Entries of a kind that nothing knows leave their stream.
    """
    kind, oid = difference.kind, difference.oid
    if oid is None:
        raise ValueError(difference)
    source = SOURCES.get(kind)
    if source is None:
        _record(actor, kind, oid, {difference.stream: None})
        return True
    placed, entries = still_differs(difference, source)
    found = _wanted(kind, placed, entries)
    if found:
        _record(actor, kind, oid, found)
    return bool(found)


def renew_postings(*, actor: Actor) -> int:
    """Tell phones what their units are called today; give how many postings read differently now.

    Names are dated: one that begins today begins without anybody doing anything.
    """
    found = compare_records(kinds=[POSTING])
    return sum(repair_record(actor=actor, difference=d) for batch in found for d in batch)


@transaction.atomic
def repair_sums(*, actor: Actor, sums: Sums) -> None:
    """Make a stream's head, count and digest right."""
    execute(
        f"UPDATE changes_stream SET n = n - %s, h = (h - %s + {DIGEST_MASK + 1}) & {DIGEST_MASK}, "  # noqa: S608  constants
        "seq = CASE WHEN seq < %s THEN %s ELSE seq END WHERE id = %s",
        [sums.n, sums.h, sums.head or 0, sums.head or 0, sums.stream],
    )
    wrong = [difference.what for difference in sums.differences()]
    log(actor, "sync.stream_repaired", "stream", None, {"stream": sums.stream, "wrong": wrong})


Wanted = dict[str, tuple[int, str] | None]


def _wanted(kind: str, placed: Placed | None, entries: Entries) -> Wanted:
    """Say what each stream must get: a revision and a body, or None where the record must leave."""
    if placed is None:
        return {stream: None for stream, _, _ in entries}
    revs: dict[str, int] = defaultdict(lambda: 1, {stream: rev for stream, rev, _ in entries})
    wanted: Wanted = {}
    for difference in compare_record(kind, placed, entries):
        stream = difference.stream
        is_right = stream in placed.streams
        wanted[stream] = (placed.rev or revs[stream], placed.body) if is_right else None
    return wanted


def _record(actor: Actor, kind: str, oid: UUID, wanted: Wanted) -> None:
    data = {stream: "put" if put else "left" for stream, put in wanted.items()}
    log(actor, CHANGE, kind, oid, {"streams": data})
    for stream, put in sorted(wanted.items()):
        puts = [(oid, *put)] if put else []
        leaves = [] if put else [(oid, 0)]
        record_rows(actor, Rows(CHANGE, kind, oid, stream, kind, puts=puts, leaves=leaves))
