"""Pure: the sums of the figures of seizures and the named measures with the text of their definitions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from apps.reference.rules.substances import PRECURSOR
from apps.reporting.rules.periods import Comparison, compare
from apps.reporting.rules.seizures import (
    ARRESTED,
    CO_LEAD,
    COUNT,
    EXHIBIT,
    INCIDENT,
    MASS,
    PARTICIPATION,
    PERSON,
    VOLUME,
    Entry,
)
from apps.seizures.rules.stages import PROVISIONAL

CUSTOMS = "customs"
GRAMS_IN_KG = Decimal(1000)


@dataclass(frozen=True)
class Thing:
    """What was seized of one substance in one form, on one basis of measure."""

    group: str
    substance: str
    form: str
    basis: str

    @property
    def is_precursor(self) -> bool:
        """Whether it stands in the table of precursors."""
        return self.group == PRECURSOR


@dataclass(frozen=True)
class Yield:
    """How many incidents and how many grams of drugs stand behind one value of a dimension."""

    incidents: int = 0
    grams: Decimal = Decimal(0)


def _hidden(e: Entry) -> list[str]:
    return [f"{place} {technique}" for place in e.places.split() for technique in e.techniques.split()]


# What seizures can be split by beside units (dictionary 6.4) → the values of an entry. Of `means` and `hidden` an entry
# may have several and counts in each, so they do not add up; of the others exactly one.
DIMENSIONS: Mapping[str, Callable[[Entry], Sequence[str]]] = {
    "first_cue": lambda e: (e.first_cue,),
    "means": lambda e: e.means.split() or ("",),
    "hidden": lambda e: _hidden(e) or ("",),
    "route": lambda e: (f"{e.direction} {e.departure} {e.destination}",),
    "place_type": lambda e: (e.place_type,),
}


@dataclass(frozen=True)
class Seized:
    """Sums over a set of entries. Grams, millilitres and counts (with their unit) by thing; none is converted."""

    incidents: int = 0
    provisional: int = 0
    co_led: int = 0
    participated: int = 0
    arrested: int = 0
    sought: int = 0
    forces: Mapping[str, int] = field(default_factory=dict)
    modes: Mapping[str, int] = field(default_factory=dict)
    mass_g: Mapping[Thing, Decimal] = field(default_factory=dict)
    volume_ml: Mapping[Thing, Decimal] = field(default_factory=dict)
    counts: Mapping[tuple[Thing, str], int] = field(default_factory=dict)
    yields: Mapping[str, Mapping[str, Yield]] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    stopped: int = 0
    stops: Mapping[str, int] = field(default_factory=dict)

    @property
    def customs_lead(self) -> int:
        """Incidents led by customs."""
        return self.forces.get(CUSTOMS, 0)

    def grams(self, *, precursors: bool) -> Decimal:
        """Add the grams of the drugs, or of the precursors."""
        return _added(g for thing, g in self.mass_g.items() if thing.is_precursor == precursors)

    def millilitres(self, *, precursors: bool) -> Decimal:
        """Add the millilitres of the drugs, or of the precursors."""
        return _added(v for thing, v in self.volume_ml.items() if thing.is_precursor == precursors)

    def counted_in(self, *, precursors: bool) -> dict[str, int]:
        """Add the counts of what has no mass, by their unit: tablets are no ampoules."""
        found: Counter[str] = Counter()
        for (thing, unit), n in self.counts.items():
            if thing.is_precursor == precursors:
                found[unit] += n
        return dict(found)


def sum_up(entries: Iterable[Entry]) -> Seized:
    """Add entries up. Incidents that a unit took part in and persons are counted once each, whatever set this is."""
    several = list(entries)
    incidents = [e for e in several if e.measure == INCIDENT]
    exhibits = [e for e in several if e.measure == EXHIBIT]
    people = {e.key: e.role for e in sorted(several, key=lambda e: e.role == ARRESTED) if e.measure == PERSON}
    mass: dict[Thing, Decimal] = defaultdict(Decimal)
    volume: dict[Thing, Decimal] = defaultdict(Decimal)
    counts: Counter[tuple[Thing, str]] = Counter()
    for e in several:
        thing = Thing(e.group, e.substance, e.form, e.basis)
        if e.measure == MASS:
            mass[thing] += e.amount
        elif e.measure == VOLUME:
            volume[thing] += e.amount
        elif e.measure == COUNT:
            counts[thing, e.count_unit] += int(e.amount)
    return Seized(
        incidents=len(incidents),
        provisional=sum(e.status == PROVISIONAL for e in incidents),
        co_led=sum(e.role == CO_LEAD for e in incidents),
        participated=len({e.key for e in several if e.measure == PARTICIPATION}),
        arrested=sum(role == ARRESTED for role in people.values()),
        sought=sum(role != ARRESTED for role in people.values()),
        forces=dict(Counter(e.lead_force for e in incidents)),
        modes=dict(Counter(e.mode for e in incidents)),
        mass_g=dict(mass),
        volume_ml=dict(volume),
        counts=dict(counts),
        yields={name: found for name, of in DIMENSIONS.items() if (found := _yields(several, of))},
        held=dict(Counter(e.status for e in exhibits)),
        stopped=sum(bool(e.role) for e in exhibits),
        stops=dict(Counter(code for e in exhibits for code in e.role.split())),
    )


def _yields(entries: Iterable[Entry], of: Callable[[Entry], Sequence[str]]) -> dict[str, Yield]:
    incidents: Counter[str] = Counter()
    grams: dict[str, Decimal] = defaultdict(Decimal)
    for e in entries:
        if e.measure == INCIDENT:
            incidents.update(of(e))
        elif e.measure == MASS and e.group != PRECURSOR:
            for value in of(e):
                grams[value] += e.amount
    values = incidents.keys() | grams.keys()
    return {value: Yield(incidents[value], grams.get(value, Decimal(0))) for value in values}


@dataclass(frozen=True)
class SeizureMeasure:
    """A figure of seizures with a name, the text of its definition in both languages, and how it is shown.

    `adds_up`: whether the units below sum to the unit above.
    """

    code: str
    vi: str
    en: str
    definition_vi: str
    definition_en: str
    value: Callable[[Seized], Decimal]
    unit: str = ""
    places: int = 0
    adds_up: bool = True


SEIZURE_MEASURES: tuple[SeizureMeasure, ...] = (
    SeizureMeasure(
        "incidents",
        "Số vụ",
        "Incidents",
        "Số vụ phát hiện trong kỳ (ngày phát hiện, giờ Việt Nam) có ít nhất một dòng ma túy hoặc tiền chất còn hiệu "
        "lực, số tạm tính và số chính thức. Báo cáo trùng đã nhập vào báo cáo khác và bắt giữ mở rộng không thành vụ "
        "riêng; không tính bản nháp, báo cáo hủy, vụ giám định không phải ma túy, báo cáo giới hạn theo danh sách. Mỗi "
        "vụ đứng tên một đơn vị: đơn vị hải quan chủ trì nêu đầu tiên, nếu lực lượng khác chủ trì thì đơn vị báo cáo; "
        "và tính vào ngày của báo cáo đầu tiên.",
        "Incidents detected in the period (day of detection, Vietnam) with at least one drug or precursor line that "
        "stands, provisional and confirmed. Duplicates merged into another report and expansions are no incidents of "
        "their own; without drafts, voided reports, incidents whose laboratory result was negative, and compartments. "
        "Each stands under one unit, the customs unit first named as lead (when another force leads: the unit that "
        "reports), on the day of its first report.",
        lambda s: Decimal(s.incidents),
    ),
    SeizureMeasure(
        "incidents_customs_lead",
        "Hải quan chủ trì",
        "Led by customs",
        "Số vụ (theo định nghĩa trên) có lực lượng chủ trì là hải quan, kể cả khi đơn vị khác cùng chủ trì; theo "
        "đơn vị là số vụ đơn vị đó chủ trì, vụ đồng chủ trì tính cho đơn vị nêu đầu tiên.",
        "Incidents (as defined) whose leading force is customs, also where others lead jointly; by unit: those it "
        "led, a jointly led one for the unit named first.",
        lambda s: Decimal(s.customs_lead),
    ),
    SeizureMeasure(
        "incidents_co_led",
        "Trong đó đồng chủ trì",
        "Of these jointly led",
        "Số vụ có đơn vị hoặc cơ quan đồng chủ trì; đã nằm trong tổng số vụ, không cộng thêm.",
        "Incidents in which a unit or an agency is named as leading jointly; already among all incidents.",
        lambda s: Decimal(s.co_led),
    ),
    SeizureMeasure(
        "unit_participated",
        "Vụ có tham gia",
        "Took part in",
        "Số vụ mà đơn vị (hoặc đơn vị trực thuộc) có tham gia ở bất kỳ vai trò nào. Không cộng dồn: cùng một vụ tính "
        "cho mỗi đơn vị tham gia, nên tổng các đơn vị lớn hơn số toàn quốc.",
        "Incidents in which the unit, or one below it, took part in any role. Not to be added up: an incident counts "
        "for each unit that took part, so the units together exceed the national figure.",
        lambda s: Decimal(s.participated),
        adds_up=False,
    ),
    SeizureMeasure(
        "persons_arrested",
        "Đối tượng bị bắt",
        "Persons arrested",
        "Số người bị bắt hoặc tạm giữ, mỗi người tính một lần: trong một vụ theo giấy tờ hoặc họ tên, giữa các vụ theo "
        "số giấy tờ. Một người bị bắt ở hai đơn vị tính cho mỗi đơn vị, cấp trên tính một lần. Không tính người đã xác "
        "định, đang bỏ trốn, cho về.",
        "Persons arrested or detained, each once: within an incident by document or name, across incidents by the "
        "number of the document. Someone arrested at two units counts for each and once above them. Without persons "
        "identified, at large or released.",
        lambda s: Decimal(s.arrested),
        adds_up=False,
    ),
    SeizureMeasure(
        "persons_sought",
        "Đã xác định, đang truy tìm",
        "Identified, at large",
        "Số người đã xác định hoặc đang bỏ trốn, chưa bị bắt trong kỳ; không nằm trong số đối tượng bị bắt.",
        "Persons identified or at large and not arrested in the period; not among the persons arrested.",
        lambda s: Decimal(s.sought),
        adds_up=False,
    ),
    SeizureMeasure(
        "drug_mass_kg",
        "Ma túy, khối lượng",
        "Drugs, mass",
        "Tổng khối lượng các dòng ma túy có cân: theo giám định, không có thì cân tịnh, không có thì cân cả bì. Không "
        "tính tiền chất, số ước lượng và dòng chỉ đếm viên hoặc chỉ đo thể tích. Cộng theo gam, chỉ làm tròn khi hiển "
        "thị. Tang vật của báo cáo mở rộng tính vào ngày của báo cáo đó.",
        "Mass of the drug lines that have one: by the laboratory, else net on a scale, else gross on a scale. Without "
        "precursors, estimates, and lines that have only a count or a volume. Added in grams, rounded for display "
        "only. What an expansion found counts on the day of its own report.",
        lambda s: s.grams(precursors=False) / GRAMS_IN_KG,
        unit="kg",
        places=2,
    ),
    SeizureMeasure(
        "drug_count_tablet",
        "Ma túy, số viên",
        "Drugs, tablets",
        "Tổng số viên của các dòng ma túy không có khối lượng; dòng có cả hai thì khối lượng được tính, số viên chỉ để "
        "tham khảo. Đơn vị đếm khác (ống, gói…) có trong bảng theo chất.",
        "Tablets of the drug lines that have no mass; where there are both, the mass counts and the tablets are a "
        "remark. Other counts (ampoules, packs…) stand in the table by substance.",
        lambda s: Decimal(s.counted_in(precursors=False).get("tablet", 0)),
    ),
    SeizureMeasure(
        "drug_volume_ml",
        "Ma túy, thể tích",
        "Drugs, volume",
        "Tổng thể tích các dòng ma túy dạng lỏng không có khối lượng; không quy đổi ra khối lượng.",
        "Volume of the drug lines that have no mass; nothing is converted to a mass.",
        lambda s: s.millilitres(precursors=False),
        unit="ml",
    ),
    SeizureMeasure(
        "precursor_mass_kg",
        "Tiền chất, khối lượng",
        "Precursors, mass",
        "Tổng khối lượng các dòng tiền chất, bảng riêng; không bao giờ cộng vào ma túy.",
        "Mass of the precursor lines, in a table of their own; never among the drugs.",
        lambda s: s.grams(precursors=True) / GRAMS_IN_KG,
        unit="kg",
        places=2,
    ),
    SeizureMeasure(
        "precursor_volume_ml",
        "Tiền chất, thể tích",
        "Precursors, volume",
        "Tổng thể tích các dòng tiền chất không có khối lượng.",
        "Volume of the precursor lines that have no mass.",
        lambda s: s.millilitres(precursors=True),
        unit="ml",
    ),
    SeizureMeasure(
        "custody_open",
        "Tang vật đang tạm giữ",
        "Exhibits in custody",
        "Số gói tang vật và mẫu mà đơn vị còn chịu trách nhiệm vào cuối kỳ (kỳ chưa hết thì đến lúc này): đã lập biên "
        "bản, đã niêm phong, trong kho, đang vận chuyển, đang mở niêm phong, đang giám định; chưa bàn giao ra ngoài "
        "ngành và chưa kết thúc. Tính cho đơn vị đang giữ, kể cả tang vật của báo cáo đã hủy hoặc đã nhập. Không tính "
        "báo cáo giới hạn theo danh sách.",
        "Packages and samples for which the unit answers at the end of the period (now, while it runs): written down, "
        "sealed, in store, in transit, opened or at the laboratory; neither handed over to somebody outside nor "
        "closed. They count for the unit that holds them, also those of a report that was voided or merged. Without "
        "compartments.",
        lambda s: Decimal(sum(s.held.values())),
    ),
    SeizureMeasure(
        "custody_exceptions",
        "Tang vật có sai lệch chưa xử lý",
        "Exhibits stopped by a difference",
        "Trong số tang vật đang tạm giữ vào cuối kỳ, số gói bị dừng vì sai niêm phong hoặc lệch khối lượng mà lãnh đạo "
        "chưa quyết định. Gói sai cả hai tính một lần.",
        "Of the exhibits in custody at the end of the period, those stopped by a seal or a mass that differed and on "
        "which no leader has decided. One that differs in both counts once.",
        lambda s: Decimal(s.stopped),
    ),
)


def seizure_comparisons(now: Seized, before: Seized) -> dict[str, Comparison]:
    """Compare every measure of two periods, by code; an amount stands on the incidents of the earlier period."""
    return {
        m.code: compare(
            float(m.value(now)),
            float(m.value(before)),
            before.incidents if m.unit else int(m.value(before)),
        )
        for m in SEIZURE_MEASURES
    }


def _added(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
