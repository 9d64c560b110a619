"""Changes after submission, at a desk: what a laboratory found, corrections with a reason. Each is a new version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.actor import Actor
from apps.common.errors import InvalidFields, Problem
from apps.common.text import clean_text
from apps.inspections.errors import NoteRequired, ReportVoided, StateChanged
from apps.inspections.rules import Base, merge
from apps.seizures.actions.common import finish, freeze, settle_day
from apps.seizures.actions.deciding import AMENDERS, to_decide
from apps.seizures.actions.editing import checked, flattened, put
from apps.seizures.models import SeizureReport
from apps.seizures.queries import body, groups_of, photo_purposes, reported, streams_of
from apps.seizures.rules import checks, stages
from apps.seizures.rules.fields import LAB_FIELDS, problem, read_value

AMENDED, LAB_RECORDED = "seizure.amended", "seizure.lab_recorded"


@transaction.atomic
def amend_seizure(
    *, actor: Actor, report_id: UUID, fields: Mapping[str, Any], reason: str, base_rev: int | None = None
) -> SeizureReport:
    """Correct a report that was sent, for a stated reason; the version before stays readable.

    What brought the report to its stage stays: a correction that takes some of it away is refused. Raises
    InvalidFields, NoteRequired, FieldConflict, and what a decision raises.
    """
    return _amended(actor, report_id, base_rev, checked(fields), _Why(AMENDED, reason))


@transaction.atomic
def record_lab_result(
    *,
    actor: Actor,
    report_id: UUID,
    mark: str,
    result: Mapping[str, Any],
    base_rev: int | None = None,
) -> SeizureReport:
    """Write down what the laboratory found of a line (`LAB_FIELDS`): the figure then follows the laboratory.

    A negative result takes the line out of the figures and needs `lab_note`. What was weighed stays readable beside
    it. Raises InvalidFields, FieldConflict, and what a decision raises.
    """
    patch, problems = {}, []
    for name, value in result.items():
        found, fault = read_value(LAB_FIELDS[name], clean_text(value) if isinstance(value, str) else value)
        if fault:
            problems.append(problem(f"lines/{mark}/{name}", fault))
        elif found not in {"", None}:
            patch[f"lines.{mark}.{name}"] = found
    problems += _lab_faults(mark, result)
    if problems:
        raise InvalidFields(errors=problems)
    number = str(result.get("lab_number"))
    return _amended(actor, report_id, base_rev, patch, _Why(LAB_RECORDED, f"{number} · {mark}"))


@dataclass(frozen=True)
class _Why:
    """What the change is called, and the reason that stands on the version."""

    change: str
    reason: str


def _lab_faults(mark: str, result: Mapping[str, Any]) -> list[Problem]:
    needed = ["lab_outcome", "lab_number", "lab_on", "lab_name"]
    needed.append("lab_note" if result.get("lab_outcome") == "negative" else "lab_substance")
    return [problem(f"lines/{mark}/{name}", "required") for name in needed if not result.get(name)]


def _amended(
    actor: Actor, report_id: UUID, base_rev: int | None, patch: Mapping[str, Any], why: _Why
) -> SeizureReport:
    """Merge a patch by field as an edit from a phone, beside what officers write meanwhile."""
    report = to_decide(actor, report_id, None, *AMENDERS)
    reason = clean_text(why.reason)[:1000]
    if not reason:
        raise NoteRequired
    if report.stage in stages.ENDED:
        raise ReportVoided
    if report.stage == stages.CLOSED:
        raise StateChanged(current=body(report))
    _check_lab(report, patch)
    held = streams_of(report)
    changed = merge(patch, flattened(report), report.field_revs, Base(base_rev or report.rev))
    if not changed:
        return report
    day, owed = report.occurred_on, _owed(report)
    report.rev += 1
    report.version += 1
    put(report, changed)
    lost = [fault for fault in _owed(report) if fault not in owed]
    if lost:
        raise InvalidFields(errors=lost)
    if "detected_on_device_at" in changed:
        settle_day(report)
    data = {"fields": sorted(changed), "reason": reason}
    finish(actor, report, why.change, held=held, data=data, days=[day])
    freeze(actor, report, reason)
    return report


def _owed(report: SeizureReport) -> list[Problem]:
    """Give what a report lacks at its stage. A photo that no phone has declared shows nothing here."""
    purposes = [purpose for purpose in photo_purposes(report).values() if purpose is not None]
    return checks.owed_at(report.stage, {**reported(report), "photo_purposes": purposes})


def _check_lab(report: SeizureReport, patch: Mapping[str, Any]) -> None:
    """A result belongs to a line that is there, and names a substance that is known."""
    for key, value in patch.items():
        part, mark, name = (*key.split(".", 2), "", "")[:3]
        if name in LAB_FIELDS and mark not in getattr(report, part):
            raise InvalidFields(errors=[problem(f"lines/{mark}", "choice")])
        if name == "lab_substance" and value not in groups_of([value]):
            raise InvalidFields(errors=[problem(f"lines/{mark}/lab_substance", "unknown-substance")])
