"""Reads about people: the actor of a request, and who serves where."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.accounts.models import FIGURE_READERS, DeviceToken, Officer, Posting, current
from apps.accounts.rules import digest
from apps.common.actor import Actor, Post
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
    reaching = {unit for _, unit, role in rows if role in _REACHING}
    reach = subtrees(reaching) if reaching else {}
    posts = tuple(
        Post(pid, unit, role, reach[unit] if role in _REACHING else frozenset({unit}))
        for pid, unit, role in rows
    )
    return Actor(
        officer_id=officer.pk,
        name=officer.full_name,
        posts=posts,
        device_id=device_id,
        request_id=request_id,
        note=note,
    )


def token_by_access(access_token: str) -> DeviceToken | None:
    """Find the generation of tokens that an access token belongs to, with its session, device and officer."""
    rows = DeviceToken.objects.select_related("session__device__officer")
    return rows.filter(access_hash=digest(access_token)).first()


def units_of(officer_id: UUID) -> frozenset[UUID]:
    """Give the units where the officer serves now."""
    rows = Posting.objects.filter(current(timezone.now()), officer_id=officer_id)
    return frozenset(rows.values_list("unit_id", flat=True))
