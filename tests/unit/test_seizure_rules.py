"""What a line counts as, what each stage asks, what fields must say together: plain data in and out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.inspections.errors import ReportVoided, StateChanged, StateLocked
from apps.reference.rules.vocabularies import codes, words
from apps.seizures.actions import DECIDERS
from apps.seizures.models import Stage, StatisticStatus
from apps.seizures.rules import stages
from apps.seizures.rules.checks import missing_at, missing_for, numbers_of, warnings_of
from apps.seizures.rules.fields import HEADER, LAB_FIELDS, PARTS, check_patch, read_value
from apps.seizures.rules.lines import measure, measures, suspicious, total_mass
from tests.seizing import flash, line, sound


def ready(**changed: Any) -> dict[str, Any]:
    """Give a sound report as the rules read it."""
    said = sound(**changed)
    own = {"force": "customs", "agency": "", "is_agreed": True}
    leads = [{**own, **p} for p in said["participations"]]
    return {"conveyances": {}, **said, "participations": leads}


def codes_of(problems: Any) -> set[tuple[str, str]]:
    return {(fault.pointer.removeprefix("/fields/"), fault.code) for fault in problems}


@pytest.mark.parametrize(
    ("columns", "mass", "basis"),
    [
        ({"net_mass_g": "5", "measure_basis": "scale_net"}, "5", "scale_net"),
        ({"gross_mass_g": "7", "net_mass_g": "5", "measure_basis": "scale_net"}, "5", "scale_net"),
        ({"gross_mass_g": "7", "net_mass_g": "5", "measure_basis": "scale_gross"}, "7", "scale_gross"),
        ({"gross_mass_g": "7", "measure_basis": "scale_net"}, "7", "scale_gross"),
        ({"net_mass_g": "5"}, "5", "estimated"),
        ({"net_mass_g": "5", "lab_outcome": "positive", "lab_net_mass_g": "4.9999"}, "4.9999", "lab_net"),
        ({"net_mass_g": "5", "measure_basis": "scale_net", "lab_outcome": "positive"}, "5", "scale_net"),
    ],
)
def test_the_best_measure_is_taken(columns: dict[str, Any], mass: str, basis: str) -> None:
    found = measure("1", {"substance": "heroin", **columns})
    assert (found.mass_g, found.basis) == (Decimal(mass), basis)


def test_what_was_only_counted_keeps_the_basis_that_was_reported() -> None:
    found = measure(
        "1", {"substance": "mdma", "count": 930, "count_unit": "tablet", "measure_basis": "scale_net"}
    )
    assert (found.mass_g, found.count, found.basis) == (None, 930, "scale_net")


def test_a_laboratory_that_weighed_nothing_loses_no_mass() -> None:
    weighed = line(lab_outcome="positive", lab_substance="mdma", lab_purity_pct="81.2")
    found = measure("1", weighed)
    assert (found.substance, found.mass_g, found.basis) == ("mdma", Decimal("1200.5"), "scale_net")


def test_negative_and_struck_out_lines_count_for_nothing() -> None:
    assert measure("1", line(lab_outcome="negative")).excluded == "lab_negative"
    assert measure("1", line(removed="Ghi nhầm")).excluded == "struck_out"
    assert total_mass(
        measures({"1": line(removed="x"), "2": line(), "3": line(lab_outcome="negative")})
    ) == Decimal("1200.5")


def test_estimates_and_tablets_are_no_mass() -> None:
    rough = {"substance": "heroin", "net_mass_g": "1000", "measure_basis": "estimated"}
    tablets = {"substance": "mdma", "count": 1830, "count_unit": "tablet"}
    assert total_mass(measures({"1": rough, "2": tablets})) == 0


GRAMS = st.decimals(0, 10**6, places=4, allow_nan=False, allow_infinity=False).map(lambda d: f"{d:f}")


@given(st.lists(GRAMS, max_size=20))
def test_masses_add_exactly(grams: list[str]) -> None:
    lines = {str(i): line(gross_mass_g=None, net_mass_g=text) for i, text in enumerate(grams)}
    assert total_mass(measures(lines)) == sum(map(Decimal, grams), Decimal(0))


@given(
    st.sampled_from(
        [*HEADER.values(), *LAB_FIELDS.values(), *(s for part in PARTS.values() for s in part.values())]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ),
)
def test_rubbish_is_refused_by_its_code(spec: str, value: Any) -> None:
    found, fault = read_value(spec, value)
    assert fault or read_value(spec, found) == (found, "")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("0.00001", "places"),
        (0.1, "number"),
        ("-1", "number"),
        ("1e3", "number"),
        (True, "number"),
        ("٣", "number"),
    ],
)
def test_amounts_are_never_rounded(value: Any, fault: str) -> None:
    assert read_value("decimal 4", value) == (None, fault)


def test_amounts_have_one_spelling() -> None:
    assert [read_value("decimal 4", v)[0] for v in ("5.5000", "5.5", 5, "005", "100")] == [
        "5.5",
        "5.5",
        "5",
        "5",
        "100",
    ]


def test_marks_and_fields_that_break_the_flattening_are_refused() -> None:
    told = {"lines": {"1.2": {}, "a": {}, "1": {"lab_net_mass_g": "1", "x.y": 1}, "2": None}, "lines.1": 1}
    _, problems = check_patch(told)
    assert {p.code for p in problems} == {"mark", "name", "type"}
    assert len(problems) == 6


def test_fields_of_a_newer_phone_are_kept() -> None:
    flat, problems = check_patch({"odour": "chua", "lines": {"1": {"colour": "trắng"}}})
    assert not problems
    assert flat == {"odour": "chua", "lines.1.colour": "trắng"}


def test_a_sound_report_lacks_nothing() -> None:
    assert not missing_at("submitted", ready())
    assert not missing_at("flash", {"persons": {}, "consignments": {}, "conveyances": {}, **flash()})


FORGED = {"1": {"courier_no": "1Z", "mawb": "176-12345676"}}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (
            {"detected_on_device_at": "2020-01-01T00:00:00+00:00"},
            ("detected_on_device_at", "before-occurred"),
        ),
        ({"mode": "postal"}, ("consignments", "transport")),
        ({"mode": "sea_container"}, ("consignments", "transport")),
        ({"destination": "KR"}, ("destination", "no-vietnam")),
        ({"direction": "export"}, ("departure", "no-vietnam")),
        ({"concealment_places": ["in_body"]}, ("search_decision", "required")),
        ({"concealment_places": ["on_body"], "persons": {}}, ("persons", "required")),
        ({"participations": []}, ("participations", "one-lead")),
        ({"lead_force": "police"}, ("participations", "lead-force")),
        ({"is_subject_present": "no"}, ("witnesses", "witnesses")),
        ({"lines": {"1": line(weighed_by=["HQ-A", "hq-a "])}}, ("lines/1/weighed_by", "two-weighers")),
        ({"lines": {"1": line(net_mass_g="1300")}}, ("lines/1/net_mass_g", "net-over-gross")),
        ({"lines": {"1": line(seal_numbers=[])}}, ("lines/1/seal_numbers", "required")),
        ({"persons": {}, "consignments": {}}, ("consignments", "subject-or-goods")),
        ({"lines": {"1": line(removed="x")}}, ("lines", "required")),
        ({"checklist_version": None}, ("checklist_version", "required")),
    ],
)
def test_what_a_submission_must_say_together(changed: dict[str, Any], fault: tuple[str, str]) -> None:
    assert fault in codes_of(missing_at("submitted", ready(**changed)))


def test_police_lead_by_a_unit_or_an_agency_of_theirs() -> None:
    police = [{"unit": "PC04", "agency": "", "role": "lead", "force": "police"}]
    agency = [{"unit": "", "agency": "Công an tỉnh", "role": "lead", "force": ""}]
    for who in (police, agency):
        report = {**ready(lead_force="police"), "participations": who}
        assert not missing_at("submitted", report)


def test_what_a_verification_needs_beside_the_full_report() -> None:
    said = ready(photo_purposes=[])
    assert codes_of(missing_for("verify_unit", said)) == {
        ("watch_linked", "required"),
        ("handover_plan", "required"),
    }
    answered = {**said, "watch_linked": "unknown", "handover_plan": "PC04"}
    assert not missing_for("verify_unit", answered)
    bare = {**answered, "lines": {"1": line(scale_id="", weighed_by=["HQ-A"])}}
    assert codes_of(missing_for("verify_unit", bare)) == {
        ("lines/1/scale_id", "required"),
        ("lines/1/weighed_by", "two-weighers"),
    }


def test_what_a_close_needs() -> None:
    assert {key for key, _ in codes_of(missing_for("close", ready()))} == {
        "lines/1/lab_outcome",
        "modus_operandi",
        "lessons",
        "legal_outcome",
    }
    done = ready(
        lab_reason="Không giám định",
        modus_operandi=["x"],
        lessons="no",
        legal_outcome="handed_over_police",
    )
    assert not missing_for("close", done)
    assert codes_of(missing_for("close", {**done, "legal_outcome": "pending"})) == {
        ("legal_outcome", "pending")
    }
    named = {**done, "modus_operandi": ["giấu trong va li", "gọi 0912345678"]}
    assert codes_of(missing_for("close", named)) == {("modus_operandi", "person-in-text")}


def test_suspicions_are_told_and_never_refused() -> None:
    assert list(suspicious({"1": line(), "2": line()})) == ["lines-alike"]
    assert list(suspicious({"1": line(), "2": line(removed="trùng")})) == []
    odd = line(count=5000, count_unit="tablet", net_mass_g="100")
    assert list(suspicious({"1": odd})) == ["tablet-mass"]
    heavy = line(count=5000, count_unit="tablet", gross_mass_g="3100", net_mass_g="3001")
    assert list(suspicious({"1": heavy})) == ["tablet-mass"]
    press = line(count=5000, count_unit="tablet", gross_mass_g="2300", net_mass_g="2200")
    assert list(suspicious({"1": press})) == []
    assert warnings_of(ready(consignments=FORGED)) == ["number-check-failed"]
    assert warnings_of(ready(summary="Đối tượng mang CCCD 001088012345")) == ["person-in-text"]
    assert warnings_of(ready(lines={"1": line(remark="của người gọi 0912345678")})) == ["person-in-text"]
    assert warnings_of(ready(lines={"1": line(remark="0912345678", removed="trùng")})) == []


def test_numbers_are_found_in_every_part_but_not_where_struck_out() -> None:
    report = ready(
        consignments={"1": {"container_nos": ["CSQU3054383", "x"]}, "2": {"mawb": "1", "removed": "x"}},
        persons={"1": {"document_kind": "citizen_no", "document_number": "001099012345"}},
    )
    told = {(n["kind"], n["normalised"], n["valid"]) for n in numbers_of(report)}
    assert told == {
        ("container_no", "CSQU3054383", "yes"),
        ("container_no", "X", "no"),
        ("citizen_no", "001099012345", "unknown"),
        ("seal", "NP000123", "unknown"),
    }


@pytest.mark.parametrize(
    ("stage", "refusal"),
    [
        ("submitted", StateLocked),
        ("hq_accepted", StateChanged),
        ("voided", ReportVoided),
        ("merged", ReportVoided),
    ],
)
def test_where_phones_may_no_longer_edit(stage: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        stages.check_editable(stage)


# The whole way of dictionary 4.3, written out: a move that is added, lost or bent shows here.
LIVE = "flash preliminary submitted unit_verified region_verified hq_accepted lab_confirmed".split()
WAY = {
    ("verify_unit", "submitted", "unit_verified"),
    ("verify_region", "unit_verified", "region_verified"),
    ("accept", "region_verified", "hq_accepted"),
    ("confirm_lab", "hq_accepted", "lab_confirmed"),
    ("close", "lab_confirmed", "closed"),
    *(("return", stage, "preliminary") for stage in ("submitted", "unit_verified", "region_verified")),
    *(("void", stage, "voided") for stage in LIVE),
}


def test_the_way_is_that_of_the_dictionary() -> None:
    assert {(verb, a, b) for verb, starts in stages.MOVES.items() for a, b in starts.items()} == WAY
    assert stages.SENDS == {
        "flash": ("draft",),
        "preliminary": ("draft", "flash"),
        "submitted": ("draft", "flash", "preliminary"),
    }
    assert {verb: " ".join(sorted(roles)) for verb, roles in DECIDERS.items()} == {
        **dict.fromkeys(("verify_unit", "verify_region"), "leader"),
        **dict.fromkeys(("accept", "close"), "hq_reviewer"),
        **dict.fromkeys(("confirm_lab", "return", "void"), "hq_reviewer leader"),
    }


@pytest.mark.parametrize("verb", stages.MOVES)
def test_a_decision_starts_where_it_may_and_nowhere_else(verb: str) -> None:
    for stage in Stage.values:
        to = stages.MOVES[verb].get(stage)
        if to:
            assert stages.next_stage(verb, stage) == to
        else:
            with pytest.raises((StateChanged, ReportVoided)):
                stages.next_stage(verb, stage)


def test_how_a_report_stands_in_the_figures() -> None:
    counted, negative = [measure("1", line())], [measure("1", line(lab_outcome="negative"))]
    assert stages.statistic_status("draft", counted) == "excluded"
    assert stages.statistic_status("flash", counted) == "provisional"
    assert stages.statistic_status("closed", counted) == "confirmed"
    assert stages.statistic_status("closed", negative) == "excluded"
    assert stages.statistic_status("submitted", [*negative, *counted]) == "provisional"
    assert stages.statistic_status("merged", counted) == "excluded"


def test_models_and_vocabularies_say_the_same() -> None:
    for name, choices in {"seizure_stage": Stage, "statistic_status": StatisticStatus}.items():
        labels: Mapping[str, str] = {code: str(label) for code, label in choices.choices if code != "draft"}
        assert labels == {code: words(name, code)[0] for code in codes(name)}


def test_a_day_long_ago_is_written_as_a_day() -> None:
    assert read_value("date", "2024-02-29") == ("2024-02-29", "")
    assert read_value("date", "2023-02-29") == (None, "date")
    assert read_value("time", dt.datetime(2024, 1, 1, tzinfo=dt.UTC).isoformat())[1] == ""
