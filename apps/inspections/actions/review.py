"""Review at a desk: take up, return with notes at the questions, approve, void with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Role
from apps.common.actor import Actor
from apps.common.errors import InvalidFields, NotFound
from apps.common.text import clean_text
from apps.inspections import rules
from apps.inspections.actions.common import finish
from apps.inspections.errors import NoteRequired, NotReviewer, OwnReport, PhotosMissing, StateChanged
from apps.inspections.models import InspectionReport, ReviewNote
from apps.inspections.queries import body, frozen_checklist, photos_missing

REVIEWERS = (Role.LEADER, Role.HQ_REVIEWER)


def check_may_hand_out(actor: Actor, unit_id: UUID, reason: str) -> None:
    """Refuse to hand a unit's record out to who neither leads nor reviews the unit, or for no stated reason.

    Raises NotReviewer, NoteRequired.
    """
    if not actor.is_system and unit_id not in actor.reach_of(*REVIEWERS):
        raise NotReviewer
    if not clean_text(reason):
        raise NoteRequired


@transaction.atomic
def start_review(*, actor: Actor, report_id: UUID, base_rev: int | None = None) -> InspectionReport:
    """Take a submitted report up for review."""
    report = _to_review(actor, report_id, base_rev, "start_review")
    report.reviewer_id = actor.officer_id
    return finish(actor, report, "inspection.review_started", fields=["state", "reviewer"])


@transaction.atomic
def return_for_correction(
    *,
    actor: Actor,
    report_id: UUID,
    notes: Sequence[Mapping[str, str]],
    note: str = "",
    base_rev: int | None = None,
) -> InspectionReport:
    """Send a report back to its officer's phone with notes `{step_key, text}` at the questions, or one on the whole.

    Raises InvalidFields when nothing is said or a step does not exist, and the refusals of review.
    """
    report = _to_review(actor, report_id, base_rev, "return")
    steps = frozenset({"", *frozen_checklist(report.checklist_version_id).compiled.keys})
    problems = rules.check_notes(notes, note, steps)
    if problems:
        raise InvalidFields(errors=problems)
    now = timezone.now()
    said = [*notes, {"step_key": "", "text": note}]
    ReviewNote.objects.bulk_create(
        ReviewNote(
            report=report,
            version=report.version,
            step_key=entry.get("step_key", ""),
            text=clean_text(entry["text"]),
            author_id=actor.person,
            at=now,
        )
        for entry in said
        if entry.get("text", "").strip()
    )
    return _decide(actor, report, "inspection.returned", note)


@transaction.atomic
def approve_inspection(
    *, actor: Actor, report_id: UUID, note: str = "", base_rev: int | None = None
) -> InspectionReport:
    """Approve a complete report. Raises PhotosMissing while a photo it names has not arrived."""
    report = _to_review(actor, report_id, base_rev, "approve")
    missing = photos_missing(report)
    if missing:
        raise PhotosMissing(current={"missing": missing})
    return _decide(actor, report, "inspection.approved", note)


@transaction.atomic
def void_inspection(
    *, actor: Actor, report_id: UUID, reason: str, base_rev: int | None = None
) -> InspectionReport:
    """Take a report out of the figures for a stated reason; it stays on record. Raises NoteRequired."""
    if not reason.strip():
        raise NoteRequired
    report = _to_review(actor, report_id, base_rev, "void")
    return _decide(actor, report, "inspection.voided", reason)


def _to_review(actor: Actor, report_id: UUID, base_rev: int | None, verb: str) -> InspectionReport:
    """Lock the report and make the move, or refuse: unseen → NotFound, own → OwnReport, moved on → StateChanged."""
    report = InspectionReport.objects.visible_to(actor).select_for_update().filter(pk=report_id).first()
    if report is None:
        raise NotFound
    if not actor.is_system:
        if report.unit_id not in actor.reach_of(*REVIEWERS):
            raise NotReviewer
        if report.officer_id == actor.officer_id:
            raise OwnReport
    if base_rev is not None and base_rev != report.rev:
        raise StateChanged(current=body(report))
    report.state = rules.next_state(verb, report.state)
    return report


def _decide(actor: Actor, report: InspectionReport, change: str, note: str) -> InspectionReport:
    report.reviewer_id = actor.officer_id
    report.reviewed_at = timezone.now()
    report.review_note = clean_text(note)[:4000]
    return finish(
        actor,
        report,
        change,
        fields=["state", "reviewer", "reviewed_at", "review_note"],
        data={"note": report.review_note[:500]} if report.review_note else None,
    )
