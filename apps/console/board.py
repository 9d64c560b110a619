"""What the board shows besides the figures of `apps.reporting`: chosen period, chart, waiting work, silent phones."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Min, Q
from django.http import QueryDict
from django.utils import timezone

from apps.accounts.models import REPORT_READERS, Device, Role
from apps.common.actor import Actor
from apps.common.text import pick, say
from apps.console.chart import Chart, bars
from apps.console.templatetags.console import number
from apps.inspections.models import REVIEWABLE, InspectionReport
from apps.organisation.queries import subtrees, today
from apps.reporting.queries import Board, Point, board, cut_offs, series
from apps.reporting.rules import MEASURES, Comparison, Figures, Measure, Period, period_of

SILENT_AFTER = dt.timedelta(hours=24)
LONGEST = 3 * 366
CHOICES: Mapping[str, str] = {
    "today": say("Hôm nay", "Today"),
    "7d": say("7 ngày", "7 days"),
    "30d": say("30 ngày", "30 days"),
    "month": say("Tháng này", "This month"),
    "reporting_month": say("Tháng báo cáo", "Reporting month"),
    "year": say("Từ đầu năm", "This year"),
    "reporting_year": say("Năm báo cáo", "Reporting year"),
    "custom": say("Tự chọn", "Custom"),
}


@dataclass(frozen=True)
class Chosen:
    """The period a person asked for; `fault` says why it is another one than asked."""

    code: str
    period: Period
    fault: str = ""


@dataclass(frozen=True)
class Cell:
    """One figure with its change against the previous period, in words."""

    measure: Measure
    value: float | None
    change: str

    @property
    def records(self) -> str:
        """The filters under which the review room lists the reports behind this figure; none for a rate."""
        return {"inspections": "&page=1", "inspections_with_finding": "&outcome=finding"}.get(
            self.measure.code, ""
        )

    @property
    def label(self) -> str:
        """The measure's name."""
        return pick(self.measure.vi, self.measure.en)

    @property
    def definition(self) -> str:
        """What exactly is counted."""
        return pick(self.measure.definition_vi, self.measure.definition_en)


@dataclass(frozen=True)
class Waiting:
    """Reports that wait for a reviewer."""

    count: int = 0
    oldest: dt.datetime | None = None

    def __add__(self, other: Waiting) -> Waiting:
        known = [at for at in (self.oldest, other.oldest) if at]
        return Waiting(self.count + other.count, min(known, default=None))


@dataclass(frozen=True)
class Row:
    """A unit below the chosen one (or what the chosen one did itself) with its cells."""

    unit_id: UUID
    name: str
    code: str
    is_self: bool
    cells: tuple[Cell, ...]
    waiting: Waiting
    silent: int


@dataclass(frozen=True)
class BoardPage:
    """Everything the template needs."""

    board: Board
    chosen: Chosen
    totals: tuple[Cell, ...]
    rows: tuple[Row, ...]
    waiting: Waiting | None
    silent: int | None
    chart: Chart
    points: tuple[Point, ...]
    as_of: dt.datetime


def choose_period(wanted: QueryDict, usual: str = "7d") -> Chosen:
    """Read `period`, `from` and `to` from the address; what cannot be read falls back to seven days, and says so."""
    code, now = wanted.get("period", usual), today()
    if code == "custom":
        return _custom(wanted, now)
    if code in {"month", "reporting_month", "year", "reporting_year"}:
        return Chosen(code, period_of(code, now, cut_offs()))
    days = {"today": 1, "7d": 7, "30d": 30}.get(code)
    if days is None:
        return Chosen("7d", _last(7, now))
    return Chosen(code, _last(days, now))


def board_page(actor: Actor, chosen: Chosen, unit_id: UUID | None) -> BoardPage:
    """Gather the board of a unit. Raises NotFound for a unit whose figures this person may not read."""
    figures = board(actor, chosen.period, unit_id)
    unit = figures.unit.id
    below = subtrees([row.unit.id for row in figures.rows if not row.is_self])
    inside = subtrees([unit])[unit]
    waiting = _waiting(actor, inside) if actor.has_role(*REPORT_READERS) else None
    silent = _silent(actor, inside) if actor.has_role(Role.LEADER, Role.HQ_REVIEWER) else None
    rows = []
    for row in figures.rows:
        if row.is_self and len(figures.rows) > 1 and not (row.figures.inspections or row.before.inspections):
            continue
        members = frozenset({unit}) if row.is_self else below[row.unit.id]
        rows.append(
            Row(
                unit_id=row.unit.id,
                name=row.unit.name,
                code=row.unit.code,
                is_self=row.is_self,
                cells=_cells(row.figures, row.changes),
                waiting=sum((w for u, w in (waiting or {}).items() if u in members), Waiting()),
                silent=len({d for u, devices in (silent or {}).items() if u in members for d in devices}),
            )
        )
    points = tuple(series(actor, chosen.period, unit, step=_step(chosen.period)))
    return BoardPage(
        board=figures,
        chosen=chosen,
        totals=_cells(figures.total, figures.changes),
        rows=tuple(rows),
        waiting=None if waiting is None else sum(waiting.values(), Waiting()),
        silent=None if silent is None else len({d for devices in silent.values() for d in devices}),
        chart=bars(
            [(_short(p.period), p.figures.inspections, p.figures.inspections_with_finding) for p in points]
        ),
        points=points,
        as_of=figures.uncounted_since or timezone.now(),
    )


def change_text(measure: Measure, comparison: Comparison) -> str:
    """Say a change by the rule of dictionary 6.3: no base, a small base without percentage, or both."""
    if comparison.before is None or (comparison.before == 0 and not measure.is_rate):
        return pick("không có kỳ gốc", "no base period")
    if comparison.difference is None:
        return pick("không so sánh được", "not comparable")
    if measure.is_rate:
        return f"{signed(comparison.difference * 100, 1)} {pick('điểm %', 'pp')}"
    text = signed(comparison.difference, 0)
    if comparison.percent is None:
        return text
    return f"{text} ({signed(comparison.percent, 1)} %)"


def _cells(figures: Figures, changes: Mapping[str, Comparison]) -> tuple[Cell, ...]:
    return tuple(Cell(m, m.value(figures), change_text(m, changes[m.code])) for m in MEASURES)


def signed(value: float, places: int) -> str:
    """Write a difference with its sign."""
    text = number(abs(value), places)
    if not float(round(value, places)):
        return f"±{number(0)}"
    return ("+" if value > 0 else "−") + text


def _waiting(actor: Actor, units: Iterable[UUID]) -> dict[UUID, Waiting]:
    rows = (
        InspectionReport.objects.visible_to(actor)
        .filter(state__in=REVIEWABLE, unit_id__in=list(units))
        .order_by()
        .values("unit_id")
        .annotate(n=Count("pk"), oldest=Min("submitted_at"))
    )
    return {row["unit_id"]: Waiting(row["n"], row["oldest"]) for row in rows}


def _silent(actor: Actor, units: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Give the phones in use of the officers now posted in the units that have not been heard for a day."""
    now = timezone.now()
    posted = {
        f"officer__postings__{k}": v for k, v in {"valid_from__lte": now, "unit_id__in": list(units)}.items()
    }
    open_end = Q(officer__postings__valid_to__isnull=True) | Q(officer__postings__valid_to__gt=now)
    quiet = Q(last_seen_at__lt=now - SILENT_AFTER) | Q(
        last_seen_at__isnull=True, enrolled_at__lt=now - SILENT_AFTER
    )
    found: dict[UUID, set[UUID]] = defaultdict(set)
    rows = (
        Device.objects.visible_to(actor).filter(quiet, state=Device.State.ENROLLED).filter(open_end, **posted)
    )
    for device, unit in rows.values_list("pk", "officer__postings__unit_id"):
        found[unit].add(device)
    return found


def _last(days: int, now: dt.date) -> Period:
    return Period(now - dt.timedelta(days=days - 1), now)


def _custom(wanted: QueryDict, now: dt.date) -> Chosen:
    fault = ""
    try:
        period = Period(
            dt.date.fromisoformat(wanted.get("from", "")),
            dt.date.fromisoformat(wanted.get("to", "") or str(now)),
        )
        if period.days > LONGEST or not dt.date(2000, 1, 1) <= period.first <= period.last <= dt.date(
            2200, 1, 1
        ):
            fault = pick("Kỳ dài nhất là ba năm.", "A period is at most three years long.")
    except ValueError:
        period = _last(7, now)
        fault = pick(
            "Ngày chưa đúng: cần ngày bắt đầu, và ngày kết thúc không trước ngày bắt đầu.",
            "Check the dates: a first day is needed, and the last day is not before it.",
        )
    return Chosen("custom", _last(7, now) if fault else period, fault)


def _step(period: Period) -> str:
    if period.days <= 62:
        return "day"
    return "week" if period.days <= 400 else "month"


def _short(period: Period) -> str:
    return pick(f"{period.first:%d/%m}", f"{period.first.day} {period.first:%b}")
