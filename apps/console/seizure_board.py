"""The board of seizures in words: the figures of `apps.reporting`, tables by substance, what came in late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone

from apps.accounts.models import REPORT_READERS
from apps.common.actor import Actor
from apps.common.text import pick
from apps.console.board import Chosen, signed
from apps.console.queue import FIRST_DAY
from apps.console.seizure_splits import Split, splits
from apps.console.templatetags.console import number
from apps.custody.models import ExhibitState, Stop
from apps.inspections.models import Mode
from apps.organisation.models import Force
from apps.organisation.queries import today
from apps.reference.queries import label, substances
from apps.reporting.queries import Amendment, SeizureBoard, amendments, seizure_board
from apps.reporting.queries.seizure_board import end_of
from apps.reporting.rules import (
    SEIZURE_MEASURES,
    Comparison,
    Seized,
    SeizureMeasure,
    Thing,
    seizure_comparisons,
)

LATE_SHOWN = 50


@dataclass(frozen=True)
class AsOf:
    """The day as of whose end a person asked for the figures; `fault` says why it is now instead."""

    day: dt.date | None = None
    fault: str = ""

    @property
    def moment(self) -> dt.datetime | None:
        """The moment to read, None for now."""
        return end_of(self.day) if self.day else None


@dataclass(frozen=True)
class Figure:
    """One measure in words: now, in the period before (with what came in late for it), a year before."""

    measure: SeizureMeasure
    value: str
    change: str
    before: str
    late: str
    late_before: str
    year_before: str
    year_change: str

    @property
    def label(self) -> str:
        """The measure's name."""
        return pick(self.measure.vi, self.measure.en)

    @property
    def definition(self) -> str:
        """What exactly is counted."""
        return pick(self.measure.definition_vi, self.measure.definition_en)


@dataclass
class SubstanceRow:
    """What was seized of one substance; masses by their basis, counts by their unit."""

    name: str
    grams: dict[str, Decimal] = field(default_factory=dict)
    millilitres: Decimal = Decimal(0)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def kilograms(self) -> str:
        """All grams, in kilograms with three decimals; a dash without any."""
        return number(sum(self.grams.values(), Decimal(0)) / 1000, 3) if self.grams else "–"

    @property
    def volume(self) -> str:
        """The millilitres."""
        return number(self.millilitres) if self.millilitres else "–"

    @property
    def count(self) -> str:
        """The counts, each with its unit."""
        return (
            " · ".join(f"{number(n)} {label('count_unit', unit)}" for unit, n in sorted(self.counts.items()))
            or "–"
        )

    @property
    def bases(self) -> str:
        """How the grams were measured, the best basis first."""
        found = [(code, self.grams[code]) for code in _BASES if code in self.grams]
        if len(found) == 1:
            return label("measure_basis", found[0][0])
        return "; ".join(f"{label('measure_basis', code)} {number(g / 1000, 3)}" for code, g in found)


_BASES = ("lab_net", "scale_net", "scale_gross")


@dataclass(frozen=True)
class UnitRow:
    """A unit below the chosen one (or the chosen one itself) with its figures in words."""

    unit_id: UUID
    code: str
    name: str
    is_self: bool
    figures: tuple[Figure, ...]
    custody: tuple[Figure, ...]


@dataclass(frozen=True)
class Late:
    """A report whose figures of the period changed after its end, in words."""

    report_id: UUID
    number: str
    at: dt.datetime
    changes: tuple[str, ...]


@dataclass(frozen=True)
class SeizurePage:
    """Everything the template needs."""

    board: SeizureBoard
    chosen: Chosen
    as_of: AsOf
    counted_to: dt.datetime
    totals: tuple[Figure, ...]
    rows: tuple[UnitRow, ...]
    drugs: tuple[SubstanceRow, ...]
    drugs_total: SubstanceRow
    precursors: tuple[SubstanceRow, ...]
    precursors_total: SubstanceRow
    drugs_by_group: tuple[SubstanceRow, ...]
    drugs_by_form: tuple[SubstanceRow, ...]
    splits: tuple[Split, ...]
    forces: tuple[tuple[str, int], ...]
    modes: tuple[tuple[str, int], ...]
    held: tuple[tuple[str, int], ...]
    stops: tuple[tuple[str, int], ...]
    late: tuple[Late, ...]
    reads_reports: bool


def choose_as_of(wanted: QueryDict) -> AsOf:
    """Read `as_of` from the address: figures as they stood at the end of that day; a day that is not over is now."""
    text = wanted.get("as_of", "")
    if not text:
        return AsOf()
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = dt.date.min
    if day < FIRST_DAY:
        return AsOf(fault=pick("Ngày xem lại số liệu chưa đúng.", "That day cannot be read."))
    return AsOf(day) if day < today() else AsOf()


def seizure_page(actor: Actor, chosen: Chosen, as_of: AsOf, unit_id: UUID | None) -> SeizurePage:
    """Gather the board of seizures of a unit. Raises NotFound for one whose figures this person may not read."""
    board = seizure_board(actor, chosen.period, unit_id, as_of=as_of.moment)
    reads = actor.has_role(*REPORT_READERS)
    shown = as_of.moment is None and board.at_close is not None and reads
    late = amendments(actor, chosen.period, board.unit.id)[:LATE_SHOWN] if shown else []
    rows = [
        row
        for row in board.rows
        if not (row.is_self and len(board.rows) > 1 and row.figures == row.before == Seized())
    ]
    called = {key: pick(s.vi, s.en) for key, s in substances().items()}
    drugs, precursors = (
        _table(board.total, lambda thing: called.get(thing.substance, thing.substance), precursors=p)
        for p in (False, True)
    )
    return SeizurePage(
        board=board,
        chosen=chosen,
        as_of=as_of,
        counted_to=as_of.moment or board.uncounted_since or timezone.now(),
        totals=tuple(_figure(m, board) for m in SEIZURE_MEASURES),
        rows=tuple(
            UnitRow(
                row.unit.id,
                row.unit.code,
                row.unit.name,
                row.is_self,
                tuple(_of_row(m, row.figures, row.changes) for m in _shown_by_unit()),
                tuple(_of_row(m, row.figures, row.changes) for m in _CUSTODY),
            )
            for row in rows
        ),
        drugs=tuple(drugs),
        drugs_total=_sum(drugs),
        precursors=tuple(precursors),
        precursors_total=_sum(precursors),
        drugs_by_group=tuple(_table(board.total, lambda t: label("report_group", t.group), precursors=False)),
        drugs_by_form=tuple(_table(board.total, _form, precursors=False)),
        splits=splits(board.total),
        forces=_split(board.total.forces, dict(Force.choices)),
        modes=_split(board.total.modes, dict(Mode.choices)),
        held=_split(board.total.held, dict(ExhibitState.choices)),
        stops=_split(board.total.stops, dict(Stop.choices)),
        late=tuple(_late(amendment) for amendment in late),
        reads_reports=reads,
    )


def written(measure: SeizureMeasure, figures: Seized) -> str:
    """Write the value of a measure with its unit."""
    return f"{number(measure.value(figures), measure.places)} {measure.unit}".strip()


def change_text(measure: SeizureMeasure, comparison: Comparison) -> str:
    """Say a change by the rule of dictionary 6.3: no base, a small base without percentage, or both."""
    if not comparison.before or comparison.difference is None:
        return pick("không có kỳ gốc", "no base period")
    text = f"{signed(comparison.difference, measure.places)} {measure.unit}".strip()
    return text if comparison.percent is None else f"{text} ({signed(comparison.percent, 1)} %)"


def _shown_by_unit() -> tuple[SeizureMeasure, ...]:
    wanted = {
        "incidents",
        "incidents_customs_lead",
        "unit_participated",
        "persons_arrested",
        "drug_mass_kg",
        "drug_count_tablet",
        "precursor_mass_kg",
    }
    return tuple(m for m in SEIZURE_MEASURES if m.code in wanted)


_CUSTODY = tuple(m for m in SEIZURE_MEASURES if m.code in {"custody_open", "custody_exceptions"})


def _figure(measure: SeizureMeasure, board: SeizureBoard) -> Figure:
    now = board.total
    return Figure(
        measure=measure,
        value=written(measure, now),
        change=change_text(measure, seizure_comparisons(now, board.before)[measure.code]),
        before=written(measure, board.before),
        late=_came_late(measure, now, board.at_close),
        late_before=_came_late(measure, board.before, board.before_at_close),
        year_before=written(measure, board.year_before),
        year_change=change_text(measure, seizure_comparisons(now, board.year_before)[measure.code]),
    )


def _of_row(measure: SeizureMeasure, figures: Seized, changes: Mapping[str, Comparison]) -> Figure:
    """Give a unit's figure; a change is told where there is something in either period."""
    told = changes[measure.code]
    change = change_text(measure, told) if told.before or measure.value(figures) else ""
    return Figure(measure, written(measure, figures), change, "", "", "", "", "")


def _came_late(measure: SeizureMeasure, now: Seized, at_close: Seized | None) -> str:
    """Give what a period gained or lost after it had ended; a dash while it runs."""
    if at_close is None:
        return "–"
    difference = float(measure.value(now) - measure.value(at_close))
    return f"{signed(difference, measure.places)} {measure.unit}".strip() if difference else "0"


def _form(thing: Thing) -> str:
    return label("form", thing.form) if thing.form else pick("Chưa rõ", "Not known")


def _table(figures: Seized, called: Callable[[Thing], str], *, precursors: bool) -> list[SubstanceRow]:
    """Add up the drugs (or the precursors) by what they are called."""
    rows: dict[str, SubstanceRow] = {}

    def row(thing: Thing) -> SubstanceRow:
        return rows.setdefault(name := called(thing), SubstanceRow(name))

    for thing, grams in figures.mass_g.items():
        if thing.is_precursor == precursors:
            of = row(thing).grams
            of[thing.basis] = of.get(thing.basis, Decimal(0)) + grams
    for thing, volume in figures.volume_ml.items():
        if thing.is_precursor == precursors:
            row(thing).millilitres += volume
    for (thing, unit), n in figures.counts.items():
        if thing.is_precursor == precursors:
            counts = row(thing).counts
            counts[unit] = counts.get(unit, 0) + n
    return sorted(rows.values(), key=lambda r: (-sum(r.grams.values(), Decimal(0)), r.name))


def _sum(rows: list[SubstanceRow]) -> SubstanceRow:
    total = SubstanceRow(pick("Tổng", "Total"))
    for row in rows:
        for basis, grams in row.grams.items():
            total.grams[basis] = total.grams.get(basis, Decimal(0)) + grams
        total.millilitres += row.millilitres
        for unit, n in row.counts.items():
            total.counts[unit] = total.counts.get(unit, 0) + n
    return total


def _split(parts: Mapping[str, int], labels: Mapping[str, object]) -> tuple[tuple[str, int], ...]:
    named = [(str(labels.get(code) or code or pick("Chưa rõ", "Unknown")), n) for code, n in parts.items()]
    return tuple(sorted(named, key=lambda part: (-part[1], part[0])))


def _late(amendment: Amendment) -> Late:
    changes = [
        f"{pick(m.vi, m.en)}: {written(m, amendment.before)} → {written(m, amendment.after)}"
        for m in SEIZURE_MEASURES
        if m.value(amendment.before) != m.value(amendment.after)
    ]
    if not changes:
        changes = [pick("cách phân loại, cơ sở cân đo", "how it is split, basis of measure")]
    return Late(amendment.report.pk, amendment.report.number or "", amendment.at, tuple(changes))
