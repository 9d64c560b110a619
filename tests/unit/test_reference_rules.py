"""Check digits, folding, vocabularies and dated legal lists; and that the shipped files keep to all of them."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator

import airportsdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.models import Handling
from apps.inspections.models import Direction, Mode, Outcome, PlaceType, SelectionReason
from apps.reference.actions.shipping import SHIPPED
from apps.reference.rules.folding import fold
from apps.reference.rules.identifiers import KINDS, identify, is_container, is_country, mrz_digit
from apps.reference.rules.nominal import persons_in
from apps.reference.rules.substances import Control, in_force, read_control, read_substance
from apps.reference.rules.vocabularies import LISTS, codes, vocabularies, words

SOUND = [
    ("container_no", "CSQU3054383"),
    ("container_no", "MWCU 605978-4"),
    ("container_no", "TSTU0000020"),  # the remainder is ten, the digit nought
    ("mawb", "176-12345675"),
    ("mawb", "020-81140743"),
    ("mawb", "738-00055602"),
    ("s10", "EE556000393VN"),
    ("s10", "EE000055605VN"),
    ("s10", "rr473124829vn"),
    ("tax_code", "0100047516"),
    ("cas", "561-27-3"),
    ("cas", "1189805-46-6"),
    ("imo", "IMO 9074729"),
    ("country", "VN"),
    ("country", "UNK"),
    ("airport", "HAN"),
    ("flight_no", "VN 417"),
    ("plate", "29A-123.45"),
    ("plate", "51R-012.34"),
    ("declaration_no", "106123456780"),
    ("hs_code", "2939.42"),
]
BROKEN = [
    ("container_no", "CSQU3054384"),
    ("container_no", "___U1234567"),
    ("container_no", "CSQU３０５４３８３"),  # full-width digits are no digits here
    ("mawb", "176-12345676"),
    ("s10", "EE556000394VN"),
    ("tax_code", "0100047517"),
    ("cas", "561-27-4"),
    ("country", "ZZ"),
    ("airport", "QQQ"),
    ("hs_code", "29"),
]
ANN = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10"


@pytest.mark.parametrize(("kind", "raw"), SOUND)
def test_a_sound_number_is_known_as_such(kind: str, raw: str) -> None:
    assert identify(kind, raw).valid == "yes"


@pytest.mark.parametrize(("kind", "raw"), BROKEN)
def test_a_failed_check_is_told_and_the_number_kept(kind: str, raw: str) -> None:
    found = identify(kind, raw)
    assert (found.valid, found.raw) == ("no", raw)


@pytest.mark.parametrize("number", ["001099012345", "123456789"])
def test_what_has_no_check_digit_is_neither(number: str) -> None:
    assert identify("citizen_no", number).valid == "unknown"


def test_a_kind_without_a_rule_keeps_what_was_written() -> None:
    assert identify("courier_no", " 1Z 999-AA1 ").normalised == "1Z999AA1"
    assert identify("courier_no", "1Z999AA1").valid == "unknown"


def test_passport_zone_by_icao() -> None:
    assert [mrz_digit(t) for t in ("L898902C3", "740812", "120415")] == [6, 2, 9]
    assert identify("mrz", ANN).valid == "yes"
    assert identify("mrz", ANN.replace("740812", "750812")).valid == "no"


@given(st.sampled_from(KINDS), st.text(max_size=60))
def test_rubbish_never_breaks_a_check(kind: str, raw: str) -> None:
    assert identify(kind, raw).valid in {"yes", "no", "unknown"}


@given(st.text(alphabet="ABCDEFUJZR0123456789", min_size=11, max_size=11), st.integers(0, 9))
def test_one_wrong_digit_of_a_container_is_found(text: str, digit: int) -> None:
    other = text[:4] + str(digit) + text[5:]
    # Two numbers that differ in one digit cannot both be right, but for the check that ten and nought share.
    if other != text and text[-1] != "0":
        assert not (is_container(text) and is_container(other))


@given(st.text())
def test_folding_is_settled_after_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding_goes_over_marks_case_and_the_two_spellings_of_hoa() -> None:
    assert fold("  Cỏ  MỸ ") == "co my"
    assert fold("Hoà") == fold("Hòa") == fold("Ho\u0300a") == "hoa"
    assert fold("ĐÁ đá") == "da da"


def test_vocabularies_say_what_the_models_say() -> None:
    for name, choices in {
        "mode": Mode,
        "direction": Direction,
        "place_type": PlaceType,
        "selection_reason": SelectionReason,
        "outcome": Outcome,
        "handling": Handling,
    }.items():
        assert {code: words(name, code)[0] for code in vocabularies()[name]} == {
            code: str(label) for code, label in choices.choices
        }, name


def test_both_languages_stand_in_every_row_of_the_shipped_lists() -> None:
    for slug in SHIPPED:
        if slug == "countries":
            continue
        rows = list(shipped(slug))
        assert len({row["key"] for row in rows}) == len(rows), slug
        assert all(row["label_vi"] and row["label_en"] for row in rows), slug


def test_every_kind_of_find_has_an_authority_to_whom_it_goes() -> None:
    assert codes("hand_off") == codes("finding_category")


def test_substances_keep_to_the_vocabularies_and_their_cas_numbers_are_right() -> None:
    for row in shipped("substances"):
        assert row["class"] in codes("substance_class"), row
        assert row["report_group"] in codes("report_group"), row
        assert row["default_form"] in codes("form"), row
        assert row["typical_unit"] in codes("count_unit") | {"g", "ml"}, row
        assert (row["class"] == "precursor") == (row["report_group"] == "precursor"), row
        if row["cas"]:
            assert identify("cas", row["cas"]).valid == "yes", row


def test_controls_name_substances_and_days() -> None:
    known = {row["key"] for row in shipped("substances")}
    for row in shipped("substance-controls"):
        control = read_control(row)
        assert control is not None, row
        assert control.substance in known, row


def test_places_and_routes_are_in_the_world() -> None:
    airports = airportsdata.load("IATA")
    for row in shipped("places"):
        assert is_country(row["country"]), row
        if row["kind"] == "airport" and row["valid"] == "1":
            assert airports[row["key"]]["country"] == row["country"], row
        if row["kind"] == "seaport":
            assert row["key"][:2] == row["country"], row
    for row in shipped("routes"):
        assert all(map(is_country, f"{row['from']} {row['to']}".split())), row
        assert set(row["modes"].split()) <= codes("mode"), row


def test_a_substance_is_read_by_the_lists_of_the_day() -> None:
    old = Control("bromazolam", "NĐ 90/2024", "III", dt.date(2024, 7, 17), dt.date(2026, 3, 1))
    new = Control("bromazolam", "NĐ 28/2026", "III", dt.date(2026, 3, 1))
    assert in_force([old, new], dt.date(2024, 7, 16)) == []
    assert in_force([new, old], dt.date(2024, 7, 17)) == [old]
    assert in_force([old, new], dt.date(2026, 2, 28)) == [old]
    assert in_force([old, new], dt.date(2026, 3, 1)) == [new]


@pytest.mark.parametrize("data", [{}, {"substance": "x"}, {"substance": "x", "valid_from": "soon"}])
def test_a_control_whose_days_cannot_be_read_controls_nothing(data: dict[str, str]) -> None:
    assert read_control(data) is None


def test_a_substance_has_all_its_names() -> None:
    data = {"aliases": "THC; marijuana", "street_names": "cỏ;", "report_group": "cannabis"}
    found = read_substance("cannabis", ("Cần sa", "Cannabis"), data, valid=True)
    assert found.names == ("Cần sa", "Cannabis", "THC", "marijuana", "cỏ")
    assert not found.is_precursor


def shipped(slug: str) -> Iterator[dict[str, str]]:
    with (LISTS / f"{slug}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Đối tượng có CCCD 001088012345, trú tại Hà Nội", ["citizen_no"]),
        ("CCCD 079 199 012 345", ["citizen_no"]),
        ("hộ chiếu C1234567.", ["passport_no"]),
        ("gọi 0912 345 678 hoặc +84 912-345-678", ["phone"]),
        ("P<VNMNGUYEN<<VAN<A<<<<", ["passport_no"]),
        ("tờ khai 105123456789, vận đơn 176-12345675, container CSQU3054383", []),
        ("chuyến VN611 ngày 20/08/2024, 12.850,5 g, niêm phong NP-000123", []),
        ("bưu gửi EE556000393VN, 1Z999AA10123456784", []),
        ("Nguyễn Văn A", []),
    ],
)
def test_numbers_of_persons_in_a_text(text: str, kinds: list[str]) -> None:
    assert list(persons_in(text)) == kinds
