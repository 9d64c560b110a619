"""Push subscriptions of phones, and the pokes: an empty push that says "pull", no more often than every 30 seconds.

Nothing about anybody's work leaves the service: a poke has no content, and the phone asks for the rest itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Device, Posting, current
from apps.audit.actions import log
from apps.changes.models import Stream
from apps.changes.rules import REF, post_stream
from apps.common.actor import Actor
from apps.common.errors import InvalidFields, NotAllowed, NotFound, Problem
from apps.sync.errors import PushServiceUnknown
from apps.sync.models import DevicePull, PushSubscription
from apps.sync.webpush.rules import WebPush, is_key, should_poke
from apps.sync.webpush.transport import poke

logger = structlog.get_logger(__name__)
TTL_SECONDS = 86400
GONE = frozenset({404, 410})


@transaction.atomic
def register_push(*, actor: Actor, service: WebPush, endpoint: str, p256dh: str, auth: str) -> None:
    """Keep where this phone can be poked, in the place of what was known before.

    Raises NotFound when the service pokes nobody, PushServiceUnknown and InvalidFields.
    """
    if not service.is_on:
        raise NotFound
    if not service.may_call(endpoint):
        raise PushServiceUnknown(errors=[_fault("/endpoint")])
    if not is_key(p256dh, 65) or not is_key(auth, 16):
        raise InvalidFields(errors=[_fault("/keys")])
    device = _device(actor)
    known = {"endpoint": endpoint, "p256dh": p256dh, "auth": auth, "created_at": timezone.now()}
    PushSubscription.objects.update_or_create(
        device_id=device, defaults={**known, "poked_at": None, "poked_for": {}}
    )
    log(actor, "push.subscribed", "device", device)


@transaction.atomic
def forget_push(*, actor: Actor) -> None:
    """Forget where this phone can be poked; nothing to forget is fine."""
    device = _device(actor)
    if PushSubscription.objects.filter(device_id=device).delete()[0]:
        log(actor, "push.unsubscribed", "device", device)


def poke_phones(*, actor: Actor, service: WebPush, now: datetime | None = None) -> int:
    """Poke each phone that is behind with something it was not poked for; gives how many were poked."""
    if not service.is_on:
        return 0
    moment = now or timezone.now()
    return sum(_poke(actor, service, row, heads, moment) for row, heads in _behind(moment))


def _behind(now: datetime) -> Iterator[tuple[PushSubscription, dict[str, int]]]:
    """Give the subscriptions of phones that may work and are behind, with the heads they are behind of."""
    rows = list(
        PushSubscription.objects.filter(device__state=Device.State.ENROLLED, device__officer__is_active=True)
        .select_related("device")
        .order_by("pk")
    )
    pulls = dict(DevicePull.objects.filter(device__in=[r.pk for r in rows]).values_list("device_id", "seqs"))
    officers = {row.device.officer_id for row in rows}
    streams: dict[UUID, list[str]] = {}
    posts = Posting.objects.filter(current(now), officer_id__in=officers).values_list("officer_id", "pk")
    for officer, posting in posts:
        streams.setdefault(officer, [REF]).append(post_stream(posting))
    names = {name for own in streams.values() for name in own}
    heads = dict(Stream.objects.filter(pk__in=names).values_list("id", "seq"))
    for row in rows:
        own = {s: heads[s] for s in streams.get(row.device.officer_id, []) if s in heads}
        pulled = pulls.get(row.pk, {})
        if should_poke(own, pulled, row.poked_for, row.poked_at, now):
            yield row, own


def _poke(
    actor: Actor, service: WebPush, row: PushSubscription, heads: dict[str, int], now: datetime
) -> bool:
    """Send one poke; forget an address that is gone or no longer allowed."""
    if not service.may_call(row.endpoint):
        _drop(actor, row)
        return False
    headers = {
        "TTL": str(TTL_SECONDS),
        "Topic": "sync",
        "Urgency": "normal",
        "Content-Length": "0",
        "Authorization": service.authorization(row.endpoint, now),
    }
    status = poke(row.endpoint, headers)
    if status in GONE:
        _drop(actor, row)
        return False
    done = 200 <= status < 300
    if not done:
        logger.warning("poke.refused", device=str(row.pk), status=status)
    told: dict[str, Any] = {"poked_at": now, **({"poked_for": heads} if done else {})}
    PushSubscription.objects.filter(pk=row.pk, endpoint=row.endpoint).update(**told)
    return done


@transaction.atomic
def _drop(actor: Actor, row: PushSubscription) -> None:
    if PushSubscription.objects.filter(pk=row.pk, endpoint=row.endpoint).delete()[0]:
        log(actor, "push.address_gone", "device", row.pk)


def _device(actor: Actor) -> UUID:
    if actor.device_id is None:
        raise NotAllowed
    return actor.device_id


def _fault(pointer: str) -> Problem:
    return Problem(
        pointer, "push", "Địa chỉ hoặc khóa không dùng được.", "This address or key cannot be used."
    )
