"""Writing down an exhibit of a seizure, and taking a sample from one: the first event of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Max

from apps.accounts.models import Role
from apps.changes.actions import record
from apps.common.actor import Actor, Post
from apps.common.errors import ExistsDifferent, InvalidFields, NotAllowed, NotFound
from apps.common.text import clean_values
from apps.common.transactions import transactional
from apps.custody.actions.common import Done, append, check_free, check_seen, hand_of, locked, post_at
from apps.custody.models import CustodyEvent, Exhibit
from apps.custody.queries import body, streams_of
from apps.custody.rules import moves
from apps.custody.rules.forms import (
    EVENT,
    EXHIBIT,
    SAMPLE,
    amount,
    missing,
    problem,
    read_exhibit,
    read_fields,
    remaining,
    witness_faults,
)
from apps.inspections.errors import ReportVoided, StateChanged
from apps.seizures.actions.editing import may_edit
from apps.seizures.models import SeizureReport
from apps.seizures.rules import stages

_AMOUNTS = ("gross_mass_g", "net_mass_g", "volume_ml")
_COLUMNS = (
    "mark",
    "description",
    "packages",
    "gross_mass_g",
    "net_mass_g",
    "volume_ml",
    "count",
    "count_unit",
)


@transactional
def record_exhibit(*, actor: Actor, exhibit_id: UUID, fields: Mapping[str, Any]) -> Done:
    """Write down a package of a seizure that was reported, by those who work on the report or lead its unit.

    It gets the next number of the report; who writes it down holds it. The same content again changes nothing.
    Raises InvalidFields, NotFound, NotAllowed, ReportVoided, ExistsDifferent; StateChanged once the seizure is closed.
    """
    fields = clean_values(fields)
    said, problems = read_exhibit(fields)
    more, faults = read_fields(fields, EVENT)
    if problems or faults:
        raise InvalidFields(errors=[*problems, *faults])
    report = _report(actor, UUID(said["report"]))
    known = Exhibit.objects.filter(pk=exhibit_id).first()
    if known is not None:
        if known.report_id != report.pk:
            raise NotFound
        return _again(known, said, EXHIBIT)
    if report.stage in stages.ENDED:
        raise ReportVoided
    if report.stage == stages.CLOSED:
        raise StateChanged
    if said["mark"] not in report.lines:
        raise InvalidFields(errors=[problem("mark", "no-line")])
    post = _post(actor, report)
    exhibit = _new(exhibit_id, report, said)
    exhibit.unit_id, exhibit.holder_id, exhibit.posting_id = report.unit_id, actor.person, post.posting_id
    item = append(actor, exhibit, "recorded", {**said, **more})
    record(actor, item)
    return Done(exhibit)


@transactional
def take_sample(
    *, actor: Actor, exhibit_id: UUID, base_rev: int | None, sample_id: UUID, fields: Mapping[str, Any]
) -> Done:
    """Take a sample from an opened exhibit, before witnesses: it is an exhibit of its own, and less is left.

    For reference or training a decision is needed. Gives the sample. Raises InvalidFields, NotFound, NotHolder,
    ExistsDifferent, ExhibitStopped, OfferOpen, ExhibitMovedOn, CustodyStep.
    """
    fields = clean_values(fields)
    exhibit = locked(actor, exhibit_id)
    post = hand_of(actor, exhibit)
    said, problems = read_fields(fields, {**EVENT, **SAMPLE, "description": "text 1000"})
    known = Exhibit.objects.filter(pk=sample_id).first()
    if known is not None:
        if known.parent_id != exhibit.pk:
            raise NotFound
        return _again(known, said, SAMPLE)
    check_free(exhibit)
    check_seen(actor, exhibit, base_rev)
    exhibit.state = moves.next_state("sampled", exhibit.state)
    problems += missing(said, ("sample_purpose", "description"))
    problems += witness_faults(said)
    if said.get("sample_purpose") in {"reference", "training"}:
        problems += missing(said, ("decision_number",))
    left, faults = remaining(
        {key: getattr(exhibit, key) for key in ("gross_mass_g", "net_mass_g", "volume_ml", "count")}, said
    )
    if problems or faults:
        raise InvalidFields(errors=[*problems, *faults])
    held = streams_of(exhibit)
    for key, value in left.items():
        setattr(exhibit, key, int(value) if key == "count" else value)
    taken = {
        "mark": exhibit.mark,
        "description": said["description"],
        "gross_mass_g": said.get("taken_mass_g"),
        "net_mass_g": said.get("taken_mass_g"),
        "volume_ml": said.get("taken_volume_ml"),
        "count": said.get("taken_count"),
        "count_unit": exhibit.count_unit if said.get("taken_count") else None,
    }
    items = [append(actor, exhibit, "sampled", {**said, "sample": str(sample_id)}, held=held)]
    report = SeizureReport.objects.select_for_update(of=("self",)).get(pk=exhibit.report_id)
    sample = _new(sample_id, report, taken)
    sample.parent = exhibit
    sample.unit_id, sample.holder_id, sample.posting_id = exhibit.unit_id, actor.person, post.posting_id
    items.append(append(actor, sample, "recorded", {**said, "taken_from": str(exhibit.pk)}))
    record(actor, *items)
    return Done(sample)


def _again(known: Exhibit, said: Mapping[str, Any], names: Iterable[str]) -> Done:
    """Answer what is written down once more by what was said the first time. Raises ExistsDifferent."""
    first = CustodyEvent.objects.get(exhibit=known, seq=1).said["said"]
    if any(first.get(name) != said.get(name) for name in (*names, "description")):
        raise ExistsDifferent(current=body(known))
    return Done(known)


def _report(actor: Actor, report_id: UUID) -> SeizureReport:
    """Lock a report that was sent, so that numbers are given one after the other."""
    if not SeizureReport.objects.visible_to(actor).filter(pk=report_id, is_draft=False).exists():
        raise NotFound
    rows = SeizureReport.objects.select_for_update(of=("self",)).select_related("posting")
    return rows.get(pk=report_id)


def _post(actor: Actor, report: SeizureReport) -> Post:
    post = post_at(actor, report.unit_id)
    if post is None or not (may_edit(actor, report) or report.unit_id in actor.reach_of(Role.LEADER)):
        raise NotAllowed
    return post


def _new(pk: UUID, report: SeizureReport, said: Mapping[str, Any]) -> Exhibit:
    """Give an exhibit with the next number of its locked report; the caller says in whose hand it is."""
    last = Exhibit.objects.filter(report=report).aggregate(last=Max("number"))["last"]
    values = {key: said[key] for key in _COLUMNS if said.get(key)}
    values |= {key: amount(values[key]) for key in _AMOUNTS if key in values}
    return Exhibit(id=pk, report=report, number=(last or 0) + 1, **values)
