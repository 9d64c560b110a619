"""What each stage asks of a report (dictionary 3.8) and what its fields must say together (3.9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apps.common.errors import Problem
from apps.inspections.rules import parse_time
from apps.reference.rules.identifiers import identify
from apps.reference.rules.nominal import says_who
from apps.seizures.rules.fields import problem
from apps.seizures.rules.lines import (
    check_lines,
    is_article,
    measure,
    measures,
    standing,
    suspicious,
)
from apps.seizures.rules.stages import FLASH, PRELIMINARY, SUBMITTED

_FLASH = ("detected_on_device_at", "place", "mode", "lead_force", "handling")
_SUBMITTED = (
    "direction",
    "departure",
    "destination",
    "first_cue",
    "means",
    "concealment_places",
    "concealment_techniques",
    "record_doc_number",
    "record_doc_on",
    "participations",
    "is_subject_present",
    "checklist_version",
)
_VERIFIED = ("watch_linked", "handover_plan")
# Decisions that rest on every unit's own word about its role, also when a correction changed the roles meanwhile.
_AGREED = frozenset({"verify_region", "accept", "confirm_lab", "close"})
_LINE = ("substance", "form", "measure_basis", "id_basis", "scale_id", "seal_numbers")
_ARTICLE = ("seal_numbers",)
_DRUGS = ("drugs", "precursors")
# mode → fields of which one must be there, as (part, field)
_TRANSPORT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "air_passenger": (("conveyances", "flight_no"),),
    "air_cargo": (("consignments", "mawb"), ("consignments", "hawb"), ("conveyances", "flight_no")),
    "express": (("consignments", "courier_no"), ("consignments", "hawb")),
    "postal": (("consignments", "s10"),),
    "sea_container": (("consignments", "container_nos"),),
    "road_passenger": (("conveyances", "plate"),),
    "road_cargo": (("conveyances", "plate"),),
}
_INWARD, _OUTWARD = ("import", "inward_passenger"), ("export", "outward_passenger")
# Fields whose numbers carry a check, as (part, field, kind).
_CHECKED = (
    ("consignments", "mawb", "mawb"),
    ("consignments", "s10", "s10"),
    ("consignments", "container_nos", "container_no"),
    ("consignments", "declaration_no", "declaration_no"),
    ("consignments", "hs_code", "hs_code"),
    ("consignments", "hawb", "hawb"),
    ("consignments", "courier_no", "courier_no"),
    ("consignments", "bl_no", "bl_no"),
    ("consignments", "phone", "phone"),
    ("lines", "seal_numbers", "seal"),
    ("conveyances", "flight_no", "flight_no"),
    ("conveyances", "imo", "imo"),
    ("conveyances", "plate", "plate"),
)
# Free text that everybody who may open the report reads, without a stated purpose.
_OPEN = (
    "place",
    "summary",
    "remarks",
    "no_photo_reason",
    "no_scale_photo_reason",
    "handover_plan",
    "lab_reason",
    "handover_reason",
)
_OPEN_PARTS = (("lines", "remark"), ("lines", "article"), ("consignments", "declared_goods"))
PERSON_IN_TEXT = "person-in-text"
SCALE, WEIGHED = "scale", frozenset({"scale_gross", "scale_net"})
Report = Mapping[str, Any]


def missing_at(goal: str, report: Report) -> list[Problem]:
    """Give what a report lacks to be sent as `goal`: flash, preliminary or submitted."""
    found = [*check_lines(report["lines"]), *_missing_flash(report)]
    if goal == PRELIMINARY and not report.get("summary"):
        found.append(problem("summary", "required"))
    if goal == SUBMITTED:
        found += [problem(key, "required") for key in _SUBMITTED if not report.get(key)]
        found += _lines_complete(report)
        found += _together(report)
    return found


def missing_for(verb: str, report: Report) -> list[Problem]:
    """Give what a report lacks for a decision at a desk.

    To verify it for the unit also takes `photo_purposes`: what its photos show, None for one that was not declared yet.
    """
    found: list[Problem] = []
    if verb == "verify_unit":
        found += [problem(key, "required") for key in _VERIFIED if not report.get(key)]
        found += [*_lines_complete(report), *_together(report), *_scale_shown(report)]
    if verb in _AGREED:
        found += [
            problem(f"participations/{i}", "not-agreed")
            for i, p in enumerate(report.get("participations") or ())
            if p.get("force") == "customs" and not p.get("is_agreed")
        ]
    if verb in {"confirm_lab", "close"} and not report.get("lab_reason"):
        open_lines = [
            mark
            for mark, line in standing(report["lines"]).items()
            if not line.get("lab_outcome") and not is_article(line)
        ]
        found += [problem(f"lines/{mark}/lab_outcome", "lab-missing") for mark in open_lines]
    if verb == "close":
        found += [problem(key, "required") for key in ("modus_operandi", "lessons") if not report.get(key)]
        if says_who(report.get("modus_operandi") or ()):
            found.append(problem("modus_operandi", PERSON_IN_TEXT))
        if report.get("legal_outcome") in {None, "", "pending"}:
            found.append(problem("legal_outcome", "pending"))
    return found


def owed_at(stage: str, report: Report) -> list[Problem]:
    """Give what a report lacks of that which brought it to its stage; a correction may take none of it away.

    Of a verified report this takes `photo_purposes`, too.
    """
    found = missing_at(stage if stage in {FLASH, PRELIMINARY} else SUBMITTED, report)
    if stage not in {FLASH, PRELIMINARY, SUBMITTED}:
        found += [problem(key, "required") for key in _VERIFIED if not report.get(key)]
        found += _scale_shown(report)
    return found


def _missing_flash(report: Report) -> Iterator[Problem]:
    for key in _FLASH:
        if not report.get(key):
            yield problem(key, "required")
    if report.get("persons_count") is None:
        yield problem("persons_count", "required")
    if not report.get("photos") and not report.get("no_photo_reason"):
        yield problem("photos", "photo-or-reason")
    lines = standing(report["lines"])
    if not lines:
        yield problem("lines", "required")
    yield from _category(report, lines)
    for mark, line in lines.items():
        yield from _substance(mark, line)
    for found in measures(lines):
        if not (found.mass_g or found.volume_ml or found.count):
            yield problem(f"lines/{found.mark}", "no-measure")
        if found.count and not found.count_unit:
            yield problem(f"lines/{found.mark}/count_unit", "required")


def _substance(mark: str, line: Mapping[str, Any]) -> Iterator[Problem]:
    """Ask for the substance, or what else it is."""
    if line.get("article") and line.get("substance"):
        yield problem(f"lines/{mark}/article", "substance-or-article")
    elif not is_article(line) and not measure(mark, line).substance:
        yield problem(f"lines/{mark}/substance", "required")


def _category(report: Report, lines: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    """Ask what kind of find it is when something else than drugs was found, so that it goes to who answers for it."""
    articles = [is_article(line) for line in lines.values()]
    if any(articles) and not report.get("finding_category"):
        yield problem("finding_category", "required")
    elif articles and all(articles) and report.get("finding_category") in _DRUGS:
        yield problem("finding_category", "category")


def _lines_complete(report: Report) -> Iterator[Problem]:
    for mark, line in standing(report["lines"]).items():
        for key in _ARTICLE if is_article(line) else _LINE:
            if not line.get(key):
                yield problem(f"lines/{mark}/{key}", "required")
        if is_article(line) and line.get("measure_basis") not in WEIGHED:
            continue
        if len({str(badge).strip().upper() for badge in line.get("weighed_by") or ()} - {""}) < 2:
            yield problem(f"lines/{mark}/weighed_by", "two-weighers")


def _scale_shown(report: Report) -> Iterator[Problem]:
    """Ask for a photo of the scale when anything was weighed (dictionary 4.3); one may still be on its way."""
    weighed = any(line.get("measure_basis") in WEIGHED for line in standing(report["lines"]).values())
    shown = report["photo_purposes"]
    if weighed and not report.get("no_scale_photo_reason") and not {SCALE, None} & set(shown):
        yield problem("no_scale_photo_reason", "scale-photo-or-reason")


def _together(report: Report) -> Iterator[Problem]:
    occurred, detected = (parse_time(report.get(f"{what}_on_device_at")) for what in ("occurred", "detected"))
    if occurred and detected and detected < occurred:
        yield problem("detected_on_device_at", "before-occurred")
    yield from _transport(report)
    countries = {*(report.get("transit_countries") or ()), report.get("destination")}
    if report.get("direction") in _INWARD and "VN" not in countries:
        yield problem("destination", "no-vietnam")
    if report.get("direction") in _OUTWARD and report.get("departure") != "VN":
        yield problem("departure", "no-vietnam")
    if {"in_body", "on_body"} & set(report.get("concealment_places") or ()):
        if not standing(report["persons"]):
            yield problem("persons", "required")
        if not report.get("search_decision"):
            yield problem("search_decision", "required")
    yield from _participations(report)
    wanted = 1 if report.get("is_subject_present") == "yes" else 2
    if len(report.get("witnesses") or ()) < wanted:
        yield problem("witnesses", "witnesses")


def _transport(report: Report) -> Iterator[Problem]:
    if not any(standing(report[part]) for part in ("persons", "conveyances", "consignments")):
        yield problem("consignments", "subject-or-goods")
    wanted = _TRANSPORT.get(str(report.get("mode")), ())
    held = any(row.get(field) for part, field in wanted for row in standing(report[part]).values())
    if wanted and not held:
        yield problem(wanted[0][0], "transport")


def _participations(report: Report) -> Iterator[Problem]:
    leads = [p for p in report.get("participations") or () if p["role"] == "lead"]
    if len(leads) != 1:
        yield problem("participations", "one-lead")
    elif (report.get("lead_force") == "customs") != (leads[0].get("force") == "customs"):
        yield problem("participations", "lead-force")


def numbers_of(report: Report) -> list[dict[str, str]]:
    """Give every number of the report that may carry a check, with how it is compared and whether its check holds."""
    found = []
    for part, field, kind in _CHECKED:
        for mark, row in sorted(standing(report[part]).items()):
            raw = row.get(field)
            texts = raw if isinstance(raw, list) else [raw]
            found += [_number(part, mark, field, kind, text) for text in texts if text]
    for mark, person in sorted(standing(report["persons"]).items()):
        if person.get("document_number"):
            kind = str(person.get("document_kind") or "other")
            found.append(_number("persons", mark, "document_number", kind, person["document_number"]))
    return found


def _number(part: str, mark: str, field: str, kind: str, text: str) -> dict[str, str]:
    read = identify(kind, text)
    return {
        "part": part,
        "mark": mark,
        "field": field,
        "kind": kind,
        "raw": read.raw,
        "normalised": read.normalised,
        "valid": read.valid,
    }


def warnings_of(report: Report) -> list[str]:
    """Give what is taken and flagged, never refused."""
    found = list(suspicious(report["lines"]))
    if any(number["valid"] == "no" for number in numbers_of(report)):
        found.append("number-check-failed")
    open_texts = [report.get(key) for key in _OPEN]
    open_texts += [row.get(key) for part, key in _OPEN_PARTS for row in standing(report[part]).values()]
    if says_who(open_texts):
        found.append(PERSON_IN_TEXT)
    return list(dict.fromkeys(found))
