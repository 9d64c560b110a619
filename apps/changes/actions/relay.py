"""The relay: turns committed changes into owed tasks, sends them, and sends them again until they are done.

The table of who reacts to what is handed in by `backend.reactions`; this module knows neither Celery nor the domain.
A dead broker or a killed worker delays work and loses none: what is owed stands in `Reaction` until the task's own
transaction marks it done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from apps.changes.models import Change, Reaction
from apps.common.sql import execute, with_commit, write

Row = TypeVar("Row", bound=Model)
Send = Callable[[str, list[int]], None]
BATCH = 500
OVERDUE = timedelta(seconds=60)
TOGETHER = 2

_wake: list[Callable[[], None]] = []


def set_wake(hook: Callable[[], None]) -> None:
    """Name what is called after each commit that recorded something (it must not block and must not raise)."""
    _wake[:] = [hook]


def wake() -> None:
    """Tell the relay that there is something to do."""
    for hook in _wake:
        hook()


def relay(reactions: Mapping[str, Sequence[str]], send: Send) -> int:
    """Claim unrelayed changes, write down which tasks they owe, send those; give the number of changes claimed."""
    with with_commit():
        changes = _claimed()
        owed = _owe([(pk, task) for pk, kind in changes for task in reactions.get(kind, ())])
    _send(owed, send)
    return len(changes)


def _claimed() -> list[tuple[int, str]]:
    """Lock the oldest changes that nobody has relayed and mark them; gives id and kind of each."""
    skips = connection.features.has_select_for_update_skip_locked
    claim = f"{_CLAIM} FOR UPDATE SKIP LOCKED" if skips else _CLAIM
    changes: list[tuple[int, str]] = execute(claim, [BATCH]).fetchall()
    if changes:
        write(_RELAYED[connection.vendor], [timezone.now(), [pk for pk, _ in changes]])
    return changes


def _owe(owed: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Write down which tasks these changes owe, given as (change, task); gives them as (reaction, task)."""
    told = [{"change_id": pk, "task": task} for pk, task in owed]
    return execute(_OWE[connection.vendor], [timezone.now(), told]).fetchall() if told else []


_CLAIM = "SELECT id, kind FROM changes_change WHERE relayed_at IS NULL ORDER BY id LIMIT %s"
_RELAYED = {
    "postgresql": "UPDATE changes_change SET relayed_at = %s "
    "WHERE id IN (SELECT value::bigint FROM json_array_elements_text(%s::json))",
    "sqlite": "UPDATE changes_change SET relayed_at = %s WHERE id IN (SELECT value FROM json_each(%s))",
}
_OWE = {
    "postgresql": "INSERT INTO changes_reaction (change_id, task, sent_at, attempts) SELECT u.change_id, u.task, %s, 1 "
    "FROM json_to_recordset(%s::json) AS u(change_id bigint, task text) RETURNING id, task",
    "sqlite": "INSERT INTO changes_reaction (change_id, task, sent_at, attempts) "
    "SELECT json_extract(value, '$.change_id'), json_extract(value, '$.task'), %s, 1 "
    "FROM json_each(%s) RETURNING id, task",
}


def resend_overdue(send: Send, *, overdue: timedelta = OVERDUE) -> int:
    """Send again what was sent more than `overdue` ago and is not done; give the number of tasks owed.

    What has failed before goes alone: one reaction that cannot be settled must not hold up the others in its message.
    """
    with transaction.atomic():
        now = timezone.now()
        late = Reaction.objects.filter(done_at__isnull=True, sent_at__lt=now - overdue).order_by("id")
        rows = list(_locked(late)[:BATCH])
        for row in rows:
            row.sent_at, row.attempts = now, row.attempts + 1
        Reaction.objects.bulk_update(rows, ["sent_at", "attempts"])
    _send([(row.pk, row.task) for row in rows if row.attempts <= TOGETHER], send)
    for row in rows:
        if row.attempts > TOGETHER:
            send(row.task, [row.pk])
    return len(rows)


def settle(
    reaction_ids: Sequence[int], effect: Callable[[list[Change]], None], *, task: str | None = None
) -> int:
    """Run `effect` on the changes behind the open reactions and mark them done, in one transaction.

    A task delivered twice finds nothing open and changes nothing. `task` names the task that asks: after a restore of
    the database an old message may carry a number that stands for what another task owes by now. Gives the number
    settled.
    """
    with with_commit():
        rows = list(_locked(open_reactions(reaction_ids, task).select_related("change").order_by("id")))
        if rows:
            effect([row.change for row in rows])
            Reaction.objects.filter(pk__in=[r.pk for r in rows]).update(done_at=timezone.now())
    return len(rows)


def open_reactions(reaction_ids: Iterable[int], task: str | None = None) -> QuerySet[Reaction]:
    """Give what is still owed of these reactions, by this task."""
    rows = Reaction.objects.filter(pk__in=list(reaction_ids), done_at__isnull=True)
    return rows if task is None else rows.filter(task=task)


def _send(owed: Sequence[tuple[int, str]], send: Send) -> None:
    by_task: dict[str, list[int]] = defaultdict(list)
    for pk, task in owed:
        by_task[task].append(pk)
    for task, ids in by_task.items():
        send(task, ids)


def _locked(rows: QuerySet[Row]) -> QuerySet[Row]:
    """Lock the rows and pass over those that another worker holds; SQLite has one writer at a time anyway."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows
