"""Pure definitions: the named measures, the sums they are made of, periods, and how two figures are compared.

docs/figures.md says the same in prose. No database, no clock: dates and sums come in, figures go out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

FINDING = "finding"
# Reports that go with inspections but are none: counting them would count one deed twice.
SUPPORT_TYPES = ("equipment", "canine", "finding", "handover")
PERIODS = ("day", "week", "month", "quarter", "year", "reporting_month", "reporting_year")
STEPS = ("day", "week", "month")
# Below this base a percentage says more than the numbers can carry (dictionary 6.3).
SMALLEST_BASE = 5


@dataclass(frozen=True)
class Figures:
    """Sums over a set of counted inspections; every measure is a function of these four numbers."""

    inspections: int = 0
    inspections_with_finding: int = 0
    required_steps: int = 0
    answered_steps: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.inspections + other.inspections,
            self.inspections_with_finding + other.inspections_with_finding,
            self.required_steps + other.required_steps,
            self.answered_steps + other.answered_steps,
        )

    @property
    def hit_rate(self) -> float | None:
        """Give inspections with a finding per inspection; nothing inspected has no rate."""
        return self.inspections_with_finding / self.inspections if self.inspections else None

    @property
    def checklist_compliance(self) -> float | None:
        """Give required steps answered per required step; nothing required has no rate."""
        return self.answered_steps / self.required_steps if self.required_steps else None


@dataclass(frozen=True)
class Measure:
    """A figure with a name and the text of its definition in both languages; `is_rate` is shown in percent."""

    code: str
    vi: str
    en: str
    definition_vi: str
    definition_en: str
    value: Callable[[Figures], float | None]
    is_rate: bool = False


MEASURES: tuple[Measure, ...] = (
    Measure(
        "inspections",
        "Lượt kiểm tra",
        "Inspections",
        "Số báo cáo kiểm tra đã nhận có ngày kiểm tra trong kỳ, kể cả báo cáo đang chờ ảnh, đang soát xét hoặc bị trả "
        "lại; không tính bản nháp, báo cáo đã hủy, báo cáo giới hạn theo danh sách, và các báo cáo đi kèm (thiết bị, "
        "chó nghiệp vụ, xử lý khi phát hiện nghi ma túy, bàn giao tang vật).",
        "Received inspection reports whose day of inspection lies in the period, also while they wait for photos, are "
        "under review or were returned; without drafts, voided reports, reports held in a compartment, and reports "
        "that accompany inspections (equipment, dog team, suspected find, hand-over).",
        lambda f: f.inspections,
    ),
    Measure(
        "inspections_with_finding",
        "Lượt phát hiện vi phạm",
        "Inspections with a finding",
        "Số lượt kiểm tra (theo định nghĩa trên) có kết quả “Phát hiện vi phạm”. “Chuyển kiểm tra sâu” và “Nghi vấn, "
        "theo dõi” chưa phải là phát hiện.",
        "Inspections (as defined) whose outcome is “Finding”. “Referred” and “Suspicion open” are not findings yet.",
        lambda f: f.inspections_with_finding,
    ),
    Measure(
        "hit_rate",
        "Tỷ lệ phát hiện",
        "Hit rate",
        "Lượt phát hiện vi phạm chia cho lượt kiểm tra; kỳ không có lượt kiểm tra thì không có tỷ lệ.",
        "Inspections with a finding divided by inspections; a period without inspections has no rate.",
        lambda f: f.hit_rate,
        is_rate=True,
    ),
    Measure(
        "checklist_compliance",
        "Mức tuân thủ quy trình",
        "Checklist compliance",
        "Số bước bắt buộc đã trả lời chia cho số bước bắt buộc, cộng trên mọi lượt kiểm tra trong kỳ. Bước được đánh "
        "dấu không áp dụng có nêu lý do được tính là đã trả lời.",
        "Required steps answered divided by required steps, summed over all inspections of the period. A step marked "
        "not applicable with a reason counts as answered.",
        lambda f: f.checklist_compliance,
        is_rate=True,
    ),
)


@dataclass(frozen=True)
class Comparison:
    """How a figure stands against its base: `percent` is missing where the base is zero or too small to carry one."""

    before: float | None
    difference: float | None
    percent: float | None


def compare(now: float | None, before: float | None, base: int) -> Comparison:
    """Compare two values; `base` is the number of inspections (or findings) that the earlier value stands on."""
    if now is None or before is None:
        return Comparison(before, None, None)
    percent = (now - before) / before * 100 if before and base >= SMALLEST_BASE else None
    return Comparison(before, now - before, percent)


def comparisons(now: Figures, before: Figures) -> dict[str, Comparison]:
    """Compare every measure of two periods, by code; a count stands on itself, a rate on what it divides by."""
    base = {
        "inspections": before.inspections,
        "inspections_with_finding": before.inspections_with_finding,
        "hit_rate": before.inspections,
        "checklist_compliance": before.required_steps,
    }
    return {m.code: compare(m.value(now), m.value(before), base[m.code]) for m in MEASURES}


@dataclass(frozen=True, order=True)
class Period:
    """A range of days in Vietnam, both ends included; printed beside every figure."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("a period ends on or after the day it starts")

    @property
    def days(self) -> int:
        """Count the days."""
        return (self.last - self.first).days + 1

    @property
    def previous(self) -> Period:
        """Give the period of the same length that ends the day before this one starts."""
        length = dt.timedelta(days=self.days)
        return Period(self.first - length, self.last - length)

    @property
    def year_before(self) -> Period:
        """Give the same days of the year before; 29 February becomes the 28th."""
        return Period(_year_back(self.first), _year_back(self.last))

    def cut_at(self, starts: Sequence[dt.date]) -> list[Period]:
        """Split into consecutive parts so that each of the days that lies inside starts a part."""
        firsts = sorted({self.first, *(day for day in starts if self.first < day <= self.last)})
        lasts = [day - dt.timedelta(days=1) for day in firsts[1:]] + [self.last]
        return [Period(first, last) for first, last in zip(firsts, lasts, strict=True)]

    def steps(self, step: str) -> list[Period]:
        """Split into days, weeks (from Monday) or calendar months; the outer ones may be incomplete."""
        return self.cut_at([day for day in self._each_day() if _starts_step(day, step)])

    def _each_day(self) -> Iterator[dt.date]:
        return (self.first + dt.timedelta(days=i) for i in range(self.days))


@dataclass(frozen=True)
class CutOff:
    """From `valid_from` on, a reporting month ends on `day` and the next one starts the day after (dictionary 6.2)."""

    valid_from: dt.date
    day: int


def period_of(kind: str, today: dt.date, cut_offs: Sequence[CutOff] = ()) -> Period:
    """Give the period of this kind that holds `today`, up to today.

    `reporting_month` and `reporting_year` follow the service's calendar: a month from one cut-off to the next, a year
    from the start of its January. Without a cut-off in force they are calendar months and years.
    """
    month = today.replace(day=1)
    first = {
        "day": lambda: today,
        "week": lambda: today - dt.timedelta(days=today.weekday()),
        "month": lambda: month,
        "quarter": lambda: month.replace(month=(today.month - 1) // 3 * 3 + 1),
        "year": lambda: month.replace(month=1),
        "reporting_month": lambda: _month_start(_reporting_month(today, cut_offs), cut_offs),
        "reporting_year": lambda: _month_start(_reporting_month(today, cut_offs).replace(month=1), cut_offs),
    }[kind]()
    return Period(first, today)


def _starts_step(day: dt.date, step: str) -> bool:
    return step == "day" or (step == "week" and day.weekday() == 0) or (step == "month" and day.day == 1)


def _year_back(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _next_month(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=32)).replace(day=1)


def _month_end(month: dt.date, cut_offs: Sequence[CutOff]) -> dt.date:
    """Give the last day of the reporting month named after the calendar month that starts on `month`."""
    last = _next_month(month) - dt.timedelta(days=1)
    in_force = max((c for c in cut_offs if c.valid_from <= month), key=lambda c: c.valid_from, default=None)
    return last if in_force is None else last.replace(day=min(in_force.day, last.day))


def _month_start(month: dt.date, cut_offs: Sequence[CutOff]) -> dt.date:
    before = (month - dt.timedelta(days=1)).replace(day=1)
    return _month_end(before, cut_offs) + dt.timedelta(days=1)


def _reporting_month(today: dt.date, cut_offs: Sequence[CutOff]) -> dt.date:
    month = today.replace(day=1)
    return month if today <= _month_end(month, cut_offs) else _next_month(month)
