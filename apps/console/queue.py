"""The review queue: filters from the address, the order of work, what comes before and after a report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict

from apps.accounts.models import REPORT_READERS
from apps.checklists.models import AppliesTo
from apps.common.actor import Actor
from apps.common.text import say
from apps.inspections.models import REVIEWABLE, InspectionReport, Outcome, State
from apps.organisation.models import Level, Unit
from apps.organisation.queries import lines_of_command, names, subtrees, today
from apps.reporting.queries import reports_behind
from apps.reporting.rules import Period

FIRST_DAY = dt.date(2000, 1, 1)
ANY = ("", say("Tất cả", "All"))
WAITING, COUNTED = "waiting", "counted"


class QueueFilter(forms.Form):
    """Filters of the queue; every one is a parameter of the address, so that a view can be kept as a link."""

    state = forms.ChoiceField(required=False, label=say("Trạng thái", "State"))
    unit = forms.ChoiceField(required=False, label=say("Đơn vị", "Unit"))
    type = forms.ChoiceField(required=False, label=say("Loại kiểm tra", "Type"))
    outcome = forms.ChoiceField(required=False, label=say("Kết quả", "Outcome"))
    since = forms.DateField(
        required=False,
        label=say("Từ ngày", "From"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        required=False,
        label=say("Đến ngày", "To"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    q = forms.CharField(required=False, max_length=60, label=say("Số báo cáo", "Number"))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        self._choices("state", [(WAITING, say("Đang chờ soát xét", "Waiting for review")), *_states()])
        self._choices("unit", [ANY, *units_in_reach(actor)])
        self._choices("type", [ANY, *AppliesTo.choices])
        self._choices("outcome", [ANY, *Outcome.choices])

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = choices

    def chosen(self) -> dict[str, Any]:
        """Give what is valid of the filters; a filter that cannot be read does not filter."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


@dataclass(frozen=True)
class Neighbours:
    """What stands before and after a report in the queue, and how many it holds."""

    previous: UUID | None
    next: UUID | None
    count: int


def queue(actor: Actor, filters: QueueFilter) -> QuerySet[InspectionReport]:
    """Give the reports that match, the one that has waited longest first."""
    wanted = filters.chosen()
    reports = InspectionReport.objects.visible_to(actor).filter(is_draft=False)
    reports = reports.filter(unit_id__in=list(actor.reach_of(*REPORT_READERS)))
    state = wanted.get("state") or WAITING
    if state == WAITING:
        reports = reports.filter(state__in=REVIEWABLE)
    elif state == COUNTED:
        return _behind(actor, wanted)
    elif state != "all":
        reports = reports.filter(state=state)
    if "unit" in wanted:
        unit = UUID(wanted["unit"])
        reports = reports.filter(unit_id__in=list(subtrees([unit])[unit]))
    for name in ("type", "outcome"):
        if name in wanted:
            reports = reports.filter(**{name: wanted[name]})
    if "q" in wanted:
        reports = reports.filter(number__icontains=wanted["q"])
    return reports.filter(_days(wanted.get("since"), wanted.get("until"))).order_by("submitted_at", "id")


def neighbours(reports: QuerySet[InspectionReport], report: InspectionReport) -> Neighbours:
    """Find the reports before and after one, by the time of submission."""
    at = report.submitted_at
    later = Q(submitted_at__gt=at) | Q(submitted_at=at, pk__gt=report.pk)
    earlier = Q(submitted_at__lt=at) | Q(submitted_at=at, pk__lt=report.pk)
    following = reports.filter(later).values_list("pk", flat=True).first()
    before = reports.filter(earlier).order_by("-submitted_at", "-id").values_list("pk", flat=True).first()
    return Neighbours(before, following, reports.count())


def following(reports: QuerySet[InspectionReport], report: InspectionReport) -> UUID | None:
    """Give the report to open after a decision: the next one, else the first that still waits."""
    found = neighbours(reports.exclude(pk=report.pk), report)
    return found.next or found.previous


def filter_query(parameters: QueryDict) -> str:
    """Give the filters of the address, without the page, as a query string to carry along."""
    kept = parameters.copy()
    for name in [*kept]:
        if name not in QueueFilter.base_fields or not kept[name]:
            kept.pop(name, None)
    return f"?{kept.urlencode()}" if kept else ""


def units_in_reach(actor: Actor) -> list[tuple[str, str]]:
    """List the units whose reports this person reads, indented by their place in the tree."""
    reach = actor.reach_of(*REPORT_READERS)
    called, lines = names(reach), lines_of_command(reach)
    rows = Unit.objects.visible_to(actor).filter(pk__in=list(reach)).exclude(level=Level.PARTNER)
    codes = {u.pk: u.code for u in rows}
    tops = {u: [x for x in reversed(lines[u]) if x in codes] for u in codes}
    ordered = sorted(codes, key=lambda u: [codes[x] for x in tops[u]])
    return [(str(u), "\u2003" * (len(tops[u]) - 1) + called.get(u, codes[u])) for u in ordered]


def _states() -> list[tuple[str, Any]]:
    shown = [choice for choice in State.choices if choice[0] != State.LOCAL_DRAFT]
    counted = (COUNTED, say("Được tính vào số liệu", "Counted in the figures"))
    return [*shown, counted, ("all", say("Mọi trạng thái", "Every state"))]


def _behind(actor: Actor, wanted: Mapping[str, Any]) -> QuerySet[InspectionReport]:
    """Give exactly the reports that a figure of the board counts, by the tree of each day."""
    since = wanted.get("since") or FIRST_DAY
    period = Period(since, max(wanted.get("until") or today(), since))
    unit = UUID(wanted["unit"]) if "unit" in wanted else None
    reports = reports_behind(actor, period, unit)
    picked = {name: wanted[name] for name in ("type", "outcome") if name in wanted}
    return reports.filter(unit_id__in=list(actor.reach_of(*REPORT_READERS)), **picked).order_by(
        "submitted_at", "id"
    )


def _days(since: dt.date | None, until: dt.date | None) -> Q:
    days = Q()
    if since:
        days &= Q(occurred_on__gte=since)
    if until:
        days &= Q(occurred_on__lte=until)
    return days
