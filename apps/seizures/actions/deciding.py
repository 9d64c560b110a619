"""Decisions at a desk: verified by the unit, by the region, accepted, laboratory confirmed, closed; back; void."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.errors import SecondPersonNeeded
from apps.accounts.models import Officer, Role
from apps.common.actor import Actor
from apps.common.errors import InvalidFields, NotFound, Problem
from apps.common.text import clean_text
from apps.inspections.errors import NoteRequired, NotReviewer, OwnReport, PhotosMissing, StateChanged
from apps.seizures.actions.common import finish
from apps.seizures.duplicates import candidates
from apps.seizures.errors import AbsorbsOthers, DuplicatesOpen
from apps.seizures.models import Decision, SeizureReport, Stage
from apps.seizures.queries import body, photo_purposes, photos_missing, reported, streams_of
from apps.seizures.rules import checks, stages

# verb → roles that may take the decision, within their reach
DECIDERS = {
    "verify_unit": (Role.LEADER,),
    "verify_region": (Role.LEADER,),
    "accept": (Role.HQ_REVIEWER,),
    "confirm_lab": (Role.LEADER, Role.HQ_REVIEWER),
    "close": (Role.HQ_REVIEWER,),
    "return": (Role.LEADER, Role.HQ_REVIEWER),
    "void": (Role.LEADER, Role.HQ_REVIEWER),
}
AMENDERS = (Role.LEADER, Role.HQ_REVIEWER)
NOTED = frozenset({"return", "void"})
Requirement = Callable[[SeizureReport], list[Problem]]
_REQUIREMENTS: dict[str, list[Requirement]] = {}


def require(verb: str, requirement: Requirement) -> None:
    """Let a decision ask for what an app above knows of (where the exhibits are); wired at the composition root."""
    known = _REQUIREMENTS.setdefault(verb, [])
    if requirement not in known:
        known.append(requirement)


def lacking(verb: str, report: SeizureReport) -> list[Problem]:
    """Give what apps above find that keeps a report from this."""
    return [problem for ask in _REQUIREMENTS.get(verb, ()) for problem in ask(report)]


@transaction.atomic
def decide_seizure(
    *, actor: Actor, report_id: UUID, verb: str, note: str = "", base_rev: int | None = None
) -> SeizureReport:
    """Take one decision about a submitted report: a verb of `DECIDERS`.

    Nobody decides about a report they wrote, took part in or weighed for; the region is verified by somebody above
    the unit and other than who verified it there. To return and to void needs a note. Raises NotFound, NotReviewer,
    OwnReport, SecondPersonNeeded, NoteRequired, StateChanged, ReportVoided, PhotosMissing, DuplicatesOpen,
    AbsorbsOthers, InvalidFields.
    """
    report = to_decide(actor, report_id, base_rev, *DECIDERS[verb])
    _check_distance(actor, report, verb)
    note = clean_text(note)[:4000]
    if verb in NOTED and not note:
        raise NoteRequired
    to = stages.next_stage(verb, report.stage)
    if verb == "void" and report.merged_reports.exists():
        raise AbsorbsOthers
    said = reported(report)
    if verb == "verify_unit":
        said["photo_purposes"] = list(photo_purposes(report).values())
    missing = checks.missing_for(verb, said) + lacking(verb, report)
    if missing:
        raise InvalidFields(errors=missing)
    if verb in {"verify_unit", "accept"} and candidates(actor, report):
        raise DuplicatesOpen
    photos = photos_missing(report) if verb == "verify_unit" else []
    if photos:
        raise PhotosMissing(current={"missing": photos})
    held, now = streams_of(report), timezone.now()
    Decision.objects.create(
        report=report,
        verb=verb,
        from_stage=report.stage,
        to_stage=to,
        version=report.version,
        note=note,
        officer_id=actor.officer_id,
        at=now,
    )
    report.stage = Stage(to)
    report.rev += 1
    data = {"verb": verb, "at": now.isoformat(), **({"note": note} if note else {})}
    finish(actor, report, CHANGES[verb], held=held, data=data)
    return report


CHANGES = {
    "verify_unit": "seizure.unit_verified",
    "verify_region": "seizure.region_verified",
    "accept": "seizure.accepted",
    "confirm_lab": "seizure.lab_confirmed",
    "close": "seizure.closed",
    "return": "seizure.returned",
    "void": "seizure.voided",
}


def to_decide(actor: Actor, report_id: UUID, base_rev: int | None, *roles: str) -> SeizureReport:
    """Lock a report for somebody at a desk: unseen → NotFound, not theirs to decide → NotReviewer, own → OwnReport."""
    report = (
        SeizureReport.objects.visible_to(actor)
        .filter(is_draft=False, pk=report_id)
        .select_for_update(of=("self",))
        .select_related("posting", "incident")
        .first()
    )
    if report is None:
        raise NotFound
    if not actor.is_system:
        if report.unit_id not in actor.reach_of(*roles):
            raise NotReviewer
        badge = Officer.objects.values_list("badge_no", flat=True).get(pk=actor.person)
        if report.officer_id == actor.officer_id or badge.upper() in report.people_badges:
            raise OwnReport
    if base_rev is not None and base_rev != report.rev:
        raise StateChanged(current=body(report))
    return report


def _check_distance(actor: Actor, report: SeizureReport, verb: str) -> None:
    """The region's word is that of somebody above the unit who has not spoken for the unit already."""
    if verb != "verify_region" or actor.is_system:
        return
    above = {p.unit_id for p in actor.posts if p.role == Role.LEADER and report.unit_id in p.reach}
    if above <= {report.unit_id}:
        raise NotReviewer
    last = Decision.objects.filter(report=report, verb="verify_unit").last()
    if last is not None and last.officer_id == actor.officer_id:
        raise SecondPersonNeeded
