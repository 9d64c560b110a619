"""The life of a checklist version (dictionary 4.1): which move is lawful, for whom, and what it brings with it.

    draft → in_review → approved → published → closing → closed;  in_review → draft;  withdrawn for safety

Functions take plain data and give the outcome to be stored; they read no clock and store nothing.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from apps.checklists.errors import (
    AuthorMayNotApprove,
    ContentNotValid,
    IllegalVersionMove,
    InvalidVersionNumber,
    VersionContentFrozen,
    VersionNeverPublished,
    VersionNotNewer,
    VersionReasonMissing,
)
from apps.checklists.rules.content import check_content, content_hash

Id = TypeVar("Id", bound=Hashable)


class Status(StrEnum):
    """The states of a version."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHED = "published"
    CLOSING = "closing"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    """What may be done with a version."""

    SUBMIT = "submit"
    REJECT = "reject"
    APPROVE = "approve"
    PUBLISH = "publish"
    SUPERSEDE = "supersede"
    CLOSE = "close"
    WITHDRAW = "withdraw"


_MOVES: dict[Move, tuple[frozenset[Status], Status]] = {
    Move.SUBMIT: (frozenset({Status.DRAFT}), Status.IN_REVIEW),
    Move.REJECT: (frozenset({Status.IN_REVIEW}), Status.DRAFT),
    Move.APPROVE: (frozenset({Status.IN_REVIEW}), Status.APPROVED),
    Move.PUBLISH: (frozenset({Status.APPROVED}), Status.PUBLISHED),
    Move.SUPERSEDE: (frozenset({Status.PUBLISHED}), Status.CLOSING),
    Move.CLOSE: (frozenset({Status.CLOSING}), Status.CLOSED),
    Move.WITHDRAW: (frozenset({Status.APPROVED, Status.PUBLISHED, Status.CLOSING}), Status.WITHDRAWN),
}
_WARNINGS = {
    Status.CLOSING: "checklist-closing",
    Status.CLOSED: "checklist-closed",
    Status.WITHDRAWN: "checklist-withdrawn",
}
_SEMVER = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval: the new state, and the hash of the content that is frozen from now on."""

    status: Status
    content_hash: str


@dataclass(frozen=True, slots=True)
class Published(Generic[Id]):
    """What `publish` needs to know of another version of the same checklist."""

    id: Id
    semver: str
    status: Status


@dataclass(frozen=True, slots=True)
class Publication(Generic[Id]):
    """A publication: the new state, and the versions that move to closing in the same transaction."""

    status: Status
    superseded: tuple[Id, ...]


def parse_semver(text: str) -> tuple[int, int, int]:
    """Read a version number like 1.2.3 for comparison. Raises InvalidVersionNumber."""
    found = _SEMVER.fullmatch(text)
    if found is None:
        raise InvalidVersionNumber(text[:40])
    return int(found[1]), int(found[2]), int(found[3])


def may_edit_content(status: str) -> bool:
    """Say whether the content may still change: only in a draft."""
    return Status(status) is Status.DRAFT


def require_editable(status: str) -> None:
    """Refuse an edit of content outside a draft. Raises VersionContentFrozen."""
    if not may_edit_content(status):
        raise VersionContentFrozen(current={"status": str(status)})


def submit(status: str, content: object) -> Status:
    """Hand a draft in for review. Raises IllegalVersionMove, ContentNotValid."""
    after = _moved(status, Move.SUBMIT)
    _require_sound(content)
    return after


def reject(status: str, reason: str) -> Status:
    """Send a version back to its author. Raises IllegalVersionMove, VersionReasonMissing."""
    after = _moved(status, Move.REJECT)
    _require_reason(reason)
    return after


def approve(status: str, content: Mapping[str, Any], *, author: Hashable, approver: Hashable) -> Approval:
    """Approve a version: its content is frozen and hashed. Author and approver are different people.

    Raises IllegalVersionMove, AuthorMayNotApprove, ContentNotValid.
    """
    after = _moved(status, Move.APPROVE)
    if author == approver:
        raise AuthorMayNotApprove
    _require_sound(content)
    return Approval(after, content_hash(content))


def publish(status: str, semver: str, others: Sequence[Published[Id]]) -> Publication[Id]:
    """Publish a version, which moves the one published before it to closing.

    `others` are the other versions of the checklist. Its number is above that of every version ever published.
    Raises IllegalVersionMove, VersionNotNewer, InvalidVersionNumber.
    """
    after = _moved(status, Move.PUBLISH)
    number = parse_semver(semver)
    issued = [other for other in others if other.status in (Status.PUBLISHED, Status.CLOSING, Status.CLOSED)]
    if any(parse_semver(other.semver) >= number for other in issued):
        raise VersionNotNewer(semver)
    return Publication(after, tuple(other.id for other in issued if other.status == Status.PUBLISHED))


def close(status: str) -> Status:
    """End the life of a closing version. Raises IllegalVersionMove."""
    return _moved(status, Move.CLOSE)


def withdraw(status: str, reason: str) -> Status:
    """Take a version out of use for safety. Raises IllegalVersionMove, VersionReasonMissing."""
    after = _moved(status, Move.WITHDRAW)
    _require_reason(reason)
    return after


def accepts_reports(status: str, *, was_published: bool) -> tuple[str, ...]:
    """Give the warnings with which a report on this version is taken. Raises VersionNeverPublished.

    Work done in the field is never stranded: a report on any version that was ever published is taken, whatever has
    become of the version since.
    """
    state = Status(status)
    if state in (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED):
        raise VersionNeverPublished(current={"status": str(state)})
    if state is Status.WITHDRAWN and not was_published:
        raise VersionNeverPublished(current={"status": str(state)})
    warning = _WARNINGS.get(state)
    return () if warning is None else (warning,)


def _moved(status: str, move: Move) -> Status:
    allowed, after = _MOVES[move]
    if Status(status) not in allowed:
        raise IllegalVersionMove(f"{move}: {status}", current={"status": str(status)})
    return after


def _require_sound(content: object) -> None:
    problems = check_content(content)
    if problems:
        raise ContentNotValid(errors=problems)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise VersionReasonMissing
