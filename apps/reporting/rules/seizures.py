"""Pure: what one seizure adds to the figures, entry by entry (dictionary 6.3). `measures` names the sums of them.

An incident ("vụ") is what is counted; its reports, and incidents that a merge has made one, are looked at together. So
one deed counts once however many forces and units reported it, and each line counts where its own report stands.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from uuid import UUID

from apps.seizures.rules.lines import ESTIMATED
from apps.seizures.rules.stages import CONFIRMED, PROVISIONAL

INCIDENT, PARTICIPATION, PERSON, MASS, VOLUME, COUNT = (
    "incident",
    "participation",
    "person",
    "mass",
    "volume",
    "count",
)
# Not an entry of a report: an exhibit that was in custody at the moment asked for (`rules.custody`).
EXHIBIT = "exhibit"
LEAD, CO_LEAD, SUPPORT = "lead", "co_lead", "support"
ARRESTED, SOUGHT = "arrested", "sought"
# How a person's status (dictionary 3.7) is counted; whoever was let go is counted nowhere.
PERSON_AS = {"arrested": ARRESTED, "detained": ARRESTED, "identified": SOUGHT, "at_large": SOUGHT}


@dataclass(frozen=True)
class Line:
    """A line that counts, with its best measure."""

    mark: str
    substance: str
    group: str
    form: str
    basis: str
    mass_g: Decimal | None = None
    volume_ml: Decimal | None = None
    count: int | None = None
    count_unit: str = ""


@dataclass(frozen=True)
class Person:
    """A person of a report: `paper` is a document's number as it is compared, `name` is folded; both may be empty."""

    mark: str
    status: str
    paper: str = ""
    name: str = ""
    birth: str = ""

    def is_same(self, other: Person) -> bool:
        """Tell whether two entries of one incident mean one person: the same document, or the same name without one."""
        if self.paper and other.paper:
            return self.paper == other.paper
        births = {self.birth, other.birth} - {""}
        return bool(self.name) and self.name == other.name and len(births) < 2


@dataclass(frozen=True)
class Circumstances:
    """How things were found, hidden and sent, as a report says; several codes stand in one string, by spaces."""

    first_cue: str = ""
    means: str = ""
    places: str = ""
    techniques: str = ""
    direction: str = ""
    departure: str = ""
    destination: str = ""
    place_type: str = ""


CIRCUMSTANCES = tuple(Circumstances.__dataclass_fields__)


@dataclass(frozen=True)
class Told:
    """What one report says that figures look at. `is_counted`: not a draft, void, merged, negative, in a compartment.

    `leads` is the customs unit named first as leading; `parts` are all units that took part, with their roles.
    """

    report: UUID
    incident: UUID
    unit: UUID
    day: dt.date
    received_at: dt.datetime
    status: str
    is_counted: bool
    lead_force: str = ""
    mode: str = ""
    how: Circumstances = field(default_factory=Circumstances)
    leads: UUID | None = None
    is_co_led: bool = False
    parts: tuple[tuple[UUID, str], ...] = ()
    lines: tuple[Line, ...] = ()
    persons: tuple[Person, ...] = ()

    @property
    def credited(self) -> UUID:
        """The unit under which it stands: the customs unit that led, otherwise the one that reports."""
        return self.leads or self.unit

    @property
    def order(self) -> tuple[dt.date, dt.datetime, str]:
        """By day, then by receipt."""
        return (self.day, self.received_at, str(self.report))


@dataclass(frozen=True)
class Entry:
    """One thing that counts, with all it can be split by."""

    incident: UUID
    report: UUID
    unit: UUID
    day: dt.date
    measure: str
    status: str
    mark: str = ""
    lead_force: str = ""
    role: str = ""
    mode: str = ""
    substance: str = ""
    group: str = ""
    form: str = ""
    basis: str = ""
    count_unit: str = ""
    first_cue: str = ""
    means: str = ""
    places: str = ""
    techniques: str = ""
    direction: str = ""
    departure: str = ""
    destination: str = ""
    place_type: str = ""
    key: str = ""
    amount: Decimal = field(default=Decimal(1))


def entries_of(told: Iterable[Told], merged: Iterable[tuple[UUID, UUID]]) -> set[Entry]:
    """Give everything that these reports add to the figures; `merged` are pairs of incidents that a person made one.

    All reports of the incidents concerned must be among them, whether they count or not.
    """
    by_incident: dict[UUID, list[Told]] = defaultdict(list)
    for report in told:
        by_incident[report.incident].append(report)
    found: set[Entry] = set()
    for together in joined(by_incident, merged):
        found.update(_entries([t for incident in together for t in by_incident[incident]]))
    return found


def joined(incidents: Iterable[UUID], pairs: Iterable[tuple[UUID, UUID]]) -> list[set[UUID]]:
    """Sort incidents into those that are one, following the pairs as far as they lead."""
    whole: dict[UUID, set[UUID]] = {incident: {incident} for incident in incidents}
    for one, other in pairs:
        mine, theirs = whole.setdefault(one, {one}), whole.setdefault(other, {other})
        if mine is not theirs:
            mine |= theirs
            whole.update(dict.fromkeys(theirs, mine))
    return list({id(several): several for several in whole.values()}.values())


def _entries(told: Sequence[Told]) -> Iterator[Entry]:
    """Give what one incident adds. It stands where and when its first report with something seized stands."""
    counting = sorted((t for t in told if t.is_counted), key=lambda t: t.order)
    first = next((t for t in counting if t.lines), None)
    if first is None:
        return
    is_confirmed = all(t.status == CONFIRMED for t in counting)
    whole = Entry(
        incident=first.incident,
        report=first.report,
        unit=first.credited,
        day=first.day,
        measure=INCIDENT,
        status=CONFIRMED if is_confirmed else PROVISIONAL,
        lead_force=first.lead_force,
        role=CO_LEAD if any(t.is_co_led for t in counting) else LEAD,
        mode=first.mode,
        key=str(first.incident),
        **asdict(first.how),
    )
    yield whole
    yield from _participations(whole, counting)
    yield from _persons(whole, counting)
    for report in counting:
        for line in report.lines:
            yield from _amounts(report, line)


def _participations(whole: Entry, counting: Sequence[Told]) -> Iterator[Entry]:
    roles: dict[UUID, str] = {}
    for report in counting:
        for unit, role in (*report.parts, (report.unit, SUPPORT)):
            roles[unit] = min(roles.get(unit, role), role, key=(LEAD, CO_LEAD, SUPPORT).index)
    for unit, role in roles.items():
        yield Entry(
            incident=whole.incident,
            report=whole.report,
            unit=unit,
            day=whole.day,
            measure=PARTICIPATION,
            status=whole.status,
            mark=str(unit),
            lead_force=whole.lead_force,
            role=role,
            mode=whole.mode,
            key=whole.key,
        )


def _persons(whole: Entry, counting: Sequence[Told]) -> Iterator[Entry]:
    """Give each person of the incident once, where the first report names them; caught once is caught."""
    people: list[list[tuple[Told, Person]]] = []
    for report in counting:
        for person in report.persons:
            if person.status not in PERSON_AS:
                continue
            same = next((g for g in people if any(person.is_same(p) for _, p in g)), None)
            if same is None:
                people.append([(report, person)])
            else:
                same.append((report, person))
    for several in people:
        caught = [(t, p) for t, p in several if PERSON_AS[p.status] == ARRESTED]
        report, person = (caught or several)[0]
        yield Entry(
            incident=report.incident,
            report=report.report,
            unit=report.credited,
            day=report.day,
            measure=PERSON,
            status=report.status,
            mark=person.mark,
            lead_force=whole.lead_force,
            role=ARRESTED if caught else SOUGHT,
            mode=whole.mode,
            key=_key(whole, [p for _, p in several], report, person),
        )


def _key(whole: Entry, several: Sequence[Person], report: Told, person: Person) -> str:
    """Name a person so that one document is one person in other incidents too; the number itself stays out."""
    paper = min((p.paper for p in several if p.paper), default="")
    if paper:
        named = ["paper", paper]
    elif person.name:
        named = ["name", whole.key, person.name, person.birth]
    else:
        named = ["mark", str(report.report), person.mark]
    return hashlib.sha256("\x1f".join(named).encode()).hexdigest()[:40]


def _amounts(report: Told, line: Line) -> Iterator[Entry]:
    """Give a line's grams; without any its millilitres and its count. An estimate is none of them."""
    if line.basis == ESTIMATED:
        return
    found: list[tuple[str, Decimal]] = []
    if line.mass_g:
        found.append((MASS, line.mass_g))
    else:
        found += [(VOLUME, line.volume_ml)] if line.volume_ml else []
        found += [(COUNT, Decimal(line.count))] if line.count else []
    for measure, amount in found:
        yield Entry(
            incident=report.incident,
            report=report.report,
            unit=report.credited,
            day=report.day,
            measure=measure,
            status=report.status,
            mark=line.mark,
            lead_force=report.lead_force,
            mode=report.mode,
            substance=line.substance,
            group=line.group,
            form=line.form,
            basis=line.basis,
            count_unit=line.count_unit if measure == COUNT else "",
            amount=amount,
            **asdict(report.how),
        )
