"""Two reports of one seizure: merged by a person, the survivor kept; parted again; or held apart for good.

And two of one incident: what a find led to goes on counting what it seized, and is no incident of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.actions import log
from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.common.text import clean_text
from apps.inspections.errors import NoteRequired, ReportVoided, StateChanged
from apps.seizures.actions.common import finish
from apps.seizures.actions.deciding import AMENDERS, lacking, to_decide
from apps.seizures.errors import SameReport, SurvivorClosed
from apps.seizures.models import Decision, DistinctPair, Merge, SeizureReport, Stage
from apps.seizures.queries import KIND, streams_of
from apps.seizures.rules import stages

CHANGES = {"merge": "seizure.merged", "join": "seizure.joined", "part": "seizure.parted"}


@transaction.atomic
def merge_seizures(*, actor: Actor, report_id: UUID, survivor_id: UUID, reason: str) -> SeizureReport:
    """Say that a report tells of the same seizure as the survivor: it leaves the figures, the survivor stays as it is.

    What only the merged report says is carried over by a correction of the survivor, not here. A closed survivor takes
    no report whose exhibits are in somebody's hand. Raises SameReport, NoteRequired, ReportVoided, SurvivorClosed, and
    what a decision raises about either report.
    """
    report, survivor = _both(actor, report_id, survivor_id)
    reason = _reason(reason)
    _check_standing(report, survivor)
    in_hand = lacking("merge", report) if survivor.stage == stages.CLOSED else []
    if in_hand:
        raise SurvivorClosed(errors=in_hand)
    made = Merge.objects.create(
        report=report,
        survivor=survivor,
        stage_before=report.stage,
        reason=reason,
        officer_id=actor.officer_id,
        at=timezone.now(),
    )
    report.merged_into = survivor
    said = {"survivor": str(survivor.pk), "at": made.at.isoformat()}
    _move(actor, report, "merge", Stage.MERGED, f"{survivor.number}: {reason}", said)
    log(actor, "seizure.absorbed", KIND, survivor.pk, {"report": str(report.pk), "reason": reason})
    return report


@transaction.atomic
def join_incidents(*, actor: Actor, report_id: UUID, other_id: UUID, reason: str) -> SeizureReport:
    """Say that a report tells of what the other led to: one incident, and each goes on counting what it seized.

    For what was reported as an incident of its own and is none (dictionary 6.3). Taken back by `part_seizures`. Two
    reports that are of one incident already stay as they are. Raises SameReport, NoteRequired, ReportVoided,
    StateChanged for a report that was joined before, and what a decision raises about either report.
    """
    report, other = _both(actor, report_id, other_id)
    reason = _reason(reason)
    _check_standing(report, other)
    if report.incident_id == other.incident_id:
        return report
    made = Merge.objects.create(
        report=report,
        survivor=other,
        stage_before=report.stage,
        counts_on=True,
        reason=reason,
        officer_id=actor.officer_id,
        at=timezone.now(),
    )
    said = {"survivor": str(other.pk), "at": made.at.isoformat()}
    _move(actor, report, "join", Stage(report.stage), f"{other.number}: {reason}", said)
    log(actor, "seizure.led_on", KIND, other.pk, {"report": str(report.pk), "reason": reason})
    return report


@transaction.atomic
def part_seizures(*, actor: Actor, report_id: UUID, reason: str) -> SeizureReport:
    """Take a merge back: the report returns to the stage it had, and counts again as an incident of its own.

    Raises StateChanged for a report that is not merged or joined, NoteRequired, and what a decision raises.
    """
    report = to_decide(actor, report_id, None, *AMENDERS)
    reason = _reason(reason)
    merge = Merge.objects.select_for_update().filter(report=report, undone_at=None).first()
    if merge is None or (report.stage != Stage.MERGED and not merge.counts_on):
        raise StateChanged
    now = timezone.now()
    merge.undone_at, merge.undone_by_id, merge.undone_reason = now, actor.officer_id, reason
    merge.save(update_fields=["undone_at", "undone_by", "undone_reason"])
    report.merged_into = None
    to = Stage(report.stage if merge.counts_on else merge.stage_before)
    _move(actor, report, "part", to, reason, {"at": now.isoformat()})
    return report


@transaction.atomic
def hold_apart(*, actor: Actor, report_id: UUID, other_id: UUID, reason: str) -> None:
    """Say that two reports tell of different seizures; they are not proposed again. Saying it twice changes nothing.

    Raises SameReport, NoteRequired, and what a decision raises about either report.
    """
    report, other = _both(actor, report_id, other_id)
    reason = _reason(reason)
    one, two = sorted((report.pk, other.pk))
    now = timezone.now()
    _, is_new = DistinctPair.objects.get_or_create(
        one_id=one,
        other_id=two,
        defaults={"reason": reason, "officer_id": actor.officer_id, "at": now},
    )
    if is_new:
        said = {"other": str(other.pk), "reason": reason, "at": now.isoformat()}
        log(actor, "seizure.held_apart", KIND, report.pk, said)


def _both(actor: Actor, report_id: UUID, other_id: UUID) -> tuple[SeizureReport, SeizureReport]:
    """Lock two reports in one order, so that two people who do the opposite at once do not wait for each other."""
    if report_id == other_id:
        raise SameReport
    found = {pk: to_decide(actor, pk, None, *AMENDERS) for pk in sorted((report_id, other_id))}
    if len(found) != 2:
        raise NotFound
    return found[report_id], found[other_id]


def _check_standing(report: SeizureReport, other: SeizureReport) -> None:
    """Refuse what was not sent or has ended, and a report of which somebody has said so before."""
    if stages.DRAFT in {report.stage, other.stage} or {report.stage, other.stage} & set(stages.ENDED):
        raise ReportVoided
    if Merge.objects.filter(report=report, undone_at=None).exists():
        raise StateChanged


def _reason(text: str) -> str:
    reason = clean_text(text)[:1000]
    if not reason:
        raise NoteRequired
    return reason


def _move(
    actor: Actor, report: SeizureReport, verb: str, to: Stage, note: str, said: Mapping[str, str]
) -> None:
    """Write the decision at the moment that is told, move the report on, and tell it."""
    held = streams_of(report)
    Decision.objects.create(
        report=report,
        verb=verb,
        from_stage=report.stage,
        to_stage=to,
        version=report.version,
        note=note,
        officer_id=actor.officer_id,
        at=dt.datetime.fromisoformat(said["at"]),
    )
    report.stage = to
    report.rev += 1
    finish(actor, report, CHANGES[verb], held=held, data={"note": note, **said})
