"""Reads about people: the actor of a request, and who serves where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.models import FIGURE_READERS, Officer, Posting, current
from apps.accounts.rules import digest
from apps.common.actor import Actor, Post
from apps.common.sql import as_moment, as_uuid, execute
from apps.organisation.queries import subtrees

_REACHING = frozenset({*FIGURE_READERS})


def actor_for(
    officer: Officer, *, device_id: UUID | None = None, request_id: str = "", note: str = ""
) -> Actor:
    """Build the actor from the postings that are valid now; a suspended officer has no posts."""
    rows = (
        list(
            Posting.objects.filter(current(timezone.now()), officer_id=officer.pk)
            .order_by("valid_from", "id")
            .values_list("id", "unit_id", "role")
        )
        if officer.is_active
        else []
    )
    return Actor(
        officer_id=officer.pk,
        name=officer.full_name,
        posts=_posts(rows),
        device_id=device_id,
        request_id=request_id,
        note=note,
    )


def _posts(rows: Sequence[tuple[UUID, UUID, str]]) -> tuple[Post, ...]:
    """Give the posts of (posting, unit, role) with what each reaches."""
    reaching = {unit for _, unit, role in rows if role in _REACHING}
    reach = subtrees(reaching) if reaching else {}
    return tuple(
        Post(pid, unit, role, reach[unit] if role in _REACHING else frozenset({unit}))
        for pid, unit, role in rows
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds an access token: the officer and the posts held now, the device, the session and its end."""

    officer_id: UUID
    name: str
    is_active: bool
    device_id: UUID
    device_state: str
    last_seen_at: datetime | None
    session_id: UUID
    has_ended: bool
    expires_at: datetime
    posts: tuple[Post, ...]
    told: Any


def caller_by_access(access_token: str, *, asking: str = "SELECT NULL") -> Caller | None:
    """Find who holds an access token, by one statement: every request of every phone asks this.

    `asking` is a statement for one value more, which the answer gives as `told`.
    """
    now = timezone.now()
    rows = execute(_CALLER.format(asking=asking), [now, now, digest(access_token)]).fetchall()
    if not rows:
        return None
    told, officer, name, is_active, device, state, seen, session, ended, expires = rows[0][:10]
    held = [(as_uuid(pid), as_uuid(unit), role) for *_, pid, unit, role in rows if pid is not None]
    return Caller(
        officer_id=as_uuid(officer),
        name=name,
        is_active=bool(is_active),
        device_id=as_uuid(device),
        device_state=state,
        last_seen_at=as_moment(seen) if seen else None,
        session_id=as_uuid(session),
        has_ended=ended is not None,
        expires_at=as_moment(expires),
        posts=_posts(held) if is_active else (),
        told=told,
    )


_CALLER = """
    SELECT ({asking}), o.id, o.full_name, o.is_active, d.id, d.state, d.last_seen_at, s.id, s.ended_at,
        t.access_expires_at, p.id, p.unit_id, p.role
    FROM accounts_devicetoken t
    JOIN accounts_devicesession s ON s.id = t.session_id
    JOIN accounts_device d ON d.id = s.device_id
    JOIN accounts_officer o ON o.id = d.officer_id
    LEFT JOIN accounts_posting p
        ON p.officer_id = o.id AND p.valid_from <= %s AND (p.valid_to IS NULL OR p.valid_to > %s)
    WHERE t.access_hash = %s
    ORDER BY p.valid_from, p.id
"""


def units_of(officer_id: UUID) -> frozenset[UUID]:
    """Give the units where the officer serves now."""
    rows = Posting.objects.filter(current(timezone.now()), officer_id=officer_id)
    return frozenset(rows.values_list("unit_id", flat=True))
