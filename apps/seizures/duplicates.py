"""Reads about reports that may tell of one seizure: candidates for a person to judge, among what that person sees."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.common.actor import Actor
from apps.inspections.rules import parse_time
from apps.seizures.models import DistinctPair, Merge, ReportNumber, SeizureReport, SeizureReportQuerySet
from apps.seizures.rules.duplicates import TELLING, Facts, alike, is_telling, neighbours
from apps.seizures.rules.stages import ENDED

MOST = 20


@dataclass(frozen=True)
class Candidate:
    """Another report that may tell of the same seizure, and why."""

    report: SeizureReport
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """Two reports that may tell of the same seizure, the older first."""

    older: SeizureReport
    newer: SeizureReport
    reasons: tuple[str, ...]


def candidates(actor: Actor, report: SeizureReport) -> list[Candidate]:
    """Give the reports that may tell of the seizure of this one; what a person held apart is not asked again.

    Reports of one incident are no candidates: an expansion belongs to it and is counted with it.
    """
    if report.stage in ENDED or report.occurred_on is None:
        return []
    day = dt.timedelta(days=1)
    near = Q(occurred_on__range=(report.occurred_on - day, report.occurred_on + day))
    spellings = [n.normalised for n in _telling([report.pk])[report.pk]]
    shared = Q(pk__in=ReportNumber.objects.filter(normalised__in=spellings).values("report_id"))
    others = _standing(actor).filter(near | shared).exclude(incident_id=report.incident_id)
    others = others.exclude(pk__in=[*_held_apart(report.pk), *_joined(report.pk)])
    facts = facts_of([report, *others])
    found = [Candidate(other, tuple(alike(facts[report.pk], facts[other.pk]))) for other in others]
    return [candidate for candidate in found if candidate.reasons][:MOST]


def open_pairs(actor: Actor, since: dt.date) -> list[Pair]:
    """Give the pairs of reports since a day that nobody has judged yet, the newest first."""
    reports = list(_standing(actor).filter(occurred_on__gte=since).order_by("received_at", "pk"))
    facts = facts_of(reports)
    apart = {frozenset(pair) for pair in DistinctPair.objects.values_list("one_id", "other_id")}
    apart |= {frozenset(pair) for pair in _joins().values_list("report_id", "survivor_id")}
    found = []
    for i, j in neighbours([facts[report.pk] for report in reports]):
        older, newer = reports[i], reports[j]
        if older.incident_id != newer.incident_id and frozenset({older.pk, newer.pk}) not in apart:
            reasons = alike(facts[older.pk], facts[newer.pk])
            found += [Pair(older, newer, tuple(reasons))] if reasons else []
    return found[::-1]


def facts_of(reports: Iterable[SeizureReport]) -> dict[UUID, Facts]:
    """Give what is compared of each report."""
    several = {report.pk: report for report in reports}
    numbers = _telling(several)
    return {
        pk: Facts(
            numbers=frozenset((n.kind, n.normalised) for n in numbers[pk]),
            moment=parse_time(report.fields.get("detected_on_device_at")),
            place=str(report.fields.get("place") or ""),
            units=frozenset(
                {str(report.unit_id)}
                | {p["unit"] for p in report.fields.get("participations") or () if p["unit"]}
            ),
            lines=tuple(report.measured),
        )
        for pk, report in several.items()
    }


def _telling(reports: Iterable[UUID]) -> dict[UUID, list[ReportNumber]]:
    found: dict[UUID, list[ReportNumber]] = defaultdict(list)
    for number in ReportNumber.objects.filter(report__in=list(reports), kind__in=TELLING):
        if is_telling(number.kind, number.normalised):
            found[number.report_id].append(number)
    return found


def _standing(actor: Actor) -> SeizureReportQuerySet:
    return SeizureReport.objects.visible_to(actor).filter(is_draft=False).exclude(stage__in=ENDED)


def _joins() -> QuerySet[Merge]:
    """Give the reports that were joined with what led to them and are still."""
    return Merge.objects.filter(counts_on=True, undone_at=None)


def _joined(report: UUID) -> list[UUID]:
    pairs = _joins().filter(Q(report=report) | Q(survivor=report)).values_list("report_id", "survivor_id")
    return [other if one == report else one for one, other in pairs]


def _held_apart(report: UUID) -> list[UUID]:
    pairs = DistinctPair.objects.filter(Q(one_id=report) | Q(other_id=report))
    return [other if one == report else one for one, other in pairs.values_list("one_id", "other_id")]
