"""Names of fields, flags and codes as the service says them, where no model carries the label."""

from __future__ import annotations

from collections.abc import Mapping

from apps.common.text import say

HEADER: Mapping[str, str] = {
    "mode": say("Phương thức vận chuyển", "Mode"),
    "direction": say("Hướng", "Direction"),
    "place_type": say("Loại địa điểm", "Kind of place"),
    "place": say("Địa điểm", "Place"),
    "selection_reason": say("Lý do lựa chọn", "Reason for selection"),
    "channel": say("Luồng", "Channel"),
    "outcome": say("Kết quả", "Outcome"),
    "started_on_device_at": say("Bắt đầu (giờ trên máy)", "Started (phone's clock)"),
    "ended_on_device_at": say("Kết thúc (giờ trên máy)", "Ended (phone's clock)"),
    "captured_tz": say("Múi giờ của máy", "Phone's time zone"),
    "subjects": say("Đối tượng", "Subjects"),
    "transport": say("Phương tiện, chuyến", "Transport"),
    "goods": say("Hàng hóa", "Goods"),
    "means_used": say("Biện pháp, phương tiện đã dùng", "Means used"),
    "participants": say("Người tham gia", "Participants"),
    "witnesses": say("Người chứng kiến", "Witnesses"),
    "equipment_unavailable": say("Thiết bị không sẵn sàng", "Equipment unavailable"),
    "alert_ids": say("Cảnh báo liên quan", "Related alerts"),
    "campaign_ids": say("Chiến dịch liên quan", "Related campaigns"),
    "remarks": say("Ghi chú chung", "Remarks"),
}

CHANNELS: Mapping[str, str] = {
    "green": say("Xanh", "Green"),
    "yellow": say("Vàng", "Yellow"),
    "red": say("Đỏ", "Red"),
}

# Keys inside subjects, transport and goods.
PARTS: Mapping[str, str] = {
    "plate": say("biển kiểm soát", "plate"),
    "country": say("nước", "country"),
    "flight": say("chuyến bay", "flight"),
    "airport": say("sân bay", "airport"),
    "vessel": say("tàu", "vessel"),
    "container": say("container", "container"),
    "seal": say("niêm phong", "seal"),
    "awb": say("vận đơn hàng không", "air waybill"),
    "courier_no": say("mã chuyển phát", "courier number"),
    "s10": say("mã bưu gửi", "postal item"),
    "number": say("số hiệu", "number"),
    "description": say("mô tả", "description"),
    "declared": say("khai báo", "declared"),
    "weight": say("trọng lượng", "weight"),
    "name": say("tên", "name"),
    "role": say("vai trò", "role"),
    "kind": say("loại", "kind"),
    "reason": say("lý do", "reason"),
    "document": say("giấy tờ", "document"),
    "nationality": say("quốc tịch", "nationality"),
}

# What is odd about a photo → words.
PHOTO_FLAGS = {
    "signature-invalid": say("chữ ký thiết bị không khớp", "the phone's signature does not fit"),
    "manifest-differs": say("bản kê đã ký không nêu ảnh này", "the signed manifest tells of another photo"),
    "exif-time-differs": say("giờ ghi trong ảnh khác giờ máy", "its own time differs from the phone's"),
    "exif-place-differs": say(
        "vị trí ghi trong ảnh khác vị trí máy", "its own place differs from the phone's"
    ),
    "mime-differs": say("loại tệp khác khai báo", "another type than was declared"),
    "truncated": say("tệp ảnh bị cụt", "the file ends early"),
    "trailing-data": say("tệp ảnh có dữ liệu thừa", "something lies behind the end of the file"),
    "no-thumbnail": say("không dựng được ảnh xem trước", "no preview could be made"),
}

# flag → (words, tone)
FLAGS: Mapping[str, tuple[str, str]] = {
    "flash-late": (
        say(
            "Tin báo nhanh đến quá thời hạn kể từ khi phát hiện.",
            "The flash came later after the find than it should.",
        ),
        "warning",
    ),
    "lines-alike": (
        say(
            "Hai dòng giống hệt nhau: kiểm tra xem có ghi một tang vật hai lần không.",
            "Two lines are alike: check whether one thing was entered twice.",
        ),
        "warning",
    ),
    "tablet-mass": (
        say(
            "Khối lượng mỗi viên ngoài khoảng 50–600 mg: kiểm tra số viên hoặc khối lượng.",
            "A tablet weighs outside 50–600 mg: check count or mass.",
        ),
        "warning",
    ),
    "lab-over-scale": (
        say(
            "Giám định ghi nhiều hơn khối lượng đã cân: kiểm tra lại số và dấu phẩy.",
            "The laboratory found more than was weighed: check the figure and its decimal comma.",
        ),
        "warning",
    ),
    "number-check-failed": (
        say(
            "Có số hiệu không đúng số kiểm tra; giữ nguyên như đã ghi, có thể là số giả.",
            "A number fails its check digit; it is kept as written and may be forged.",
        ),
        "warning",
    ),
    "person-in-text": (
        say(
            "Phần mô tả có số giấy tờ hoặc số điện thoại của người; cần chuyển sang mục đối tượng.",
            "A description holds a number of a person; it belongs with the persons.",
        ),
        "warning",
    ),
    "badge-unknown": (
        say(
            "Có số hiệu công chức không thuộc đơn vị này.",
            "A badge number belongs to nobody at this unit.",
        ),
        "warning",
    ),
    "clock-doubtful": (
        say(
            "Đồng hồ của máy không đáng tin; báo cáo được tính theo ngày máy chủ nhận.",
            "The phone's clock is in doubt; the report counts for the day it was received.",
        ),
        "warning",
    ),
    "checklist-closing": (
        say("Làm theo phiên bản bảng kiểm sắp hết hiệu lực.", "Made on a checklist version that is closing."),
        "plain",
    ),
    "checklist-closed": (
        say("Làm theo phiên bản bảng kiểm đã hết hiệu lực.", "Made on a checklist version that has closed."),
        "warning",
    ),
    "checklist-withdrawn": (
        say("Làm theo phiên bản bảng kiểm đã bị thu hồi.", "Made on a checklist version that was withdrawn."),
        "warning",
    ),
    "late-after-move": (
        say("Gửi sau khi công chức đã rời đơn vị này.", "Sent after the officer had left this unit."),
        "warning",
    ),
}

KINDS: Mapping[str, str] = {
    "bool": say("Có / không", "Yes / no"),
    "choice": say("Chọn một", "One choice"),
    "multi": say("Chọn nhiều", "Several choices"),
    "number": say("Số", "Number"),
    "text": say("Văn bản", "Text"),
    "photo": say("Chụp ảnh", "Photo"),
    "scan": say("Quét mã", "Scan"),
    "measure": say("Đo, cân", "Measure"),
    "sign": say("Ký", "Signature"),
}

UNITS: Mapping[str, str] = {
    "count": say("cái", "pcs"),
    "percent": "%",
    "celsius": "°C",
    "minute": say("phút", "min"),
}

PURPOSES: Mapping[str, str] = {
    "overview": say("Toàn cảnh", "Overview"),
    "close_up": say("Cận cảnh", "Close-up"),
    "scale": say("Mặt cân", "Scale"),
    "xray": say("Ảnh soi chiếu", "X-ray image"),
    "seal": say("Niêm phong", "Seal"),
    "document": say("Giấy tờ", "Document"),
    "person": say("Người", "Person"),
}
PHOTO_STATES: Mapping[str, str] = {
    "missing": say("Chưa khai báo", "Not announced"),
    "elsewhere": say("Đơn vị lập báo cáo giữ", "Kept by the reporting unit"),
    "expected": say("Chờ tải lên", "Awaiting upload"),
    "stored": say("Đã lưu", "Stored"),
    "rejected": say("Không nhận", "Refused"),
}
