"""How much a line counts: one measure, the best there is, with its basis. Grams, millilitres, counts never convert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.common.errors import Problem
from apps.seizures.rules.fields import problem

LAB_NEGATIVE, STRUCK_OUT, NOT_A_DRUG = "lab_negative", "struck_out", "not_a_drug"
LAB_OVER_SCALE = "lab-over-scale"
ESTIMATED = "estimated"
# Two scales may differ by so much (dictionary 3.9, rule 6): one gram, or one part in a thousand when that is more.
TOLERANCE_G, TOLERANCE_SHARE = Decimal(1), Decimal("0.001")
# Grams of one tablet outside of which count and mass hardly belong together (dictionary 3.3).
TABLET_GRAMS = (Decimal("0.05"), Decimal("0.6"))


@dataclass(frozen=True)
class Measure:
    """What one line counts as. `excluded` says why it counts as nothing."""

    mark: str
    substance: str
    form: str
    mass_g: Decimal | None
    volume_ml: Decimal | None
    count: int | None
    count_unit: str
    basis: str
    id_basis: str
    excluded: str = ""

    @property
    def is_counted(self) -> bool:
        """Whether it may enter figures."""
        return not self.excluded


def measure(mark: str, line: Mapping[str, Any]) -> Measure:
    """Give what a line counts as: laboratory net before net on a scale before gross on a scale before an estimate.

    What the laboratory did not measure stays as it was weighed: its silence loses no mass.
    """
    basis = str(line.get("measure_basis") or ESTIMATED)
    gross, net = _decimal(line.get("gross_mass_g")), _decimal(line.get("net_mass_g"))
    mass = gross if basis == "scale_gross" and gross is not None else net if net is not None else gross
    if basis == "scale_net" and net is None and gross is not None:
        basis = "scale_gross"
    volume, count = _decimal(line.get("volume_ml")), line.get("count")
    found = line.get("lab_outcome") == "positive"
    if found:
        lab = _decimal(line.get("lab_net_mass_g"))
        lab_volume, lab_count = _decimal(line.get("lab_volume_ml")), line.get("lab_count")
        if (lab, lab_volume, lab_count) != (None, None, None):
            mass, basis = (lab, "lab_net") if lab is not None else (mass, basis)
            volume = lab_volume if lab_volume is not None else volume
            count = lab_count if lab_count is not None else count
            basis = "lab_net" if mass is None else basis
    substance = str((line.get("lab_substance") if found else "") or line.get("substance") or "")
    return Measure(
        mark=mark,
        substance=substance,
        form=str(line.get("form") or ""),
        mass_g=mass or None,
        volume_ml=volume or None,
        count=count or None,
        count_unit=str(line.get("count_unit") or ""),
        basis=basis,
        id_basis="lab" if found else str(line.get("id_basis") or ""),
        excluded=_excluded(line, substance),
    )


def _excluded(line: Mapping[str, Any], substance: str) -> str:
    if line.get("removed"):
        return STRUCK_OUT
    if line.get("lab_outcome") == "negative":
        return LAB_NEGATIVE
    return NOT_A_DRUG if is_article(line) and not substance else ""


def is_article(line: Mapping[str, Any]) -> bool:
    """Tell whether a line is something else than a drug or a precursor: a weapon, forged money (function F08)."""
    return bool(line.get("article")) and not line.get("substance")


def measures(lines: Mapping[str, Mapping[str, Any]]) -> list[Measure]:
    """Give the measure of every line, by mark."""
    return [measure(mark, lines[mark]) for mark in sorted(lines)]


def standing(part: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Give what of a part is not struck out."""
    return {mark: columns for mark, columns in part.items() if not columns.get("removed")}


def check_lines(lines: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Check what no stage allows: a net mass above the gross one."""
    problems = []
    for mark, line in standing(lines).items():
        gross, net = _decimal(line.get("gross_mass_g")), _decimal(line.get("net_mass_g"))
        if gross is not None and net is not None and net > gross:
            problems.append(problem(f"lines/{mark}/net_mass_g", "net-over-gross"))
    return problems


def suspicious(lines: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Give what a reader of the lines should look at: perhaps one thing twice, or a count that the mass belies."""
    alike: dict[tuple[Any, ...], int] = defaultdict(int)
    for found in measures(standing(lines)):
        amounts = (found.mass_g, found.volume_ml, found.count, found.count_unit)
        if any(amounts[:3]):
            alike[found.substance or lines[found.mark].get("article"), found.form, *amounts] += 1
        if found.mass_g and found.count and found.count_unit == "tablet":
            each = found.mass_g / found.count
            if not TABLET_GRAMS[0] <= each <= TABLET_GRAMS[1]:
                yield "tablet-mass"
        if _is_more_than_weighed(lines[found.mark]):
            yield LAB_OVER_SCALE
    if any(times > 1 for times in alike.values()):
        yield "lines-alike"


def _is_more_than_weighed(line: Mapping[str, Any]) -> bool:
    """Tell whether a laboratory found more than the whole package weighed, by more than two scales may differ."""
    weighed = _decimal(line.get("gross_mass_g")) or _decimal(line.get("net_mass_g"))
    found = _decimal(line.get("lab_net_mass_g"))
    if not weighed or not found or line.get("measure_basis") == ESTIMATED:
        return False
    return found - weighed > max(TOLERANCE_G, TOLERANCE_SHARE * weighed)


def total_mass(found: Iterable[Measure]) -> Decimal:
    """Add the weighed grams of the lines that count; estimates are no mass."""
    return sum((m.mass_g for m in found if m.is_counted and m.mass_g and m.basis != ESTIMATED), Decimal(0))


def _decimal(value: Any) -> Decimal | None:
    return None if value in {None, ""} else Decimal(str(value))
