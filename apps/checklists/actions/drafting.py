"""Drafting by trainers: a checklist, a version, an edit of a draft."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.models import Officer
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.checklists import rules
from apps.checklists.actions.common import AUTHORS, finish, locked, require
from apps.checklists.errors import CodeTaken
from apps.checklists.models import AppliesTo, Checklist, ChecklistVersion
from apps.checklists.queries import KIND
from apps.checklists.rules.words import content_problem
from apps.common.actor import Actor
from apps.common.errors import InvalidFields, Problem
from apps.common.records import new_id
from apps.common.text import clean_text

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")

MAX_NOTE = 4000


@transaction.atomic
def create_checklist(
    *,
    actor: Actor,
    code: str,
    applies_to: str,
    title: tuple[str, str],
    id: UUID | None = None,  # noqa: A002
) -> Checklist:
    """Create a checklist with its titles (vi, en); its first version is drafted apart. Raises CodeTaken."""
    require(actor, *AUTHORS)
    vi, en = (clean_text(t) for t in title)
    faults = [] if _CODE.fullmatch(code) else [content_problem("/code", "bad-key")]
    if not (vi and en):
        faults.append(content_problem("/title", "language-missing"))
    if applies_to not in AppliesTo.values:
        faults.append(Problem("/applies_to", "required", "Cần chọn loại.", "Choose a type."))
    if faults:
        raise InvalidFields(errors=faults)
    try:
        with transaction.atomic():
            checklist = Checklist.objects.create(
                id=id or new_id(), code=code, applies_to=applies_to, title_vi=vi[:200], title_en=en[:200]
            )
    except IntegrityError as error:
        raise CodeTaken from error
    log(actor, "checklist.created", KIND, checklist.pk, {"code": code})
    record(actor, Item("checklist.created", KIND, checklist.pk, checklist.rev))
    return checklist


@transaction.atomic
def create_version(  # noqa: PLR0913  the fields of a version
    *,
    actor: Actor,
    checklist: Checklist,
    semver: str,
    content: Mapping[str, Any],
    change_note: str = "",
    source_directive: str = "",
    id: UUID | None = None,  # noqa: A002  made where the record is born
) -> ChecklistVersion:
    """Draft a version, which may still have faults. Raises CodeTaken (number in use), InvalidVersionNumber."""
    require(actor, *AUTHORS)
    rules.parse_semver(semver)
    try:
        with transaction.atomic():
            version = ChecklistVersion.objects.create(
                id=id or new_id(),
                checklist=checklist,
                semver=semver,
                content=dict(content),
                change_note=clean_text(change_note)[:MAX_NOTE],
                source_directive=clean_text(source_directive)[:200],
                author=_officer(actor),
                contributors=[str(actor.officer_id)],
            )
    except IntegrityError as error:
        raise CodeTaken from error
    log(actor, "checklist.drafted", KIND, version.pk, {"code": checklist.code, "semver": semver})
    record(actor, Item("checklist.drafted", KIND, version.pk, version.rev))
    return version


@transaction.atomic
def edit_version(
    *,
    actor: Actor,
    version_id: UUID,
    content: Mapping[str, Any],
    change_note: str | None = None,
    base_rev: int | None = None,
) -> ChecklistVersion:
    """Replace the content of a draft; whoever edits may not approve. Raises VersionContentFrozen, Conflict."""
    require(actor, *AUTHORS)
    version = locked(actor, version_id, base_rev)
    rules.require_editable(version.status)
    version.content = dict(content)
    version.contributors = sorted({*version.contributors, str(actor.officer_id)})
    if change_note is not None:
        version.change_note = clean_text(change_note)[:MAX_NOTE]
    return finish(actor, version, "checklist.edited", fields=["content", "contributors", "change_note"])


def _officer(actor: Actor) -> Officer:
    officer: Officer = Officer.objects.get(pk=actor.officer_id)
    return officer
