"""Reads of the engine: the epoch, and which streams a person's phone subscribes to."""

from __future__ import annotations

from uuid import UUID

from apps.changes.rules import REF, post_stream
from apps.common.actor import Actor
from apps.sync.models import Epoch


def epoch() -> str:
    """Give the epoch of this database; phones that know another one load again and send their journals."""
    return str(Epoch.objects.values_list("value", flat=True).get(pk=1))


def subscriptions(actor: Actor) -> list[str]:
    """Give the streams this person's phone holds now, the most urgent first; computed anew on every request."""
    if not actor.posts:
        return []
    posts = [post_stream(UUID(str(p.posting_id))) for p in actor.posts]
    is_service = bool(actor.roles - {"liaison"})
    return [*posts, *([REF] if is_service else [])]
