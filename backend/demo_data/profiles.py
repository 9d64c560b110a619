"""What is inspected where: for each type of unit the checklists, modes, places, reasons, and the hours of the day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

AIRPORTS = {"NBA": "HAN", "TSN": "SGN", "DAD": "DAD"}
PLACES: Mapping[str, tuple[str, ...]] = {
    "NBA": ("Nhà ga T2, sảnh đến quốc tế", "Nhà ga T2, sảnh đi quốc tế", "Kho NCTS", "Kho ALS"),
    "TSN": ("Ga quốc tế, sảnh đến", "Ga quốc tế, sảnh đi", "Kho TCS", "Kho SCSC"),
    "DAD": ("Nhà ga T2, sảnh đến", "Nhà ga T2, sảnh đi", "Kho hàng quốc tế"),
    "CPN": ("Kho chuyển phát nhanh Nội Bài, dây chuyền 1", "Kho chuyển phát nhanh Nội Bài, dây chuyền 2"),
    "CPS": (
        "Kho chuyển phát nhanh Tân Sơn Nhất, dây chuyền 1",
        "Kho chuyển phát nhanh Tân Sơn Nhất, dây chuyền 2",
    ),
    "LBA": ("Nhà kiểm soát liên hợp Lao Bảo", "Bãi kiểm hóa Lao Bảo"),
    "MBA": ("Nhà kiểm soát liên hợp Mộc Bài", "Bãi xe tải Mộc Bài"),
    "CLI": ("Bãi kiểm hóa Cát Lái", "Máy soi container Cát Lái"),
}
_ELSEWHERE = ("Khu vực kiểm tra số 1", "Khu vực kiểm tra số 2")


class Work(NamedTuple):
    """One kind of work of a unit type: which checklist, in which mode, at which kind of place, which way."""

    checklist: str
    mode: str
    place_type: str
    directions: Mapping[str, float]


PAX = Work(
    "passenger_baggage",
    "air_passenger",
    "passenger_hall",
    {"inward_passenger": 80, "outward_passenger": 18, "transit": 2},
)
AIR = Work("air_cargo", "air_cargo", "air_cargo_terminal", {"import": 62, "export": 36, "transit": 2})
EXTENDED = Work("air_cargo", "air_cargo", "extended_air_cargo", {"import": 70, "export": 30})
EXPRESS = Work("express_postal", "express", "express_hub", {"import": 58, "export": 42})
POSTAL = Work("express_postal", "postal", "post_office_exchange", {"import": 64, "export": 36})
BOX = Work("container", "sea_container", "seaport", {"import": 76, "export": 18, "transshipment": 6})
DEPOT = Work("container", "inland", "icd", {"import": 80, "export": 20})
TRUCK = Work("road_vehicle", "road_cargo", "border_gate", {"import": 60, "export": 34, "transit": 6})
BUS = Work("road_vehicle", "road_passenger", "border_gate", {"import": 66, "export": 34})
PATROL = Work("road_vehicle", "road_cargo", "patrol", {"internal": 100})

WORKS: Mapping[str, list[tuple[Work, float]]] = {
    "airport": [(PAX, 66), (AIR, 34)],
    "express": [(EXPRESS, 82), (POSTAL, 18)],
    "seaport": [(BOX, 100)],
    "icd": [(EXTENDED, 78), (DEPOT, 22)],
    "land_border": [(TRUCK, 58), (BUS, 42)],
    "investigation": [(PATROL, 40), (EXPRESS, 36), (AIR, 24)],
}
# Once in a while, beside the inspections: readiness of equipment, the dog team.
SUPPORT: Mapping[str, float] = {"equipment_readiness": 0.012, "canine_team": 0.010}
DOGS = frozenset({"NBA", "TSN", "CPN", "CPS", "LBA", "MBA", "CTR", "HN-MT", "HCM-MT"})

REASONS: Mapping[str, float] = {
    "random": 30,
    "targeted": 27,
    "declared": 19,
    "suspicion_observed": 12,
    "mandatory_100pct": 7,
    "alert_hit": 3,
    "joint_request": 2,
}
# Chance of a finding and of an open question, in thousandths, by why it was selected.
FINDING: Mapping[str, float] = {
    "random": 5,
    "declared": 4,
    "mandatory_100pct": 5,
    "targeted": 30,
    "suspicion_observed": 48,
    "alert_hit": 120,
    "joint_request": 80,
}
DOUBT: Mapping[str, float] = {
    "random": 16,
    "declared": 10,
    "mandatory_100pct": 12,
    "targeted": 50,
    "suspicion_observed": 90,
    "alert_hit": 150,
    "joint_request": 70,
}
DOUBTFUL: Mapping[str, float] = {"referred": 62, "suspicion_open": 30, "refused": 5, "aborted": 3}

# Weights of the 24 hours: airports wake early and work late, borders keep office hours, hubs sort at night.
_DAY = (0, 0, 0, 0, 0, 1, 3, 8, 11, 11, 10, 7, 5, 9, 10, 10, 8, 4, 2, 1, 0, 0, 0, 0)
HOURS: Mapping[str, tuple[int, ...]] = {
    "airport": (5, 3, 1, 1, 2, 5, 7, 7, 6, 6, 6, 6, 5, 5, 5, 5, 5, 6, 6, 6, 7, 8, 8, 7),
    "express": (6, 6, 5, 4, 3, 2, 2, 5, 8, 8, 7, 5, 4, 7, 8, 8, 7, 4, 3, 3, 4, 5, 6, 6),
    "land_border": (0, 0, 0, 0, 0, 0, 4, 10, 11, 10, 9, 6, 4, 8, 10, 10, 8, 4, 1, 0, 0, 0, 0, 0),
    "seaport": _DAY,
    "icd": _DAY,
    "investigation": (1, 1, 1, 1, 2, 2, 3, 6, 7, 7, 7, 4, 3, 6, 7, 7, 6, 5, 5, 5, 4, 4, 3, 2),
}
MINUTES: Mapping[str, tuple[int, int]] = {
    "passenger_baggage": (6, 35),
    "air_cargo": (15, 80),
    "express_postal": (4, 22),
    "container": (40, 190),
    "road_vehicle": (20, 75),
    "equipment_readiness": (15, 40),
    "canine_team": (20, 60),
    "suspected_drugs": (60, 240),
    "exhibit_handover": (30, 90),
}
FLIGHTS = ("VN", "VJ", "KE", "OZ", "QR", "EK", "TG", "SQ", "NH", "CX", "TK", "BR", "QV", "AF")
AIRWAY_PREFIX = ("738", "180", "157", "176", "217", "618", "160", "235")
NATIONS = ("VN", "KR", "DE", "FR", "NL", "CZ", "CA", "AU", "LA", "KH", "TH", "CN", "UTO")
