"""The fields of a seizure report and of its parts, what each may hold, and how a patch becomes single fields.

Parts go by mark: what an officer writes on the bag (`1`, `2A`). A mark stands for one physical thing, so two phones
that add the same one write the same fields: equal values merge, different ones conflict, and nothing is there twice.
Nothing is taken out of a part either: it is struck out by `removed`, with the reason.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from apps.common.errors import Problem
from apps.inspections.rules import parse_time
from apps.reference.rules.identifiers import is_country
from apps.reference.rules.vocabularies import codes

# kind of value, and what it is limited by: characters, decimal places, a vocabulary
HEADER: Mapping[str, str] = {
    "kind": "among initial expansion",
    "place": "text 200",
    "summary": "text 4000",
    "remarks": "text 4000",
    "captured_tz": "text 40",
    "no_photo_reason": "text 500",
    "no_scale_photo_reason": "text 500",
    "record_doc_number": "text 60",
    "record_doc_on": "date",
    "search_decision": "text 60",
    "handover_plan": "text 1000",
    "lab_reason": "text 1000",
    "handover_reason": "text 1000",
    "lessons": "among yes no",
    "occurred_on_device_at": "time",
    "detected_on_device_at": "time",
    "mode": "code mode",
    "direction": "code direction",
    "place_type": "code place_type",
    "lead_force": "code lead_force",
    "first_cue": "code means_of_detection",
    "legal_outcome": "code legal_outcome",
    "finding_category": "code finding_category",
    "handling": "among internal restricted",
    "watch_linked": "among yes no unknown",
    "is_subject_present": "among yes no",
    "persons_count": "int",
    "means": "codes means_of_detection",
    "concealment_places": "codes concealment_place",
    "concealment_techniques": "codes concealment_technique",
    "modus_operandi": "texts 80",
    "origin": "country",
    "departure": "country",
    "destination": "country",
    "intended_final": "country",
    "transit_countries": "countries",
    "participants": "texts 20",
    "witnesses": "texts 200",
    "participations": "participations",
    "photos": "uuids",
    "alert_ids": "uuids",
    "campaign_ids": "uuids",
    "inspection": "uuid",
    "checklist_version": "uuid",
}
PARTS: Mapping[str, Mapping[str, str]] = {
    "lines": {
        "substance": "text 80",
        "article": "text 200",
        "form": "code form",
        "gross_mass_g": "decimal 4",
        "net_mass_g": "decimal 4",
        "volume_ml": "decimal 3",
        "count": "int",
        "count_unit": "code count_unit",
        "measure_basis": "among estimated scale_gross scale_net",
        "id_basis": "code id_basis",
        "packages": "int",
        "scale_id": "text 60",
        "weighed_by": "texts 20",
        "seal_numbers": "texts 60",
        "remark": "text 1000",
        "removed": "text 500",
    },
    "persons": {
        "full_name": "text 200",
        "original_name": "text 200",
        "birth_date": "text 20",
        "sex": "among male female unknown",
        "nationality": "country",
        "document_kind": "among passport_no citizen_no mrz other",
        "document_number": "text 120",
        "role": "code person_role",
        "status": "code person_status",
        "handed_over_on": "date",
        "remark": "text 1000",
        "removed": "text 500",
    },
    "conveyances": {
        "flight_no": "text 20",
        "flight_on": "date",
        "vessel": "text 120",
        "imo": "text 20",
        "voyage": "text 40",
        "plate": "text 30",
        "plate_country": "country",
        "trailer": "text 30",
        "train": "text 40",
        "removed": "text 500",
    },
    "consignments": {
        "mawb": "text 40",
        "hawb": "text 40",
        "courier_no": "text 60",
        "s10": "text 40",
        "bl_no": "text 40",
        "container_nos": "texts 20",
        "declaration_no": "text 30",
        "declared_goods": "text 500",
        "hs_code": "text 20",
        "declared_weight_kg": "decimal 4",
        "weighed_kg": "decimal 4",
        "packages": "int",
        "consignor": "text 300",
        "consignee": "text 300",
        "phone": "text 30",
        "removed": "text 500",
    },
}
# What a laboratory found of a line; written by `record_lab_result` alone.
LAB_FIELDS: Mapping[str, str] = {
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
}
# Fields that say who somebody is; they leave the reach of a report's own people only with a stated purpose.
NOMINAL: Mapping[str, frozenset[str]] = {
    "persons": frozenset({"full_name", "original_name", "birth_date", "document_number", "remark"}),
    "consignments": frozenset({"consignor", "consignee", "phone"}),
}
FIXED = frozenset({"posting", "incident"})
MAX_MARKS, MAX_ITEMS = 60, 60
_MARK = re.compile(r"[A-Z0-9][A-Z0-9-]{0,19}")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_patch(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Flatten a patch (`lines.1.net_mass_g`) with its values in their one spelling; give what is wrong with it.

    Fields that this version does not know are kept as they came.
    """
    flat: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in fields.items():
        if key in FIXED:
            continue
        if key in PARTS:
            _check_part(key, value, flat, problems)
        elif "." in key:
            problems.append(problem(key, "name"))
        else:
            _take(key, HEADER.get(key), value, flat, problems)
    return flat, problems


def _check_part(part: str, value: Any, flat: dict[str, Any], problems: list[Problem]) -> None:
    if not isinstance(value, Mapping) or len(value) > MAX_MARKS:
        problems.append(problem(part, "type"))
        return
    for mark, columns in value.items():
        if not _MARK.fullmatch(mark):
            problems.append(problem(part, "mark"))
        elif not isinstance(columns, Mapping):
            problems.append(problem(f"{part}/{mark}", "type"))
        else:
            for name, content in columns.items():
                if name in LAB_FIELDS or "." in name:
                    problems.append(problem(f"{part}/{mark}/{name}", "name"))
                else:
                    _take(f"{part}.{mark}.{name}", PARTS[part].get(name), content, flat, problems)


def _take(key: str, spec: str | None, value: Any, flat: dict[str, Any], problems: list[Problem]) -> None:
    if spec is None or value is None:
        flat[key] = value
        return
    found, fault = read_value(spec, value)
    if fault:
        problems.append(problem(key.replace(".", "/"), fault))
    else:
        flat[key] = found


def read_value(spec: str, value: Any) -> tuple[Any, str]:
    """Read a value by its spec; gives its one spelling and the code of what is wrong (empty: nothing)."""
    kind, _, rest = spec.partition(" ")
    try:
        return _READERS[kind](value, rest), ""
    except _Fault as fault:
        return None, str(fault)


class _Fault(Exception):
    """What is wrong with a value, by its code."""


def _text(value: Any, rest: str) -> str:
    if not isinstance(value, str):
        raise _Fault("type")
    if len(value) > int(rest):
        raise _Fault("max-length")
    return value


def _several(read: Any) -> Any:
    def reader(value: Any, rest: str) -> list[Any]:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise _Fault("type")
        return list(dict.fromkeys(read(item, rest) for item in value))

    return reader


def _code(value: Any, rest: str) -> str:
    if value == "" or (isinstance(value, str) and value in codes(rest)):
        return str(value)
    raise _Fault("choice")


def _among(value: Any, rest: str) -> str:
    if value == "" or (isinstance(value, str) and value in rest.split()):
        return str(value)
    raise _Fault("choice")


def _time(value: Any, rest: str) -> str:
    moment = parse_time(value)
    if moment is None:
        raise _Fault("time")
    return moment.isoformat()


def _date(value: Any, rest: str) -> str:
    try:
        return dt.date.fromisoformat(_text(value, "10")).isoformat()
    except ValueError:
        raise _Fault("date") from None


def _int(value: Any, rest: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise _Fault("number")
    return value


def _decimal(value: Any, rest: str) -> str:
    """Read an amount written as text (or a whole number); more places than the scale has are refused, never rounded."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise _Fault("number")
    if len(text.partition(".")[2]) > int(rest):
        raise _Fault("places")
    return f"{Decimal(text).normalize():f}"


def _percent(value: Any, rest: str) -> str:
    found = _decimal(value, rest)
    if Decimal(found) > 100:
        raise _Fault("percent")
    return found


def _country(value: Any, rest: str) -> str:
    if isinstance(value, str) and (value == "" or is_country(value)):
        return value
    raise _Fault("choice")


def _uuid(value: Any, rest: str) -> str:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value
    raise _Fault("type")


def _participations(value: Any, rest: str) -> list[dict[str, str]]:
    """Read who took part: a unit (its code) or an agency by its name, and as what."""
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise _Fault("type")
    found = []
    for item in value:
        if not isinstance(item, Mapping):
            raise _Fault("type")
        unit, agency = _text(item.get("unit", ""), "20"), _text(item.get("agency", ""), "200")
        role = _code(item.get("role"), "participation")
        if bool(unit) == bool(agency) or not role:
            raise _Fault("participation")
        found.append({"unit": unit, "agency": agency, "role": role})
    return found


_READERS: Mapping[str, Any] = {
    "text": _text,
    "texts": _several(_text),
    "code": _code,
    "codes": _several(_code),
    "among": _among,
    "time": _time,
    "date": _date,
    "int": _int,
    "decimal": _decimal,
    "percent": _percent,
    "country": _country,
    "countries": _several(_country),
    "uuid": _uuid,
    "uuids": _several(_uuid),
    "participations": _participations,
}

_WORDS: Mapping[str, tuple[str, str]] = {
    "required": ("Cần điền mục này.", "This is needed."),
    "type": ("Sai kiểu dữ liệu.", "The value has the wrong type."),
    "max-length": ("Nội dung quá dài.", "The text is too long."),
    "choice": ("Giá trị không có trong danh mục.", "The value is not in the list."),
    "time": ("Thời gian phải theo ISO 8601 và có múi giờ.", "The time must be ISO 8601 with an offset."),
    "date": ("Ngày phải ghi theo dạng năm-tháng-ngày.", "The date must be written year-month-day."),
    "number": (
        "Số phải từ 0 trở lên, ghi bằng chữ số, dấu chấm thập phân.",
        "A number from 0 up, in digits, with a point for decimals.",
    ),
    "percent": ("Hàm lượng từ 0 đến 100 %.", "A share lies between 0 and 100 %."),
    "places": (
        "Quá nhiều chữ số thập phân; không làm tròn số liệu.",
        "Too many decimals; nothing is rounded here.",
    ),
    "name": ("Tên trường không hợp lệ.", "A field may not have this name."),
    "mark": ("Ký hiệu chỉ gồm chữ hoa, chữ số, dấu gạch.", "A mark is capitals, digits and dashes."),
    "participation": (
        "Ghi một đơn vị hoặc một cơ quan ngoài, kèm vai trò.",
        "Name one unit or one outside agency, with its role.",
    ),
    "fixed": ("Không đổi được sau khi đã tạo báo cáo.", "This cannot change once the report exists."),
    "too-many": ("Quá nhiều trường không xác định.", "There are too many unknown fields."),
    "unknown-substance": ("Không có chất này trong danh mục.", "There is no such substance in the list."),
    "unknown-unit": ("Không có đơn vị mang mã này.", "There is no unit of this code."),
    "net-over-gross": ("Khối lượng tịnh lớn hơn khối lượng cả bì.", "The net mass exceeds the gross mass."),
    "substance-or-article": (
        "Một dòng là chất ma túy, tiền chất, hoặc là vật khác; không ghi cả hai.",
        "A line is a substance or another thing, not both.",
    ),
    "category": (
        "Loại phát hiện không khớp: không có dòng nào là ma túy, tiền chất.",
        "The kind of find does not fit: no line is a drug or a precursor.",
    ),
    "no-measure": (
        "Cần ít nhất một số lớn hơn 0: khối lượng, thể tích hoặc số lượng.",
        "At least one amount over 0 is needed: mass, volume or count.",
    ),
    "before-occurred": ("Phát hiện trước khi xảy ra vụ việc.", "It was found before it happened."),
    "two-weighers": ("Cần hai công chức khác nhau cùng cân.", "Two different officers must weigh."),
    "one-lead": ("Cần đúng một đơn vị chủ trì.", "Exactly one must lead."),
    "lead-force": (
        "Lực lượng khác chủ trì thì đơn vị chủ trì không thể là hải quan (và ngược lại).",
        "The leading unit must be of the leading force.",
    ),
    "transport": (
        "Thiếu số hiệu vận chuyển phù hợp với phương thức.",
        "A transport number that goes with the mode is missing.",
    ),
    "no-vietnam": (
        "Tuyến phải có Việt Nam theo hướng đã chọn.",
        "Vietnam must stand in the route, by the direction.",
    ),
    "witnesses": (
        "Thiếu người chứng kiến: ít nhất 1, vắng đối tượng thì ít nhất 2.",
        "Witnesses are missing: 1 at least, 2 when the subject is absent.",
    ),
    "photo-or-reason": (
        "Cần ít nhất một ảnh, hoặc nêu lý do không có.",
        "At least one photo, or the reason for none.",
    ),
    "scale-photo-or-reason": (
        "Có tang vật đã cân nhưng chưa có ảnh mặt cân: cần ít nhất một ảnh, hoặc nêu lý do không có.",
        "A line was weighed and no photo shows the scale: at least one, or the reason for none.",
    ),
    "subject-or-goods": (
        "Cần ít nhất một đối tượng, phương tiện hoặc lô hàng.",
        "At least one person, conveyance or consignment is needed.",
    ),
    "lab-missing": (
        "Chưa có kết quả giám định và chưa nêu lý do.",
        "There is neither a laboratory result nor a reason for none.",
    ),
    "not-agreed": (
        "Lãnh đạo đơn vị này chưa xác nhận vai trò tham gia.",
        "The leader of this unit has not agreed to the role yet.",
    ),
    "person-in-text": (
        "Có số giấy tờ hoặc số điện thoại của người; phương thức, thủ đoạn dùng chung nên không ghi.",
        "It holds a number of a person; a modus operandi is shared and names nobody.",
    ),
    "pending": ("Chưa có kết quả xử lý.", "The legal outcome is still pending."),
}


def problem(key: str, code: str) -> Problem:
    """Name a fault at a place."""
    return Problem(f"/fields/{key}", code, *_WORDS[code])
