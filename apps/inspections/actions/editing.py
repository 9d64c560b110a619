"""Edits from a phone: create a draft, patch a draft or a returned report, discard a draft.

An edit is a patch with the revision it was made on. Edits of different fields merge; of the same field, they conflict
and both versions are kept (the loser's in its mutation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.utils import timezone

from apps.accounts.models import Posting, Role
from apps.audit.actions import log
from apps.audit.queries import revisions_by_device
from apps.changes.actions import Item, record
from apps.changes.models import Change
from apps.changes.rules import post_stream
from apps.checklists.errors import VersionNeverPublished
from apps.checklists.models import ChecklistVersion
from apps.checklists.rules import accepts_reports, answer_problem
from apps.common.actor import Actor, Post
from apps.common.errors import Conflict, ExistsDifferent, InvalidFields, NotAllowed, Problem
from apps.common.sql import execute, insert_record
from apps.common.text import clean_text
from apps.common.transactions import transactional
from apps.inspections import rules
from apps.inspections.actions.common import announce
from apps.inspections.errors import FieldConflict, ReportVoided, ScopeRevoked, StateLocked
from apps.inspections.models import InspectionReport, State
from apps.inspections.queries import CHOICES, EMPTY, KIND, body, frozen_checklist, header

WARN_MOVED = "late-after-move"
DISCARDED = "inspection.discarded"
_INSPECTING = frozenset({Role.OFFICER, Role.LEADER})


@dataclass(frozen=True)
class Edited:
    """The report after an edit, whether it merged with somebody else's, and what the phone should be told."""

    report: InspectionReport
    merged: bool = False
    warnings: tuple[str, ...] = ()


@transactional
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
        if edit.is_new:
            insert_record(edit.report)
        else:
            edit.report.save()
        announce(actor, edit.report, "inspection.saved", data={"fields": sorted(edit.changed)})
    return Edited(edit.report, edit.merged, warnings)


@transactional
def discard_inspection(*, actor: Actor, report_id: UUID, base_rev: int | None) -> int:
    """Take back a draft that was saved here; its text stays in the audit. Gives the revision with which it leaves.

    A report that is not here, or somebody else's, which must look the same, is left alone. Raises StateLocked, and
    FieldConflict when it was edited out of sight of this phone: an edit is not lost to a deletion that has not seen it.
    """
    report = _locked(report_id)
    if report is None or report.officer_id != actor.officer_id:
        return (base_rev or 0) + 1
    if report.state != State.LOCAL_DRAFT:
        raise StateLocked(current=body(report))
    unseen = rules.changed_since(_base(actor, report, base_rev), report.field_revs) if base_rev else []
    if unseen:
        raise FieldConflict(unseen, body(report), report.rev)
    kept = orjson.loads(orjson.dumps(body(report)))
    log(actor, DISCARDED, KIND, report.pk, {"rev": report.rev, "body": kept})
    stream, rev = post_stream(report.posting_id), report.rev + 1
    report.delete()
    record(actor, Item(DISCARDED, KIND, report_id, rev, leaves=[stream]))
    return rev


@dataclass
class PatchedReport:
    """A report with a patch applied in memory; the caller saves it."""

    report: InspectionReport
    changed: Mapping[str, Any]
    is_new: bool
    merged: bool
    warnings: tuple[str, ...]

    @property
    def is_settled(self) -> bool:
        """Whether the report was submitted before: the same content came a second time, and nothing is to be done."""
        return not self.is_new and self.report.state not in rules.EDITABLE


def apply_patch(
    actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]
) -> PatchedReport:
    """Lock or create the report, check the patch, merge it; the caller saves and records."""
    patch = _checked(fields)
    ground = None if base_rev else _ground(report_id, fields.get("checklist_version"))
    report = None if ground and not ground.is_here else _locked(report_id)
    if report is None:
        report, warnings = _create(actor, report_id, ground, fields)
        _change(report, patch)
        report.field_revs = dict.fromkeys(patch, report.rev)
        return PatchedReport(report, patch, is_new=True, merged=False, warnings=warnings)
    if report.officer_id != actor.officer_id:
        raise NotAllowed
    _same_ground(report, fields)
    current = _current(report)
    if not _comes_again(report, base_rev, patch, current):
        _check_state(report)
        if not base_rev:
            raise ExistsDifferent(current=body(report))
    warnings = (*check_posting(report.posting), *_version_warnings(report.checklist_version_id))
    base = _base(actor, report, base_rev)
    changed = rules.merge(patch, current, report.field_revs, base)
    if changed:
        report.rev += 1
        _change(report, changed)
        report.field_revs.update(dict.fromkeys(changed, report.rev))
    merged = any(not base.has_seen(rev) for key, rev in report.field_revs.items() if key not in changed)
    return PatchedReport(report, changed, is_new=False, merged=merged, warnings=warnings)


def _base(actor: Actor, report: InspectionReport, base_rev: int | None) -> rules.Base:
    """What this phone had seen of the report when the edit was made."""
    return rules.Base(base_rev or report.rev, lambda: revisions_by_device(KIND, report.pk, actor.device_id))


@dataclass(frozen=True)
class _Ground:
    """What a report that may be new stands on: is it here after all, and what has become of its version."""

    is_here: bool
    version_id: UUID | None
    status: str | None
    was_published: bool


def _ground(report_id: UUID, named: object) -> _Ground:
    """Ask both at once, by one statement: most reports come whole and new."""
    version_id = _as_uuid(named)
    is_here, status, published_at = execute(_GROUND, [report_id, version_id]).fetchone()
    return _Ground(bool(is_here), version_id, status, published_at is not None)


_GROUND = """
    SELECT EXISTS (SELECT 1 FROM inspections_inspectionreport WHERE id = %s), v.status, v.published_at
    FROM (SELECT 1) one LEFT JOIN checklists_checklistversion v ON v.id = %s
"""


def _comes_again(
    report: InspectionReport, base_rev: int | None, patch: Mapping[str, Any], current: Mapping[str, Any]
) -> bool:
    """Tell whether this is the creation of the same report once more, under another mutation."""
    return (
        not base_rev
        and report.state != State.VOIDED
        and all(current.get(key, EMPTY.get(key)) == value for key, value in patch.items())
    )


def _check_state(report: InspectionReport) -> None:
    """Refuse an edit in this state, and show the report as it stands."""
    try:
        rules.check_editable(report.state)
    except Conflict as refusal:
        raise type(refusal)(current=body(report)) from None


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
    """Check a patch and flatten it. Texts are normalised first, since that may make them longer."""
    cleaned = {
        key: clean_text(value) if key in rules.TEXT_FIELDS and isinstance(value, str) else value
        for key, value in fields.items()
    }
    problems = rules.check_by_step(cleaned) or rules.check_header(cleaned, CHOICES)
    if problems:
        raise InvalidFields(errors=problems)
    flat = rules.flatten({k: v for k, v in cleaned.items() if k not in rules.FIXED_FIELDS})
    for key in rules.TIME_FIELDS:
        if flat.get(key):
            flat[key] = rules.parse_time(flat[key])
    return {key: EMPTY[key] if value is None and key in EMPTY else value for key, value in flat.items()}


def _current(report: InspectionReport) -> dict[str, Any]:
    return {
        **report.extra,
        **header(report),
        **{f"answers.{k}": v for k, v in report.answers.items()},
        **{f"photos.{k}": v for k, v in report.photos.items()},
    }


def _change(report: InspectionReport, changed: Mapping[str, Any]) -> None:
    """Put changed fields where they belong; what no version of this server knows goes to `extra`."""
    for key, value in changed.items():
        part, dot, step = key.partition(".")
        if dot and part in rules.BY_STEP:
            _put(getattr(report, part), step, value)
        elif key in rules.HEADER_FIELDS:
            setattr(report, key, value)
        else:
            _put(report.extra, key, value)
    problems = rules.check_extra(report.extra)
    if problems:
        raise InvalidFields(errors=problems)


def _put(store: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        store.pop(key, None)
    else:
        store[key] = value


def _locked(report_id: UUID) -> InspectionReport | None:
    rows = InspectionReport.objects.select_for_update(of=("self",)).select_related("posting")
    return rows.filter(pk=report_id).first()


def _create(
    actor: Actor, report_id: UUID, ground: _Ground | None, fields: Mapping[str, Any]
) -> tuple[InspectionReport, tuple[str, ...]]:
    if ground is None:  # an edit of what is not here
        raise ReportVoided if _was_discarded(actor, report_id) else NotAllowed
    post, warnings = post_of(actor, fields.get("posting"))
    version_id, more = _version(ground, fields.get("checklist_version"))
    frozen = frozen_checklist(version_id)
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
        checklist_version_id=version_id,
        content_hash=frozen.content_hash,
        type=frozen.applies_to,
    )
    return report, (*warnings, *more)


def _was_discarded(actor: Actor, report_id: UUID) -> bool:
    """Tell whether this officer took the report back, perhaps on another phone."""
    gone = Change.objects.filter(record_kind=KIND, oid=report_id, kind=DISCARDED)
    return gone.filter(actor_id=actor.officer_id).exists()


def _same_ground(report: InspectionReport, fields: Mapping[str, Any]) -> None:
    """A report stays on the version and posting it was begun with."""
    fixed = {
        "checklist_version": str(report.checklist_version_id),
        "content_hash": report.content_hash,
        "posting": str(report.posting_id),
    }
    problems = [
        _fault(key, "fixed")
        for key, value in fixed.items()
        if fields.get(key) and str(fields[key]).lower() != value
    ]
    if problems:
        raise InvalidFields(errors=problems)


def post_of(actor: Actor, named: object) -> tuple[Post, tuple[str, ...]]:
    """Find the post that new work is done from: the one named, or the only one held now; warn when it has ended.

    Work for a post the officer has left is taken for some days more (docs/security.md). Raises ScopeRevoked.
    """
    now = [post for post in actor.posts if post.role in _INSPECTING]
    if named is None:
        if not now:
            raise ScopeRevoked
        if len(now) > 1:
            raise InvalidFields(errors=[_fault("posting", "required")])
        return now[0], ()
    wanted = _uuid(named, "posting")
    held = next((post for post in now if post.posting_id == wanted), None)
    if held is not None:
        return held, ()
    former = Posting.objects.filter(pk=wanted, officer_id=actor.person, role__in=_INSPECTING).first()
    if former is None:
        raise ScopeRevoked
    return Post(former.pk, former.unit_id, former.role, frozenset({former.unit_id})), check_posting(former)


def check_posting(posting: Posting) -> tuple[str, ...]:
    """Take work for a post the officer has left for some days more (access.md); flag it, then refuse it."""
    gone = timezone.now() - posting.valid_to if posting.valid_to else timedelta(-1)
    if gone < timedelta(0):
        return ()
    if gone > settings.MOVED_OFFICER_GRACE:
        raise ScopeRevoked
    return (WARN_MOVED,)


def _version(ground: _Ground, named: object) -> tuple[UUID, tuple[str, ...]]:
    """Give the version a new report is made on, with warnings; only what was ever published can be reported on."""
    if named is None:
        raise InvalidFields(errors=[_fault("checklist_version", "required")])
    if ground.version_id is None:
        raise InvalidFields(errors=[_fault("checklist_version", "type")])
    unknown = InvalidFields(errors=[_fault("checklist_version", "unknown")])
    if ground.status is None:
        raise unknown
    try:
        return ground.version_id, accepts_reports(ground.status, was_published=ground.was_published)
    except VersionNeverPublished:
        raise unknown from None


def _version_warnings(version_id: UUID) -> tuple[str, ...]:
    """Say what has become of a version: work done in the field is taken on any that was ever published."""
    rows = ChecklistVersion.objects.values_list("status", "published_at")
    status, published_at = rows.get(pk=version_id)
    return accepts_reports(status, was_published=published_at is not None)


def _as_uuid(value: object) -> UUID | None:
    try:
        return None if value is None else UUID(str(value))
    except ValueError:
        return None


def _uuid(value: object, key: str) -> UUID:
    found = _as_uuid(value)
    if found is None:
        raise InvalidFields(errors=[_fault(key, "type")])
    return found


_WORDS = {
    "required": ("Cần có mục này.", "This is needed."),
    "unknown": ("Không có phiên bản bảng kiểm này.", "There is no such published version."),
    "hash-differs": (
        "Nội dung bảng kiểm trên máy khác bản đã ban hành.",
        "The content differs from what was published.",
    ),
    "fixed": ("Không đổi được sau khi đã tạo báo cáo.", "This cannot change once the report exists."),
    "type": ("Sai kiểu dữ liệu.", "The value has the wrong type."),
}


def _fault(key: str, code: str) -> Problem:
    return Problem(f"/fields/{key}", code, *_WORDS[code])
