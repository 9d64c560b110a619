"""Numbering what was committed: outside of requests, one at a time, in the order of the events' ids."""

from __future__ import annotations

from django.db import connection, transaction

from apps.audit.models import Pending, Tile
from apps.audit.queries import ledger_size, read_hashes
from apps.audit.rules.trees import WIDTH, fold
from apps.common.sql import execute

MOST = 10_000
_LOCK = 7_240_911  # any number that no other lock of the product uses


def sequence_events(*, waits: bool = False, most: int = MOST) -> int:
    """Give committed events the next places in the ledger, at most `most`; gives how many.

    While another process does it this one gives 0, or waits for its turn. What is uncommitted is not seen and gets a
    later number; nothing can be stepped over, since each event waits in a row of its own.
    """
    if not Pending.objects.exists():
        return 0
    with transaction.atomic():
        return _sequenced(most) if _locked(waits=waits) else 0


def _sequenced(most: int) -> int:
    old = ledger_size()
    execute(_NUMBER, [old, most])
    new = ledger_size()
    execute(
        "DELETE FROM audit_pending WHERE event_id IN (SELECT event_id FROM audit_leaf WHERE leaf_index >= %s)",
        [old],
    )
    _add_tiles(old, new)
    return new - old


_NUMBER = """
    INSERT INTO audit_leaf (leaf_index, event_id, leaf_hash)
    SELECT %s - 1 + row_number() OVER (ORDER BY e.id), e.id, e.leaf_hash
    FROM (SELECT event_id FROM audit_pending ORDER BY event_id LIMIT %s) p JOIN audit_event e ON e.id = p.event_id
"""


def _locked(*, waits: bool) -> bool:
    """Be the only one until the transaction ends; on SQLite whoever writes is."""
    if connection.vendor != "postgresql":
        return True
    if waits:
        execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        return True
    (is_ours,) = execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK]).fetchone()
    return bool(is_ours)


def _add_tiles(old: int, new: int) -> None:
    """Write down the hashes over each 256 that have become complete, level by level."""
    level = 1
    while (count := new // WIDTH) > 0:
        made = [
            Tile(level=level, index=i, hash=fold(read_hashes(level - 1, i * WIDTH, WIDTH)))
            for i in range(old // WIDTH, count)
        ]
        Tile.objects.bulk_create(made, batch_size=500)
        old, new, level = old // WIDTH, count, level + 1
