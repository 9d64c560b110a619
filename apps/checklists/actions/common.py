"""What the actions on checklists share: the lock, the roles, and the announcement of a changed version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from apps.accounts.models import Role
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.changes.rules import REF
from apps.checklists.models import ON_PHONES, Checklist, ChecklistVersion
from apps.checklists.queries import KIND, body
from apps.common.actor import Actor
from apps.common.errors import Conflict, NotAllowed, NotFound


def require(actor: Actor, *roles: str) -> None:
    """Refuse anyone without one of the roles."""
    if not (actor.is_system or actor.has_role(*roles)):
        raise NotAllowed


def locked(actor: Actor, version_id: UUID, base_rev: int | None) -> ChecklistVersion:
    """Lock a version this person may see; refuse when it has moved on since `base_rev`.

    Raises NotFound, Conflict.
    """
    if not ChecklistVersion.objects.visible_to(actor).filter(pk=version_id).exists():
        raise NotFound
    rows = ChecklistVersion.objects.select_for_update(of=("self",)).select_related("checklist")
    version = rows.get(pk=version_id)
    if base_rev is not None and base_rev != version.rev:
        raise Conflict(current={"rev": version.rev, "status": version.status})
    return version


def lock_checklist(version_id: UUID) -> None:
    """Lock the checklist of a version, before any of its versions: two publications would wait for each other's."""
    checklists = Checklist.objects.select_for_update().filter(versions=version_id)
    list(checklists.values_list("pk", flat=True))


def finish(
    actor: Actor,
    version: ChecklistVersion,
    change: str,
    *,
    fields: Iterable[str],
    data: Mapping[str, Any] | None = None,
    also: Iterable[Item] = (),
) -> ChecklistVersion:
    """Raise the revision, save, audit, and record last; `also` are records changed in the same breath."""
    version.rev += 1
    version.save(update_fields=["rev", "updated_at", *fields])
    tell = {"status": version.status, "semver": version.semver, **(data or {})}
    log(actor, change, KIND, version.pk, tell)
    record(actor, item(version, change), *also)
    return version


def item(version: ChecklistVersion, change: str) -> Item:
    """Place a version where it belongs: on phones while published or closing, nowhere otherwise."""
    if version.status in ON_PHONES:
        return Item(change, KIND, version.pk, version.rev, body=body(version), streams=[REF])
    return Item(change, KIND, version.pk, version.rev, leaves=[REF])


AUTHORS = (Role.TRAINER,)
APPROVERS = (Role.APPROVER,)
EITHER = (Role.TRAINER, Role.APPROVER)
