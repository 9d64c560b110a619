"""Who acts: the one value that every action and every `visible_to` takes.

An actor is built from the database at the start of each request (`apps.accounts.queries.actor_for`) and never kept:
roles, units and devices are as they stand now. The system itself acts as `SYSTEM`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True)
class Post:
    """A posting that is valid now: one role at one unit; `reach` is the unit and all units below it."""

    posting_id: UUID
    unit_id: UUID
    role: str
    reach: frozenset[UUID]


@dataclass(frozen=True)
class Actor:
    """A person (or the system) together with the posts, device and request through which they act."""

    officer_id: UUID | None
    name: str = ""
    posts: tuple[Post, ...] = ()
    device_id: UUID | None = None
    request_id: str = ""
    note: str = ""
    is_system: bool = False
    language: str = field(default="vi", compare=False)

    @property
    def person(self) -> UUID:
        """The officer's id; for what only a person does. Raises RuntimeError for the system."""
        if self.officer_id is None:
            raise RuntimeError("the system does not do an officer's work")
        return self.officer_id

    @property
    def roles(self) -> frozenset[str]:
        """The roles held now, at any unit."""
        return frozenset(post.role for post in self.posts)

    def has_role(self, *roles: str) -> bool:
        """Tell whether one of the roles is held now, at any unit."""
        return not self.roles.isdisjoint(roles)

    def reach_of(self, *roles: str) -> frozenset[UUID]:
        """Give every unit that the given roles reach: their own units and all units below."""
        return frozenset().union(*(post.reach for post in self.posts if post.role in roles))

    def post_ids(self, *roles: str) -> tuple[UUID, ...]:
        """Give the postings held now in one of the roles (in any role when none is named)."""
        return tuple(p.posting_id for p in self.posts if not roles or p.role in roles)


SYSTEM = Actor(officer_id=None, name="system", is_system=True)
