"""Seizure reports laid out for reading: fields with labels, lines with what they count as, versions side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from apps.common.text import pick, say
from apps.console.templatetags.console import day, grams, number, when
from apps.inspections.rules import parse_time
from apps.organisation.queries import names_by_code
from apps.reference.queries import countries, label, substances
from apps.seizures.models import SeizureLine
from apps.seizures.rules.fields import HEADER, LAB_FIELDS, NOMINAL, PARTS
from apps.seizures.rules.lines import ESTIMATED, NOT_A_DRUG, Measure

_LABELS: Mapping[str, str] = {
    "kind": say("Loại báo cáo", "Kind"),
    "place": say("Địa điểm", "Place"),
    "summary": say("Diễn biến", "Summary"),
    "remarks": say("Ghi chú", "Remarks"),
    "no_photo_reason": say("Lý do không có ảnh", "Reason for no photo"),
    "no_scale_photo_reason": say("Lý do không có ảnh mặt cân", "Reason for no photo of the scale"),
    "record_doc_number": say("Số biên bản", "Record number"),
    "record_doc_on": say("Ngày biên bản", "Record date"),
    "search_decision": say("Số quyết định khám người", "Search decision"),
    "handover_plan": say("Phương án bàn giao", "Plan of hand-over"),
    "lab_reason": say("Lý do chưa có giám định", "Reason for no laboratory result"),
    "handover_reason": say("Lý do không có bàn giao", "Reason for no hand-over"),
    "lessons": say("Có bài học nghiệp vụ", "Lessons to learn"),
    "occurred_on_device_at": say("Thời điểm xảy ra (giờ trên máy)", "Occurred (phone's clock)"),
    "detected_on_device_at": say("Thời điểm phát hiện (giờ trên máy)", "Detected (phone's clock)"),
    "mode": say("Phương thức vận chuyển", "Mode"),
    "direction": say("Hướng", "Direction"),
    "place_type": say("Loại địa điểm", "Kind of place"),
    "lead_force": say("Lực lượng chủ trì", "Leading force"),
    "first_cue": say("Dấu hiệu đầu tiên", "First cue"),
    "legal_outcome": say("Kết quả xử lý", "Legal outcome"),
    "finding_category": say("Loại phát hiện", "Category of the find"),
    "handling": say("Mức độ tiếp cận", "Handling"),
    "watch_linked": say("Trùng danh sách theo dõi", "Linked to a watchlist"),
    "is_subject_present": say("Có mặt đối tượng", "Subject present"),
    "persons_count": say("Số đối tượng", "Number of persons"),
    "means": say("Biện pháp phát hiện", "Means of detection"),
    "concealment_places": say("Nơi cất giấu", "Place of concealment"),
    "concealment_techniques": say("Thủ đoạn cất giấu", "Technique of concealment"),
    "modus_operandi": say("Phương thức, thủ đoạn", "Modus operandi"),
    "origin": say("Nước sản xuất", "Country of origin"),
    "departure": say("Nước đi", "Country of departure"),
    "destination": say("Nước đến", "Country of destination"),
    "intended_final": say("Đích cuối", "Final destination"),
    "transit_countries": say("Nước quá cảnh", "Countries of transit"),
    "participants": say("Công chức tham gia", "Participants"),
    "photos": say("Ảnh", "Photos"),
    "lines": say("Tang vật", "Goods"),
    "persons": say("Đối tượng", "Persons"),
    "conveyances": say("Phương tiện", "Conveyances"),
    "consignments": say("Lô hàng, bưu gửi", "Consignments"),
    "checklist_version": say("Bảng kiểm", "Checklist"),
    "participations": say("Đơn vị tham gia", "Units that took part"),
    "substance": say("Chất", "Substance"),
    "article": say("Vật khác (không phải ma túy)", "Another thing (no drug)"),
    "form": say("Dạng", "Form"),
    "gross_mass_g": say("Cả bì (g)", "Gross (g)"),
    "net_mass_g": say("Tịnh (g)", "Net (g)"),
    "volume_ml": say("Thể tích (ml)", "Volume (ml)"),
    "count": say("Số lượng", "Count"),
    "count_unit": say("Đơn vị đếm", "Counted in"),
    "measure_basis": say("Cơ sở cân đo", "Basis of measure"),
    "id_basis": say("Cơ sở xác định", "Basis of identification"),
    "packages": say("Số kiện", "Packages"),
    "mark": say("Dòng tang vật", "Line"),
    "description": say("Mô tả", "Description"),
    "scale_id": say("Cân số", "Scale"),
    "weighed_by": say("Người cân", "Weighed by"),
    "seal_numbers": say("Số niêm phong", "Seals"),
    "remark": say("Ghi chú", "Remark"),
    "removed": say("Gạch bỏ, lý do", "Struck out, reason"),
    "role": say("Vai trò", "Role"),
    "status": say("Tình trạng", "Status"),
    "sex": say("Giới tính", "Sex"),
    "nationality": say("Quốc tịch", "Nationality"),
    "full_name": say("Họ tên", "Full name"),
    "original_name": say("Tên theo chữ gốc", "Name in its own script"),
    "birth_date": say("Ngày sinh", "Date of birth"),
    "document_kind": say("Loại giấy tờ", "Kind of document"),
    "document_number": say("Số giấy tờ", "Document number"),
    "handed_over_on": say("Ngày bàn giao", "Handed over on"),
    "flight_no": say("Chuyến bay", "Flight"),
    "flight_on": say("Ngày bay", "Day of flight"),
    "vessel": say("Tàu", "Vessel"),
    "imo": say("Số IMO", "IMO number"),
    "voyage": say("Chuyến", "Voyage"),
    "plate": say("Biển kiểm soát", "Plate"),
    "plate_country": say("Nước đăng ký", "Country of the plate"),
    "trailer": say("Rơ-moóc", "Trailer"),
    "train": say("Tàu hỏa", "Train"),
    "mawb": say("Vận đơn chủ", "Master air waybill"),
    "hawb": say("Vận đơn phụ", "House air waybill"),
    "courier_no": say("Mã chuyển phát", "Courier number"),
    "s10": say("Mã bưu gửi", "Postal item"),
    "bl_no": say("Vận đơn đường biển", "Bill of lading"),
    "container_nos": say("Số container", "Containers"),
    "declaration_no": say("Số tờ khai", "Declaration"),
    "declared_goods": say("Hàng khai báo", "Declared goods"),
    "hs_code": say("Mã HS", "HS code"),
    "declared_weight_kg": say("Trọng lượng khai (kg)", "Declared weight (kg)"),
    "weighed_kg": say("Trọng lượng cân (kg)", "Weighed (kg)"),
    "consignor": say("Người gửi", "Consignor"),
    "consignee": say("Người nhận", "Consignee"),
    "phone": say("Điện thoại", "Telephone"),
    "witnesses": say("Người chứng kiến", "Witnesses"),
    "lab_outcome": say("Kết luận giám định", "Laboratory outcome"),
    "lab_substance": say("Chất theo giám định", "Substance by laboratory"),
    "lab_net_mass_g": say("Tịnh theo giám định (g)", "Net by laboratory (g)"),
    "lab_volume_ml": say("Thể tích theo giám định (ml)", "Volume by laboratory (ml)"),
    "lab_count": say("Số lượng theo giám định", "Count by laboratory"),
    "lab_purity_pct": say("Hàm lượng (%)", "Purity (%)"),
    "lab_name": say("Cơ quan giám định", "Laboratory"),
    "lab_number": say("Số kết luận", "Number of the result"),
    "lab_on": say("Ngày kết luận", "Date of the result"),
    "lab_note": say("Ghi chú giám định", "Remark of the laboratory"),
}
# Shown elsewhere on the page, or of no use to a reader.
_QUIET = frozenset(
    {"captured_tz", "photos", "alert_ids", "campaign_ids", "inspection", "checklist_version", "witnesses"}
)
_AMONG: Mapping[str, str] = {
    "initial": say("Ban đầu", "Initial"),
    "expansion": say("Mở rộng", "Expansion"),
    "yes": say("Có", "Yes"),
    "no": say("Không", "No"),
    "unknown": say("Chưa rõ", "Unknown"),
    "internal": say("Nội bộ", "Internal"),
    "restricted": say("Hạn chế", "Restricted"),
    "male": say("Nam", "Male"),
    "female": say("Nữ", "Female"),
    "passport_no": say("Hộ chiếu", "Passport"),
    "citizen_no": say("Căn cước", "Identity card"),
    "mrz": say("Vùng đọc máy", "Machine-readable zone"),
    "other": say("Khác", "Other"),
    "positive": say("Là ma túy, tiền chất", "Positive"),
    "negative": say("Không phải ma túy", "Negative"),
}
_SPECS = {**HEADER, **LAB_FIELDS, **{name: spec for part in PARTS.values() for name, spec in part.items()}}


@dataclass(frozen=True)
class Called:
    """What substances, countries and units are called, by key, by two letters, by code."""

    substances: Mapping[str, str] = field(default_factory=dict)
    countries: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def names_known() -> Called:
    """Give all names that a page of seizures may need, in the language of the request."""
    return Called(
        substances={key: pick(s.vi, s.en) for key, s in substances().items()},
        countries=countries(),
        units=names_by_code(),
    )


@dataclass(frozen=True)
class Row:
    """One thing of a part, by its mark, and what it is called; `is_struck` when it no longer counts."""

    mark: str
    name: str
    cells: tuple[tuple[str, str], ...]
    is_struck: bool


@dataclass(frozen=True)
class Difference:
    """One field that differs between two versions."""

    name: str
    before: str
    after: str


def name_of(key: str) -> str:
    """Name a field, in the language of whoever reads it; one of a newer version is shown by its key."""
    return _LABELS.get(key, key)


def words_of(key: str, value: Any, called: Called) -> str:
    """Put the value of a field into words; a code that nobody has named is shown as it is."""
    if value is None or value in ("", []):
        return ""
    if key in {"substance", "lab_substance"}:
        return called.substances.get(value, value)
    if key == "participations":
        return "; ".join(_participation(part, called) for part in value)
    kind, _, rest = _SPECS.get(key, "text").partition(" ")
    if kind in {"country", "countries"}:
        several = value if isinstance(value, list) else [value]
        return ", ".join(called.countries.get(code, code) for code in several)
    read = _READ.get(kind)
    if read is not None:
        return read(value, rest)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _coded(value: str, vocabulary: str) -> str:
    """Say what a code is called; of a kind of find also who answers for it."""
    if vocabulary != "finding_category":
        return label(vocabulary, value)
    return f"{label(vocabulary, value)} ({pick('chuyển giao cho: ', 'goes to: ')}{label('hand_off', value)})"


_READ: Mapping[str, Callable[[Any, str], str]] = {
    "code": _coded,
    "codes": lambda value, rest: ", ".join(label(rest, code) for code in value),
    "among": lambda value, _: str(_AMONG.get(value) or label("measure_basis", value)),
    "time": lambda value, _: when(parse_time(value)),
    "date": lambda value, _: day(dt.date.fromisoformat(value)),
    **dict.fromkeys(
        ("decimal", "percent"), lambda value, _: number(value, len(str(value).partition(".")[2]))
    ),
}


def _participation(part: Mapping[str, str], called: Called) -> str:
    who = called.units.get(part["unit"], part["unit"]) if part["unit"] else part["agency"]
    return f"{who} ({label('participation', part['role'])})"


def header_of(fields: Mapping[str, Any], called: Called) -> list[tuple[str, str]]:
    """Give the header's fields in their order, with labels; what says who somebody is stays out."""
    keys = [key for key in HEADER if key not in _QUIET]
    shown = ((name_of(key), words_of(key, fields.get(key), called)) for key in keys)
    return [(name, text) for name, text in shown if text]


def rows_of(
    part: str, things: Mapping[str, Mapping[str, Any]], called: Called, *, with_names: bool = False
) -> list[Row]:
    """Lay out the things of a part; names of persons only when they were asked for."""
    hidden = frozenset() if with_names else NOMINAL.get(part, frozenset())
    return [
        Row(
            mark,
            thing_of(part, mark),
            tuple(
                (name_of(key), text)
                for key in (*PARTS[part], *LAB_FIELDS)
                if key not in hidden and (text := words_of(key, columns.get(key), called))
            ),
            bool(columns.get("removed")),
        )
        for mark, columns in sorted(things.items())
    ]


def amount(found: Measure | SeizureLine) -> str:
    """Write what a line counts as: grams, millilitres, counts; never one for another. An estimate says so."""
    parts = []
    if found.mass_g:
        parts.append(f"{grams(found.mass_g)} g")
    if found.volume_ml:
        parts.append(f"{grams(found.volume_ml)} ml")
    if found.count:
        parts.append(f"{number(found.count)} {label('count_unit', found.count_unit)}")
    told = " · ".join(parts) or "–"
    is_about = found.basis == ESTIMATED and found.excluded != NOT_A_DRUG
    return pick(f"khoảng {told}", f"about {told}") if parts and is_about else told


def differences(before: Mapping[str, Any], after: Mapping[str, Any], called: Called) -> list[Difference]:
    """Compare two versions field by field; who somebody is stays out of both."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return [
        Difference(
            _where(key), words_of(key[-1], old.get(key), called), words_of(key[-1], new.get(key), called)
        )
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key)
    ]


def _flat(body: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield from (((key,), value) for key, value in body.get("fields", {}).items() if key not in _QUIET)
    for part in PARTS:
        for mark, columns in body.get(part, {}).items():
            shown = columns.keys() - NOMINAL.get(part, frozenset())
            yield from (((part, mark, key), columns[key]) for key in sorted(shown))


def _where(key: tuple[str, ...]) -> str:
    if len(key) == 1:
        return name_of(key[0])
    return f"{thing_of(key[0], key[1])}: {name_of(key[2])}"


def place_of(pointer: str) -> str:
    """Call the place of a fault as people do: `/fields/lines/1/net_mass_g` is line 1, net."""
    parts = tuple(pointer.removeprefix("/fields/").split("/"))
    return _where(parts) if len(parts) == 3 and parts[0] in PARTS else name_of(parts[0])


def thing_of(part: str, mark: str) -> str:
    """Call one thing of a part: line 1."""
    return f"{pick(*_PARTS[part])} {mark}"


_PARTS: Mapping[str, tuple[str, str]] = {
    "lines": ("Dòng", "Line"),
    "persons": ("Đối tượng", "Person"),
    "conveyances": ("Phương tiện", "Conveyance"),
    "consignments": ("Lô hàng", "Consignment"),
}
