"""Edits from phones: create a draft, patch what is not submitted yet, take a draft back.

An edit is a patch with the revision it was made on. Several officers and the laboratory may work on one report at once:
edits of different fields merge, of the same field they conflict, and both versions are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from apps.audit.actions import log
from apps.audit.queries import revisions_by_device
from apps.changes.actions import Item, record
from apps.changes.models import Change
from apps.common.actor import Actor
from apps.common.errors import Conflict, ExistsDifferent, InvalidFields, NotAllowed, Problem
from apps.common.text import clean_values
from apps.common.transactions import transactional
from apps.inspections.actions.editing import check_posting, post_of
from apps.inspections.errors import FieldConflict, ReportVoided, StateLocked
from apps.inspections.rules import Base, changed_since, check_extra, merge
from apps.seizures.actions.common import finish
from apps.seizures.models import Incident, Participant, SeizureReport, Stage
from apps.seizures.queries import DISCARDED, KIND, body, streams_of
from apps.seizures.rules import stages
from apps.seizures.rules.fields import HEADER, LAB_FIELDS, PARTS, check_patch, problem
from apps.seizures.rules.lines import check_lines


@dataclass(frozen=True)
class Edited:
    """The report after an edit, whether it merged with somebody else's, and what the phone should be told."""

    report: SeizureReport
    merged: bool = False
    warnings: tuple[str, ...] = ()


@dataclass
class Patched:
    """A report with a patch applied in memory; the caller saves it."""

    report: SeizureReport
    changed: Mapping[str, Any]
    is_new: bool
    merged: bool = False
    warnings: tuple[str, ...] = ()
    held: list[str] = field(default_factory=list)

    @property
    def is_settled(self) -> bool:
        """Whether the same content came a second time after the report was submitted: nothing is to be done."""
        return not self.is_new and self.report.stage not in stages.EDITABLE


@transactional
def save_seizure(*, actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]) -> Edited:
    """Save a patch to a report that is not submitted yet (a new id makes a draft), without moving it on.

    Raises InvalidFields, FieldConflict, StateLocked, StateChanged, ReportVoided, ExistsDifferent, ScopeRevoked,
    NotAllowed (also for a report of other people: it must look like none).
    """
    edit = apply_patch(actor, report_id, base_rev, fields)
    if (edit.is_new or edit.changed) and not edit.is_settled:
        changed = {"fields": sorted(edit.changed)}
        finish(actor, edit.report, "seizure.saved", held=edit.held, data=changed)
    return Edited(edit.report, edit.merged, (*edit.warnings, *edit.report.flags))


@transactional
def discard_seizure(*, actor: Actor, report_id: UUID, base_rev: int | None) -> int:
    """Take back a draft that was saved here; its text stays in the audit. Gives the revision with which it leaves.

    A report that is not here, or other people's, which must look the same, is left alone. Raises StateLocked once it
    was sent, and FieldConflict when it was edited out of sight of this phone.
    """
    report = locked(report_id)
    if report is None or not may_edit(actor, report):
        return (base_rev or 0) + 1
    if report.stage != Stage.DRAFT:
        raise StateLocked(current=body(report))
    unseen = changed_since(base_of(actor, report, base_rev), report.field_revs) if base_rev else []
    if unseen:
        raise FieldConflict(unseen, body(report), report.rev)
    held, rev, incident = streams_of(report), report.rev + 1, report.incident
    kept = orjson.loads(orjson.dumps(body(report)))
    log(actor, DISCARDED, KIND, report.pk, {"rev": report.rev, "body": kept})
    report.delete()
    if not incident.reports.exists():
        incident.delete()
    record(actor, Item(DISCARDED, KIND, report_id, rev, leaves=held))
    return rev


def apply_patch(actor: Actor, report_id: UUID, base_rev: int | None, fields: Mapping[str, Any]) -> Patched:
    """Lock or create the report, check the patch, merge it; the caller saves and records."""
    patch = checked(fields)
    report = locked(report_id)
    if report is None:
        if base_rev:
            raise ReportVoided if _was_discarded(actor, report_id) else NotAllowed
        report, warnings = _create(actor, report_id, fields)
        put(report, patch)
        return Patched(report, patch, is_new=True, warnings=warnings)
    if not may_edit(actor, report):
        raise NotAllowed
    _same_ground(report, fields)
    held = streams_of(report)
    current = flattened(report)
    if not _comes_again(report, base_rev, patch, current):
        _check_stage(report)
        if not base_rev:
            raise ExistsDifferent(current=body(report))
    warnings = check_posting(report.posting) if report.officer_id == actor.officer_id else ()
    base = base_of(actor, report, base_rev)
    changed = merge(patch, current, report.field_revs, base)
    if changed:
        report.rev += 1
        put(report, changed)
    merged = any(not base.has_seen(rev) for key, rev in report.field_revs.items() if key not in changed)
    return Patched(report, changed, is_new=False, merged=merged, warnings=warnings, held=held)


def base_of(actor: Actor, report: SeizureReport, base_rev: int | None) -> Base:
    """What this phone, or this page, had seen of the report when the edit was made."""
    return Base(base_rev or report.rev, lambda: revisions_by_device(KIND, report.pk, actor.device_id))


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Check a patch and flatten it; texts are normalised first. Raises InvalidFields."""
    patch, problems = check_patch(clean_values(fields))
    if problems:
        raise InvalidFields(errors=problems)
    return patch


def flattened(report: SeizureReport) -> dict[str, Any]:
    """Give the fields of a report as patches name them."""
    flat = {**report.extra, **report.fields}
    for part in PARTS:
        for mark, columns in getattr(report, part).items():
            flat.update({f"{part}.{mark}.{name}": value for name, value in columns.items()})
    return flat


def put(report: SeizureReport, changed: Mapping[str, Any]) -> None:
    """Put changed fields where they belong, at the report's revision; what is not known here goes to `extra`.

    Raises InvalidFields when the lines then say what no stage allows.
    """
    for key, value in changed.items():
        part, *rest = key.split(".", 2)
        if rest and rest[-1] not in PARTS[part] and rest[-1] not in LAB_FIELDS:
            _set(report.extra, key, value)
        elif rest:
            _set(getattr(report, part).setdefault(rest[0], {}), rest[1], value)
        else:
            _set(report.fields if key in HEADER else report.extra, key, value)
    report.field_revs.update(dict.fromkeys(changed, report.rev))
    problems: list[Problem] = [*check_lines(report.lines), *check_extra(report.extra)]
    if problems:
        raise InvalidFields(errors=problems)


def _set(store: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        store.pop(key, None)
    else:
        store[key] = value


def locked(report_id: UUID) -> SeizureReport | None:
    """Lock a report."""
    rows = SeizureReport.objects.select_for_update(of=("self",)).select_related("posting", "incident")
    return rows.filter(pk=report_id).first()


def may_edit(actor: Actor, report: SeizureReport) -> bool:
    """Tell whether the actor is the author, or works on the report from a post held now."""
    if report.officer_id == actor.officer_id:
        return True
    return Participant.objects.filter(report=report, posting_id__in=actor.post_ids()).exists()


def _comes_again(
    report: SeizureReport, base_rev: int | None, patch: Mapping[str, Any], current: Mapping[str, Any]
) -> bool:
    """Tell whether this is the creation of the same report once more, under another mutation."""
    same = all(current.get(key) == value for key, value in patch.items())
    return not base_rev and report.stage not in stages.ENDED and same


def _check_stage(report: SeizureReport) -> None:
    """Refuse an edit in this stage, and show the report as it stands."""
    try:
        stages.check_editable(report.stage)
    except Conflict as refusal:
        raise type(refusal)(current=body(report)) from None


def _create(
    actor: Actor, report_id: UUID, fields: Mapping[str, Any]
) -> tuple[SeizureReport, tuple[str, ...]]:
    post, warnings = post_of(actor, fields.get("posting"))
    report = SeizureReport(
        id=report_id,
        unit_id=post.unit_id,
        posting_id=post.posting_id,
        officer_id=actor.person,
        device_id=actor.device_id,
        is_draft=True,
        incident=_incident(actor, fields.get("incident"), post.unit_id),
    )
    return report, warnings


def _incident(actor: Actor, named: object, unit_id: UUID) -> Incident:
    """Find the incident that a further seizure belongs to, among those the officer may know; otherwise a new one."""
    if named is None:
        return Incident.objects.create(unit_id=unit_id)
    try:
        wanted = UUID(str(named))
    except ValueError:
        raise InvalidFields(errors=[problem("incident", "type")]) from None
    found = Incident.objects.visible_to(actor).filter(pk=wanted).first()
    if found is None:
        raise InvalidFields(errors=[problem("incident", "choice")])
    return found


def _was_discarded(actor: Actor, report_id: UUID) -> bool:
    gone = Change.objects.filter(record_kind=KIND, oid=report_id, kind=DISCARDED)
    return gone.filter(actor_id=actor.officer_id).exists()


def _same_ground(report: SeizureReport, fields: Mapping[str, Any]) -> None:
    """A report stays with the posting and the incident it was begun with."""
    fixed = {"posting": str(report.posting_id), "incident": str(report.incident_id)}
    wrong = [key for key, value in fixed.items() if fields.get(key) and str(fields[key]).lower() != value]
    if wrong:
        raise InvalidFields(errors=[problem(key, "fixed") for key in wrong])
