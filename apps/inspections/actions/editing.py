"""Edits from a phone: create a draft, patch a draft or a returned report, discard a draft.

An edit is a patch with the revision it was made on. Edits of different fields merge; of the same field, they conflict
and both versions are kept (the loser's in its mutation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Posting, Role
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.changes.rules import post_stream
from apps.checklists.models import ChecklistVersion
from apps.checklists.rules import accepts_reports, answer_problem
from apps.common.actor import Actor, Post
from apps.common.errors import ExistsDifferent, InvalidFields, NotAllowed, Problem
from apps.common.text import clean_text
from apps.inspections import rules
from apps.inspections.actions.common import announce
from apps.inspections.errors import ScopeRevoked, StateLocked
from apps.inspections.models import InspectionReport, State
from apps.inspections.queries import CHOICES, EMPTY, KIND, body, frozen_checklist, header

WARN_MOVED = "late-after-move"
_INSPECTING = frozenset({Role.OFFICER, Role.LEADER})


@dataclass(frozen=True)
class Edited:
    """The report after an edit, whether it merged with somebody else's, and what the phone should be told."""

    report: InspectionReport
    merged: bool = False
    warnings: tuple[str, ...] = ()


@transaction.atomic
def save_inspection(
    *, actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]
) -> Edited:
    """Save a patch to a draft (created when new) or to a returned report, without submitting it.

    Raises InvalidFields, FieldConflict, StateLocked, StateChanged, ReportVoided, ExistsDifferent, ScopeRevoked,
    NotAllowed (also for a report of somebody else: it must look like none).
    """
    edit = apply_patch(actor, report_id, base_rev, fields)
    warnings = (*edit.warnings, *check_answers(edit.report, final=False))
    if edit.is_new or edit.changed:
        edit.report.save(force_insert=edit.is_new)
        announce(actor, edit.report, "inspection.saved", data={"fields": sorted(edit.changed)})
    return Edited(edit.report, edit.merged, warnings)


@transaction.atomic
def discard_inspection(*, actor: Actor, report_id: UUID, base_rev: int | None) -> None:
    """Take back a draft that was saved here; its text stays in the audit. Raises StateLocked, NotAllowed."""
    report = _own(actor, report_id)
    if report is None:
        return
    if report.state != State.LOCAL_DRAFT:
        raise StateLocked(current=body(report))
    kept = orjson.loads(orjson.dumps(body(report)))
    log(actor, "inspection.discarded", KIND, report.pk, {"rev": report.rev, "body": kept})
    stream, rev = post_stream(report.posting_id), report.rev + 1
    report.delete()
    record(actor, Item("inspection.discarded", KIND, report_id, rev, leaves=[stream]))


@dataclass
class PatchedReport:
    """A report with a patch applied in memory; the caller saves it."""

    report: InspectionReport
    changed: Mapping[str, Any]
    is_new: bool
    merged: bool
    warnings: tuple[str, ...]


def apply_patch(
    actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]
) -> PatchedReport:
    """Lock or create the report, check the patch, merge it; the caller saves and records."""
    patch = _checked(fields)
    report = _own(actor, report_id)
    is_new = report is None
    if report is None:
        report, warning = _create(actor, report_id, base_rev, fields)
    else:
        _same_ground(report, fields)
        rules.check_editable(report.state)
        warning = _check_posting(report.posting)
    base = report.rev if is_new else base_rev or 0
    current = _current(report)
    if not is_new and not base and any(current.get(k, _EMPTY_FLAT.get(k)) != v for k, v in patch.items()):
        raise ExistsDifferent(current=body(report))
    changed = rules.merge(patch, current, report.field_revs, base)
    merged = not is_new and any(rev > base for rev in report.field_revs.values())
    if changed:
        _set(report, changed)
        report.rev += 0 if is_new else 1
        report.field_revs.update(dict.fromkeys(changed, report.rev))
    return PatchedReport(report, changed, is_new, merged, (warning,) if warning else ())


def check_answers(report: InspectionReport, *, final: bool) -> list[str]:
    """Check the answers against the version they were made on; give warnings. Raises InvalidFields."""
    found = frozen_checklist(report.checklist_version_id).compiled.check(
        report.answers, header(report), {step: len(ids) for step, ids in report.photos.items()}, final=final
    )
    problems: list[Problem] = []
    warnings: dict[str, None] = {}
    for finding in found:
        if finding.is_warning:
            warnings[finding.code] = None
        else:
            problems.append(answer_problem(f"/fields{finding.pointer}", finding.code))
    if problems:
        raise InvalidFields(errors=problems)
    return list(warnings)


def _checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    problems = rules.check_by_step(fields) or rules.check_header(fields, CHOICES)
    if problems:
        raise InvalidFields(errors=problems)
    flat = rules.flatten({k: v for k, v in fields.items() if k not in rules.FIXED_FIELDS})
    for key in rules.TIME_FIELDS:
        if flat.get(key):
            flat[key] = rules.parse_time(flat[key])
    for key in rules.TEXT_FIELDS:
        if key in flat:
            flat[key] = clean_text(flat[key] or "")
    return {key: EMPTY[key] if value is None and key in EMPTY else value for key, value in flat.items()}


_EMPTY_FLAT: Mapping[str, Any] = dict(EMPTY)


def _current(report: InspectionReport) -> dict[str, Any]:
    return {
        **report.extra,
        **header(report),
        **{f"answers.{k}": v for k, v in report.answers.items()},
        **{f"photos.{k}": v for k, v in report.photos.items()},
    }


def _set(report: InspectionReport, changed: Mapping[str, Any]) -> None:
    for key, value in changed.items():
        part, dot, step = key.partition(".")
        if dot and part in rules.BY_STEP:
            _put(getattr(report, part), step, value)
        elif key in rules.HEADER_FIELDS:
            setattr(report, key, value)
        else:
            _put(report.extra, key, value)


def _put(store: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        store.pop(key, None)
    else:
        store[key] = value


def _own(actor: Actor, report_id: UUID) -> InspectionReport | None:
    rows = InspectionReport.objects.select_for_update(of=("self",)).select_related("posting")
    report = rows.filter(pk=report_id).first()
    if report is not None and report.officer_id != actor.officer_id:
        raise NotAllowed
    return report


def _create(
    actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]
) -> tuple[InspectionReport, str | None]:
    if base_rev:
        raise NotAllowed
    post, warning = _post(actor, fields.get("posting"))
    version = _version(fields.get("checklist_version"))
    frozen = frozen_checklist(version.pk)
    given = fields.get("content_hash")
    if given is not None and given != frozen.content_hash:
        raise InvalidFields(errors=[_fault("content_hash", "hash-differs")])
    report = InspectionReport(
        id=report_id,
        unit_id=post.unit_id,
        posting_id=post.posting_id,
        officer_id=actor.person,
        device_id=actor.device_id,
        is_draft=True,
        checklist_version=version,
        content_hash=frozen.content_hash,
        type=frozen.applies_to,
    )
    report.flags = sorted(accepts_reports(version.status, was_published=version.published_at is not None))
    return report, warning


def _same_ground(report: InspectionReport, fields: Mapping[str, Any]) -> None:
    """A report stays on the version and posting it was begun with."""
    fixed = {
        "checklist_version": str(report.checklist_version_id),
        "content_hash": report.content_hash,
        "posting": str(report.posting_id),
    }
    problems = [
        _fault(key, "fixed") for key, value in fixed.items() if fields.get(key) and str(fields[key]) != value
    ]
    if problems:
        raise InvalidFields(errors=problems)


def _post(actor: Actor, named: object) -> tuple[Post, str | None]:
    """Find the post a new report is made from: the one named, or the only one held now; with a warning when it ended.

    Work for a post the officer has left is taken for some days more (docs/security.md). Raises ScopeRevoked.
    """
    now = [post for post in actor.posts if post.role in _INSPECTING]
    if named is None:
        if not now:
            raise ScopeRevoked
        if len(now) > 1:
            raise InvalidFields(errors=[_fault("posting", "required")])
        return now[0], None
    wanted = _uuid(named, "posting")
    held = next((post for post in now if post.posting_id == wanted), None)
    if held is not None:
        return held, None
    former = Posting.objects.filter(pk=wanted, officer_id=actor.person, role__in=_INSPECTING).first()
    if former is None:
        raise ScopeRevoked
    return Post(former.pk, former.unit_id, former.role, frozenset({former.unit_id})), _check_posting(former)


def _check_posting(posting: Posting) -> str | None:
    """Take work for a post the officer has left for some days more (access.md); flag it, then refuse it."""
    if posting.valid_to is None:
        return None
    gone = timezone.now() - posting.valid_to
    if gone.total_seconds() < 0:
        return None
    if gone > settings.MOVED_OFFICER_GRACE:
        raise ScopeRevoked
    return WARN_MOVED


def _version(named: object) -> ChecklistVersion:
    version = (
        ChecklistVersion.objects.filter(pk=_uuid(named, "checklist_version"))
        .only("id", "status", "published_at")
        .first()
        if named is not None
        else None
    )
    if version is None or version.status in {"draft", "in_review", "approved"}:
        raise InvalidFields(errors=[_fault("checklist_version", "required" if named is None else "unknown")])
    return version


def _uuid(value: object, key: str) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidFields(errors=[_fault(key, "type")]) from None


_WORDS = {
    "required": ("Cần có mục này.", "This is needed."),
    "unknown": ("Không có phiên bản quy trình này.", "There is no such published version."),
    "hash-differs": (
        "Nội dung quy trình trên máy khác bản đã ban hành.",
        "The content differs from what was published.",
    ),
    "fixed": ("Không đổi được sau khi đã tạo báo cáo.", "This cannot change once the report exists."),
    "type": ("Sai kiểu dữ liệu.", "The value has the wrong type."),
}


def _fault(key: str, code: str) -> Problem:
    return Problem(f"/fields/{key}", code, *_WORDS[code])
