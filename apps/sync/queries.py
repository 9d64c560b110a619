"""Reads of the engine: the epoch, which streams a person's phone subscribes to, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from apps.changes.rules import REF, post_stream
from apps.common.actor import Actor
from apps.common.sql import as_uuid, execute
from apps.reference.models import ReferenceList
from apps.reference.rules import list_stream

LIST_PREFIX = list_stream("")


@dataclass(frozen=True, slots=True)
class Head:
    """How far a stream has come; `snapshot` is the number of a manifest to load it from, None when there is none."""

    seq: int = 0
    floor: int = 0
    n: int = 0
    h: int = 0
    snapshot: int | None = None


EPOCH = "SELECT value FROM sync_epoch WHERE id = 1"


def epoch() -> str:
    """Give the epoch of this database; phones that know another one load again and send their journals."""
    return str(as_uuid(execute(EPOCH).fetchone()[0]))


def subscriptions(actor: Actor) -> list[str]:
    """Give the streams this person's phone holds now, the most urgent first; computed anew on every request."""
    lists = ReferenceList.objects.order_by("slug").values_list("slug", flat=True) if _has_lists(actor) else ()
    return [*_own_streams(actor), *map(list_stream, lists)]


def is_subscribed(actor: Actor, stream: str) -> bool:
    """Tell whether the phone holds this stream, without asking the database whether a list of that name exists."""
    return stream in _own_streams(actor) or (stream.startswith(LIST_PREFIX) and _has_lists(actor))


def standing(actor: Actor) -> tuple[str, dict[str, Head]]:
    """Give the epoch, and the streams of `subscriptions` in their order with their heads; one statement."""
    own, with_lists = _own_streams(actor), _has_lists(actor)
    rows = execute(_statement(len(own), with_lists), own).fetchall()
    found = {stream: Head(*head) for _, stream, *head in rows if stream is not None}
    heads = {stream: found.pop(stream, Head()) for stream in own}
    heads.update(sorted(found.items()))
    return str(as_uuid(rows[0][0])), heads


def _own_streams(actor: Actor) -> list[str]:
    posts = [post_stream(UUID(str(p.posting_id))) for p in actor.posts]
    return [*posts, REF] if _has_lists(actor) else posts


def _has_lists(actor: Actor) -> bool:
    """Tell whether what is published for the service is for this person: not for foreign liaisons."""
    return bool(actor.roles - {"liaison"})


@lru_cache(maxsize=32)
def _statement(own: int, with_lists: bool) -> str:  # noqa: FBT001  a key of the cache
    """Compose the statement for a number of own streams; branches of a union, so that each goes by an index."""
    branches = []
    if own:
        places = ", ".join(["%s"] * own)
        branches.append(f"SELECT id, seq, floor, n, h FROM changes_stream WHERE id IN ({places})")  # noqa: S608
    if with_lists:
        branches.append(
            f"SELECT '{LIST_PREFIX}' || l.slug, coalesce(c.seq, 0), coalesce(c.floor, 0), coalesce(c.n, 0), "  # noqa: S608
            "coalesce(c.h, 0) FROM reference_referencelist l "
            f"LEFT JOIN changes_stream c ON c.id = '{LIST_PREFIX}' || l.slug"
        )
    if not branches:
        branches.append("SELECT id, seq, floor, n, h FROM changes_stream WHERE 1 = 0")
    return (
        "SELECT e.value, s.id, s.seq, s.floor, s.n, s.h, m.seq FROM sync_epoch e "  # noqa: S608  names alone
        f"LEFT JOIN ({' UNION ALL '.join(branches)}) s ON 1 = 1 "
        "LEFT JOIN sync_snapshot m ON m.stream = s.id AND m.epoch = e.value AND m.seq >= s.floor AND m.seq <= s.seq "
        "WHERE e.id = 1"
    )
