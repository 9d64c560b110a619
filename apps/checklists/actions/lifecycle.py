"""The life of a version: review, approval, publication, closing, withdrawal."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log
from apps.checklists import rules
from apps.checklists.actions.common import (
    APPROVERS,
    AUTHORS,
    EITHER,
    finish,
    item,
    lock_checklist,
    locked,
    require,
)
from apps.checklists.errors import AuthorMayNotApprove, ContentNotValid
from apps.checklists.models import ChecklistVersion, Status
from apps.checklists.queries import KIND
from apps.common.actor import SYSTEM, Actor
from apps.common.text import clean_text

ACCEPT_AFTER_CLOSING = dt.timedelta(days=90)


@transaction.atomic
def submit_for_review(*, actor: Actor, version_id: UUID, base_rev: int | None = None) -> ChecklistVersion:
    """Hand a sound draft in for review. Raises ContentNotValid with every fault, IllegalVersionMove."""
    require(actor, *AUTHORS)
    version = locked(actor, version_id, base_rev)
    version.status = rules.submit(version.status, version.content)
    _check_keys(version)
    return finish(actor, version, "checklist.submitted", fields=["status"])


@transaction.atomic
def approve_version(*, actor: Actor, version_id: UUID, base_rev: int | None = None) -> ChecklistVersion:
    """Approve a version: its content is frozen and hashed. Raises AuthorMayNotApprove for whoever wrote in it."""
    require(actor, *APPROVERS)
    version = locked(actor, version_id, base_rev)
    if str(actor.officer_id) in version.contributors:
        raise AuthorMayNotApprove
    approval = rules.approve(
        version.status, version.content, author=version.author_id, approver=actor.officer_id
    )
    version.status, version.content_hash = approval.status, approval.content_hash
    version.approver_id, version.approved_at = actor.officer_id, timezone.now()
    fields = ["status", "content_hash", "approver", "approved_at"]
    return finish(actor, version, "checklist.approved", fields=fields, data={"hash": version.content_hash})


@transaction.atomic
def reject_version(
    *, actor: Actor, version_id: UUID, reason: str, base_rev: int | None = None
) -> ChecklistVersion:
    """Send a version back to its author with the reason. Raises VersionReasonMissing."""
    require(actor, *APPROVERS)
    version = locked(actor, version_id, base_rev)
    version.status = rules.reject(version.status, reason)
    version.status_note = clean_text(reason)[:500]
    return finish(actor, version, "checklist.rejected", fields=["status", "status_note"])


@transaction.atomic
def publish_version(
    *,
    actor: Actor,
    version_id: UUID,
    accept_until: dt.datetime | None = None,
    base_rev: int | None = None,
) -> ChecklistVersion:
    """Publish an approved version to all phones; the one before it moves to closing.

    Reports begun on the closing version are taken without end; until `accept_until` (90 days when not said) phones
    may keep it, then it is closed. Raises IllegalVersionMove, VersionNotNewer.
    """
    require(actor, *EITHER)
    lock_checklist(version_id)
    version = locked(actor, version_id, base_rev)
    others = list(
        ChecklistVersion.objects.select_for_update(of=("self",))
        .select_related("checklist")
        .filter(checklist_id=version.checklist_id)
        .exclude(pk=version.pk)
        .order_by("pk")
    )
    known = [rules.Published(o.pk, o.semver, rules.Status(o.status)) for o in others]
    outcome = rules.publish(version.status, version.semver, known)
    now = timezone.now()
    closing = []
    for other in (o for o in others if o.pk in outcome.superseded):
        other.status = Status.CLOSING
        other.accept_until = accept_until or now + ACCEPT_AFTER_CLOSING
        other.rev += 1
        other.save(update_fields=["rev", "status", "accept_until", "updated_at"])
        tell = {"status": other.status, "semver": other.semver, "by": version.semver}
        log(actor, "checklist.closing", KIND, other.pk, tell)
        closing.append(item(other, "checklist.closing"))
    version.status = outcome.status
    version.published_at = version.effective_from = now
    fields = ["status", "published_at", "effective_from"]
    return finish(actor, version, "checklist.published", fields=fields, also=closing)


@transaction.atomic
def close_version(*, actor: Actor, version_id: UUID, base_rev: int | None = None) -> ChecklistVersion:
    """End the life of a closing version; it leaves the phones. Raises IllegalVersionMove."""
    require(actor, *EITHER)
    version = locked(actor, version_id, base_rev)
    version.status = rules.close(version.status)
    return finish(actor, version, "checklist.closed", fields=["status"])


@transaction.atomic
def withdraw_version(
    *, actor: Actor, version_id: UUID, reason: str, base_rev: int | None = None
) -> ChecklistVersion:
    """Take a version out of use for safety; it leaves the phones at once. Raises VersionReasonMissing."""
    require(actor, *EITHER)
    version = locked(actor, version_id, base_rev)
    version.status = rules.withdraw(version.status, reason)
    version.status_note = clean_text(reason)[:500]
    return finish(actor, version, "checklist.withdrawn", fields=["status", "status_note"])


def _check_keys(version: ChecklistVersion) -> None:
    """A step's key keeps its kind through all versions, so that answers can be compared over the years."""
    issued = ChecklistVersion.objects.filter(checklist_id=version.checklist_id, published_at__isnull=False)
    problems = [
        p for old in issued.order_by("pk") for p in rules.check_succession(old.content, version.content)
    ]
    if problems:
        raise ContentNotValid(errors=problems)


def close_expired(*, actor: Actor = SYSTEM) -> int:
    """Close every closing version whose time is up; give their number."""
    due = ChecklistVersion.objects.filter(status=Status.CLOSING, accept_until__lt=timezone.now())
    ids = list(due.values_list("pk", flat=True))
    for version_id in ids:
        close_version(actor=actor, version_id=version_id)
    return len(ids)
