"""The 45 units: real names as of 2024, what the reorganisation of 2025-03-01 made of them, and partner agencies.

Names marked (K) in the dictionary are from general knowledge and unchecked. Sources disagree about the parent of Tân
Sơn Nhất after June 2025; here it stays under region II.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from apps.common.actor import SYSTEM
from apps.organisation.actions import create_unit, end_unit, move_unit, rename_unit
from apps.organisation.models import Unit
from backend.demo_data.simulation import Simulation, local

FOUNDED = dt.date(2015, 1, 1)
REFORM = dt.date(2025, 3, 1)


class Spec(NamedTuple):
    """A unit of the tree of 2024: code, level, type, parent, names; `weight` is its share of the inspections."""

    code: str
    level: str
    type: str
    parent: str | None
    vi: str
    en: str
    weight: int = 0
    vnaccs: str = ""
    force: str = "customs"


TREE: tuple[Spec, ...] = (
    Spec("HQ", "hq", "hq_dept", None, "Tổng cục Hải quan", "General Department of Vietnam Customs"),
    Spec(
        "ASID",
        "hq",
        "investigation",
        "HQ",
        "Cục Điều tra chống buôn lậu",
        "Anti-Smuggling Investigation Department",
    ),
    Spec(
        "ASID-MT",
        "team",
        "investigation",
        "ASID",
        "Đội Kiểm soát phòng, chống ma túy – Cục ĐTCBL",
        "Drug Control Team, Anti-Smuggling Investigation Department",
        weight=2,
    ),
    Spec("HTQT", "hq", "hq_dept", "HQ", "Vụ Hợp tác quốc tế", "International Cooperation Department"),
    Spec("HN", "region", "hq_dept", "HQ", "Cục Hải quan TP Hà Nội", "Hanoi Customs Department"),
    Spec(
        "NBA",
        "gate",
        "airport",
        "HN",
        "Chi cục Hải quan cửa khẩu sân bay quốc tế Nội Bài",
        "Nội Bài International Airport Customs",
        weight=17,
        vnaccs="01B1",
    ),
    Spec(
        "CPN",
        "gate",
        "express",
        "HN",
        "Chi cục Hải quan Chuyển phát nhanh",
        "Hanoi Express Customs",
        weight=13,
    ),
    Spec("BHN", "gate", "icd", "HN", "Chi cục Hải quan Bắc Hà Nội", "North Hanoi Customs", weight=4),
    Spec("GTH", "gate", "icd", "HN", "Chi cục Hải quan Gia Thụy", "Gia Thụy Customs", weight=2),
    Spec("VPH", "gate", "icd", "HN", "Chi cục Hải quan Vĩnh Phúc", "Vĩnh Phúc Customs", weight=1),
    Spec("PTH", "gate", "icd", "HN", "Chi cục Hải quan Phú Thọ", "Phú Thọ Customs", weight=1),
    Spec(
        "HN-MT",
        "team",
        "investigation",
        "HN",
        "Đội Kiểm soát phòng, chống ma túy – Cục HQ TP Hà Nội",
        "Hanoi Drug Control Team",
        weight=2,
    ),
    Spec(
        "HCM", "region", "hq_dept", "HQ", "Cục Hải quan TP Hồ Chí Minh", "Hồ Chí Minh City Customs Department"
    ),
    Spec(
        "TSN",
        "gate",
        "airport",
        "HCM",
        "Chi cục Hải quan cửa khẩu sân bay quốc tế Tân Sơn Nhất",
        "Tân Sơn Nhất International Airport Customs",
        weight=16,
    ),
    Spec(
        "CPS",
        "gate",
        "express",
        "HCM",
        "Chi cục Hải quan Chuyển phát nhanh TP Hồ Chí Minh",
        "Hồ Chí Minh City Express Customs",
        weight=10,
    ),
    Spec(
        "CLI",
        "gate",
        "seaport",
        "HCM",
        "Chi cục Hải quan cửa khẩu cảng Sài Gòn khu vực I",
        "Sài Gòn Port Customs, Area I (Cát Lái)",
        weight=3,
    ),
    Spec(
        "HCM-MT",
        "team",
        "investigation",
        "HCM",
        "Đội Kiểm soát phòng, chống ma túy – Cục HQ TP Hồ Chí Minh",
        "Hồ Chí Minh City Drug Control Team",
        weight=2,
    ),
    Spec("DNA", "region", "hq_dept", "HQ", "Cục Hải quan TP Đà Nẵng", "Đà Nẵng Customs Department"),
    Spec(
        "DAD",
        "gate",
        "airport",
        "DNA",
        "Chi cục Hải quan cửa khẩu sân bay quốc tế Đà Nẵng",
        "Đà Nẵng International Airport Customs",
        weight=6,
    ),
    Spec(
        "DNC",
        "gate",
        "seaport",
        "DNA",
        "Chi cục Hải quan cửa khẩu cảng Đà Nẵng",
        "Đà Nẵng Port Customs",
        weight=1,
    ),
    Spec("HPH", "region", "hq_dept", "HQ", "Cục Hải quan TP Hải Phòng", "Hải Phòng Customs Department"),
    Spec(
        "HP1",
        "gate",
        "seaport",
        "HPH",
        "Chi cục Hải quan cửa khẩu cảng Hải Phòng khu vực I",
        "Hải Phòng Port Customs, Area I",
        weight=2,
    ),
    Spec(
        "HP3",
        "gate",
        "seaport",
        "HPH",
        "Chi cục Hải quan cửa khẩu cảng Hải Phòng khu vực III",
        "Hải Phòng Port Customs, Area III",
        weight=2,
    ),
    Spec(
        "HP-MT",
        "team",
        "investigation",
        "HPH",
        "Đội Kiểm soát phòng, chống ma túy – Cục HQ TP Hải Phòng",
        "Hải Phòng Drug Control Team",
        weight=1,
    ),
    Spec("QTR", "region", "hq_dept", "HQ", "Cục Hải quan tỉnh Quảng Trị", "Quảng Trị Customs Department"),
    Spec(
        "LBA",
        "gate",
        "land_border",
        "QTR",
        "Chi cục Hải quan cửa khẩu quốc tế Lao Bảo",
        "Lao Bảo International Border Gate Customs",
        weight=5,
    ),
    Spec(
        "LLA",
        "gate",
        "land_border",
        "QTR",
        "Chi cục Hải quan cửa khẩu quốc tế La Lay",
        "La Lay International Border Gate Customs",
        weight=2,
    ),
    Spec("QBI", "region", "hq_dept", "HQ", "Cục Hải quan tỉnh Quảng Bình", "Quảng Bình Customs Department"),
    Spec(
        "CLO",
        "gate",
        "land_border",
        "QBI",
        "Chi cục Hải quan cửa khẩu quốc tế Cha Lo",
        "Cha Lo International Border Gate Customs",
        weight=2,
    ),
    Spec("HTI", "region", "hq_dept", "HQ", "Cục Hải quan tỉnh Hà Tĩnh", "Hà Tĩnh Customs Department"),
    Spec(
        "CTR",
        "gate",
        "land_border",
        "HTI",
        "Chi cục Hải quan cửa khẩu quốc tế Cầu Treo",
        "Cầu Treo International Border Gate Customs",
        weight=3,
    ),
    Spec("TNI", "region", "hq_dept", "HQ", "Cục Hải quan tỉnh Tây Ninh", "Tây Ninh Customs Department"),
    Spec(
        "MBA",
        "gate",
        "land_border",
        "TNI",
        "Chi cục Hải quan cửa khẩu quốc tế Mộc Bài",
        "Mộc Bài International Border Gate Customs",
        weight=5,
    ),
    Spec("LSN", "region", "hq_dept", "HQ", "Cục Hải quan tỉnh Lạng Sơn", "Lạng Sơn Customs Department"),
    Spec(
        "HNG",
        "gate",
        "land_border",
        "LSN",
        "Chi cục Hải quan cửa khẩu quốc tế Hữu Nghị",
        "Hữu Nghị International Border Gate Customs",
        weight=3,
    ),
    Spec("QNI", "region", "hq_dept", "HQ", "Cục Hải quan tỉnh Quảng Ninh", "Quảng Ninh Customs Department"),
    Spec(
        "MCA",
        "gate",
        "land_border",
        "QNI",
        "Chi cục Hải quan cửa khẩu quốc tế Móng Cái",
        "Móng Cái International Border Gate Customs",
        weight=2,
    ),
)

PARTNERS: tuple[Spec, ...] = (
    Spec(
        "PC04-HN",
        "partner",
        "investigation",
        None,
        "Phòng PC04 – Công an TP Hà Nội",
        "Drug Police Division, Hanoi Police",
        force="police",
    ),
    Spec(
        "PC04-HCM",
        "partner",
        "investigation",
        None,
        "Phòng PC04 – Công an TP Hồ Chí Minh",
        "Drug Police Division, Hồ Chí Minh City Police",
        force="police",
    ),
    Spec(
        "BP-QTR",
        "partner",
        "land_border",
        None,
        "Bộ đội Biên phòng tỉnh Quảng Trị",
        "Quảng Trị Border Guard",
        force="border_guard",
    ),
    Spec(
        "KHHS",
        "partner",
        "investigation",
        None,
        "Viện Khoa học hình sự – Bộ Công an",
        "Institute of Forensic Science",
        force="police",
    ),
    Spec(
        "ANHK-NBA",
        "partner",
        "airport",
        None,
        "An ninh hàng không Nội Bài",
        "Nội Bài Aviation Security",
        force="aviation_security",
    ),
    Spec(
        "KCS",
        "partner",
        "foreign",
        None,
        "Hải quan Hàn Quốc – Tổ điều phối chiến dịch",
        "Korea Customs Service, operational coordination unit",
        force="foreign_customs",
    ),
)

# Regions made on the day of the reform, out of several provinces.
NEW_REGIONS: tuple[Spec, ...] = (
    Spec("KV9", "region", "hq_dept", "HQ", "Chi cục Hải quan khu vực IX", "Regional Customs IX"),
    Spec("KV11", "region", "hq_dept", "HQ", "Chi cục Hải quan khu vực XI", "Regional Customs XI"),
)
MOVED = {"LBA": "KV9", "LLA": "KV9", "CLO": "KV9", "CTR": "KV11"}
ENDED = ("QTR", "QBI", "HTI")
RENAMED: dict[str, tuple[str, str]] = {
    "HQ": ("Cục Hải quan", "Department of Vietnam Customs"),
    "ASID": ("Chi cục Điều tra chống buôn lậu", "Anti-Smuggling Investigation Sub-department"),
    "HN": ("Chi cục Hải quan khu vực I", "Regional Customs I"),
    "HCM": ("Chi cục Hải quan khu vực II", "Regional Customs II"),
    "HPH": ("Chi cục Hải quan khu vực III", "Regional Customs III"),
    "LSN": ("Chi cục Hải quan khu vực VI", "Regional Customs VI"),
    "QNI": ("Chi cục Hải quan khu vực VIII", "Regional Customs VIII"),
    "DNA": ("Chi cục Hải quan khu vực XII", "Regional Customs XII"),
    "TNI": ("Chi cục Hải quan khu vực XVI", "Regional Customs XVI"),
    "CPN": ("Hải quan Chuyển phát nhanh Hà Nội", "Hanoi Express Customs"),
}
_TEAMS = {
    "ASID-MT": (
        "Đội Kiểm soát phòng, chống ma túy – Chi cục ĐTCBL",
        "Drug Control Team, Anti-Smuggling Investigation",
    ),
    "HN-MT": ("Đội Kiểm soát phòng, chống ma túy – Chi cục HQ khu vực I", "Drug Control Team, Region I"),
    "HCM-MT": ("Đội Kiểm soát phòng, chống ma túy – Chi cục HQ khu vực II", "Drug Control Team, Region II"),
    "HP-MT": ("Đội Kiểm soát phòng, chống ma túy – Chi cục HQ khu vực III", "Drug Control Team, Region III"),
}

WORKING = tuple(spec for spec in TREE if spec.weight)


def make_units(story: Simulation) -> dict[str, Unit]:
    """Create the tree of 2024 and reorganise it on 2025-03-01; give the units by code."""
    story.at(local(FOUNDED, 8))
    units: dict[str, Unit] = {}
    for spec in (*TREE, *PARTNERS):
        units[spec.code] = _create(story, spec, units, FOUNDED)
    if story.end >= local(REFORM, 8):
        _reform(story, units)
    return units


def _reform(story: Simulation, units: dict[str, Unit]) -> None:
    story.at(local(REFORM, 0, 5))
    for spec in NEW_REGIONS:
        units[spec.code] = _create(story, spec, units, REFORM)
    for code, parent in MOVED.items():
        move_unit(actor=SYSTEM, unit=units[code], parent=units[parent], valid_from=REFORM)
    for code, names in _new_names():
        rename_unit(actor=SYSTEM, unit=units[code], names=names, valid_from=REFORM)
    for code in ENDED:
        end_unit(actor=SYSTEM, unit=units[code], valid_to=REFORM)


def _create(story: Simulation, spec: Spec, units: dict[str, Unit], since: dt.date) -> Unit:
    parent: UUID | None = units[spec.parent].pk if spec.parent else None
    return create_unit(
        actor=SYSTEM,
        code=spec.code,
        level=spec.level,
        type=spec.type,
        names=(spec.vi, spec.en),
        valid_from=since,
        parent=parent,
        force=spec.force,
        vnaccs_codes=[spec.vnaccs] if spec.vnaccs else [],
        id=story.new_id(),
    )


def _new_names() -> Iterator[tuple[str, tuple[str, str]]]:
    """Give what each unit is called since the reform: “Chi cục Hải quan cửa khẩu …” became “Hải quan cửa khẩu …”."""
    yield from RENAMED.items()
    yield from _TEAMS.items()
    for spec in TREE:
        if spec.level == "gate" and spec.code not in RENAMED:
            yield spec.code, (spec.vi.removeprefix("Chi cục "), spec.en)
