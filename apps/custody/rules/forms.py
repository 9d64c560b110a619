"""What each custody step must and may say, in its one spelling (dictionary 3.8, 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from apps.common.errors import Problem
from apps.reference.rules.vocabularies import codes
from apps.seizures.rules.fields import problem as report_problem
from apps.seizures.rules.fields import read_value

MAX_SEALS, MAX_EXHIBITS = 20, 60
MAX_SPELLING = 60  # the capitals of some letters are several
AMOUNTS = ("gross_mass_g", "net_mass_g", "volume_ml", "count")
EXHIBIT: Mapping[str, str] = {
    "report": "uuid",
    "mark": "text 20",
    "description": "text 1000",
    "packages": "int",
    "gross_mass_g": "decimal 4",
    "net_mass_g": "decimal 4",
    "volume_ml": "decimal 3",
    "count": "int",
    "count_unit": "code count_unit",
}
CORRECTED = tuple(name for name in EXHIBIT if name != "report")
EVENT: Mapping[str, str] = {
    "happened_on_device_at": "time",
    "place": "text 200",
    "purpose": "text 500",
    "condition": "text 1000",
    "gross_mass_g": "decimal 4",
    "seals_read": "texts 60",
    "is_subject_present": "among yes no",
    "witnesses": "texts 200",
    "signers": "texts 200",
    "stamp_of": "text 200",
    "record_doc_number": "text 60",
    "record_doc_on": "date",
    "note": "text 1000",
}
SAMPLE: Mapping[str, str] = {
    "sample_purpose": "among lab reference training",
    "decision_number": "text 60",
    "taken_mass_g": "decimal 4",
    "taken_volume_ml": "decimal 3",
    "taken_count": "int",
}
RECEIVER: Mapping[str, str] = {
    "kind": "among inside police lab other",
    "badge_no": "text 20",
    "name": "text 200",
    "office": "text 200",
    "legal_basis": "text 500",
    "documents": "text 1000",
    "persons": "texts 20",
    "vehicles": "texts 20",
    "copies": "int",
}
MAX_COPIES = 20
RESULT: Mapping[str, str] = {
    "lab_outcome": "among positive negative",
    "lab_substance": "text 80",
    "lab_net_mass_g": "decimal 4",
    "lab_volume_ml": "decimal 3",
    "lab_count": "int",
    "lab_purity_pct": "percent 1",
    "lab_name": "text 200",
    "lab_number": "text 60",
    "lab_on": "date",
    "lab_note": "text 1000",
    "method": "text 1000",
    "attachment_sha256": "text 64",
}
# step → what it cannot do without
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "sealed": ("seals", "gross_mass_g"),
    "resealed": ("seals", "gross_mass_g"),
    "received_lab": ("seals", "gross_mass_g"),
    "unsealed": ("seals_read", "purpose"),
    "stored": ("place",),
    "moved": ("place", "purpose"),
    "closed": ("record_doc_number", "note"),
}
# Steps that open or close a package: before witnesses, two of them when the subject is absent.
_WITNESSED = frozenset({"sealed", "unsealed", "resealed"})
Said = dict[str, Any]


def problem(key: str, code: str) -> Problem:
    """Name a fault at a place."""
    words = WORDS.get(code)
    return Problem(f"/fields/{key}", code, *words) if words else report_problem(key, code)


def read_fields(
    fields: Mapping[str, Any], specs: Mapping[str, str], at: str = ""
) -> tuple[Said, list[Problem]]:
    """Read the fields that the specs name, each in its one spelling; gives them and what is wrong."""
    said: Said = {}
    problems = []
    for key, spec in specs.items():
        value = fields.get(key)
        if value is None or value in ("", []):
            continue
        found, fault = read_value(spec, value)
        if fault:
            problems.append(problem(at + key, fault))
        else:
            said[key] = found
    return said, problems


def read_exhibit(fields: Mapping[str, Any]) -> tuple[Said, list[Problem]]:
    """Read what an exhibit is: which report and line, what it looks like, how much."""
    said, problems = read_fields(fields, EXHIBIT)
    problems += [problem(key, "required") for key in ("report", "mark", "description") if not fields.get(key)]
    return said, problems + _amount_faults(said, problems)


def read_correction(before: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[Said, list[Problem]]:
    """Lay a correction over what an exhibit is; gives all of it, and what is wrong. What is empty is taken back."""
    named = {key: fields[key] for key in CORRECTED if key in fields}
    read, problems = read_fields(named, {key: EXHIBIT[key] for key in named})
    said = {key: read.get(key) if key in named else before[key] for key in CORRECTED}
    problems += [problem(key, "required") for key in ("mark", "description") if not said[key]]
    return said, problems + _amount_faults(said, problems)


def _amount_faults(said: Mapping[str, Any], found: list[Problem]) -> list[Problem]:
    """Ask for at least one amount, a unit with a count, and no more net than gross."""
    problems = []
    if not found and not any(amount(said.get(key)) for key in AMOUNTS):
        problems.append(problem("gross_mass_g", "no-measure"))
    if said.get("count") and not said.get("count_unit"):
        problems.append(problem("count_unit", "required"))
    gross, net = amount(said.get("gross_mass_g")), amount(said.get("net_mass_g"))
    if gross is not None and net is not None and net > gross:
        problems.append(problem("net_mass_g", "net-over-gross"))
    return problems


def read_step(step: str, fields: Mapping[str, Any]) -> tuple[Said, list[Problem]]:
    """Read what is said about a step, with what the step asks for."""
    said, problems = read_fields(fields, EVENT)
    seals, faults = read_seals(fields.get("seals"))
    problems += faults
    if seals:
        said["seals"] = seals
    problems += [problem(key, "required") for key in _NEEDS.get(step, ()) if not said.get(key)]
    if step in _WITNESSED:
        problems += witness_faults(said)
    return said, problems


def witness_faults(said: Mapping[str, Any]) -> list[Problem]:
    """Ask for one witness, two when the subject is absent."""
    faults = []
    if said.get("is_subject_present") is None:
        faults.append(problem("is_subject_present", "required"))
    wanted = 1 if said.get("is_subject_present") == "yes" else 2
    if len(said.get("witnesses") or ()) < wanted:
        faults.append(problem("witnesses", "witnesses"))
    return faults


def read_seals(value: Any) -> tuple[list[Said], list[Problem]]:
    """Read the seals that are put on: number, kind, who issued it (empty: the unit that seized) and the year."""
    if value is None:
        return [], []
    if not isinstance(value, list) or len(value) > MAX_SEALS:
        return [], [problem("seals", "type")]
    seals, problems = [], []
    for position, one in enumerate(value):
        at = f"seals/{position}/"
        if not isinstance(one, Mapping):
            problems.append(problem(at.rstrip("/"), "type"))
            continue
        said, faults = read_fields(
            one, {"number": "text 60", "type": "code seal_type", "issuer": "text 40", "year": "int"}, at
        )
        problems += faults
        if not spelling(said.get("number", "")):
            problems.append(problem(f"{at}number", "required"))
        if said.get("type") not in codes("seal_type"):
            problems.append(problem(f"{at}type", "required"))
        if "year" in said and not 2000 <= said["year"] <= 2100:
            problems.append(problem(f"{at}year", "number"))
        seals.append(said)
    numbers = [(spelling(s.get("number", "")), s.get("issuer", ""), s.get("year")) for s in seals]
    if len(set(numbers)) < len(numbers):
        problems.append(problem("seals", "seal-twice"))
    return seals, problems


def spelling(number: str) -> str:
    """Give the spelling under which seal numbers are compared: capitals and digits alone."""
    return "".join(c for c in number.upper() if c.isalnum())[:MAX_SPELLING]


def amount(value: Any) -> Decimal | None:
    """Read an amount that was checked before."""
    return None if value in {None, ""} else Decimal(str(value))


def remaining(now: Mapping[str, Any], taken: Mapping[str, Any]) -> tuple[Said, list[Problem]]:
    """Give what is left when a sample was taken; more than there is cannot be taken, nor nothing at all."""
    left: Said = {}
    problems = []
    pairs = (
        ("net_mass_g", "taken_mass_g"),
        ("gross_mass_g", "taken_mass_g"),
        ("volume_ml", "taken_volume_ml"),
        ("count", "taken_count"),
    )
    for key, of in pairs:
        have, less = amount(now.get(key)), amount(taken.get(of))
        if have is None or not less:
            continue
        if less > have:
            problems.append(problem(of, "more-than-left"))
        left[key] = have - less
    for key, of in (
        ("gross_mass_g", "taken_mass_g"),
        ("volume_ml", "taken_volume_ml"),
        ("count", "taken_count"),
    ):
        if amount(taken.get(of)) and amount(now.get(key)) is None and key not in left:
            problems.append(problem(of, "not-measured"))
    if not any(amount(taken.get(of)) for _, of in pairs):
        problems.append(problem("taken_mass_g", "no-measure"))
    return left, problems


def missing(fields: Mapping[str, Any], keys: Iterable[str]) -> list[Problem]:
    """Name the fields that are needed and empty."""
    return [problem(key, "required") for key in keys if not fields.get(key)]


WORDS: Mapping[str, tuple[str, str]] = {
    "no-line": ("Báo cáo không có dòng tang vật mang ký hiệu này.", "The report has no line of this mark."),
    "seal-twice": ("Một số niêm phong được ghi hai lần.", "A seal number stands twice."),
    "more-than-left": (
        "Lượng lấy mẫu lớn hơn lượng còn lại.",
        "More is taken than there is left.",
    ),
    "not-measured": (
        "Tang vật chưa có số đo này nên chưa tính được lượng còn lại.",
        "The exhibit was not measured so, and what is left cannot be told.",
    ),
    "unknown-badge": (
        "Không có công chức đang công tác mang số hiệu này.",
        "Nobody who serves now bears this badge number.",
    ),
    "not-offered": (
        "Phải xác nhận đúng các tang vật đã được đề nghị, không thừa, không thiếu.",
        "Exactly the exhibits that were offered are confirmed.",
    ),
    "unchanged": ("Chưa sửa mục nào.", "Nothing was changed."),
    "not-settled": (
        "Tang vật chưa bàn giao xong và chưa ghi kết quả khác.",
        "The exhibit is neither handed over nor closed with another outcome.",
    ),
    "no-exhibit": (
        "Dòng này không có tang vật nào đã bàn giao; lập biên bản và bàn giao, hoặc nêu lý do không có bàn giao.",
        "No exhibit of this line was handed over: write one down and hand it over, or state why there is none.",
    ),
    "not-in-report": ("Báo cáo không có mục này.", "The report has no such entry."),
    "to-oneself": ("Không bàn giao cho chính mình.", "Nobody hands over to themselves."),
    "other-report": ("Tang vật thuộc báo cáo khác.", "The exhibit belongs to another report."),
}
