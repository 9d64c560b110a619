"""The sentences, in Vietnamese and English, for every code that the rules of checklists give. No decisions."""

from apps.common.errors import Problem

CONTENT_WORDS: dict[str, tuple[str, str]] = {
    "bad-character": ("Có ký tự không được phép.", "Contains a character that is not allowed."),
    "bad-key": (
        "Mã phải viết thường, không dấu, dạng snake_case, tối đa 64 ký tự.",
        "A key is lower-case snake_case ASCII of at most 64 characters.",
    ),
    "bad-limit": ("Giới hạn không hợp lệ.", "The limit is not valid."),
    "bad-pattern": (
        "Mẫu không hợp lệ hoặc quá phức tạp; chỉ dùng ký tự, lớp ký tự và số lần lặp có giới hạn.",
        "The pattern is not valid or too complex: characters, classes and bounded repeats only.",
    ),
    "bad-photo-rule": ("Quy định về ảnh không hợp lệ.", "The photo rule is not valid."),
    "comparison-never-true": (
        "Phép so sánh không bao giờ đúng với loại câu trả lời này.",
        "This comparison can never be true for this kind of answer.",
    ),
    "condition-cycle": (
        "Điều kiện hiển thị phụ thuộc vòng tròn.",
        "The visibility conditions depend on each other in a circle.",
    ),
    "duplicate-key": ("Mã bị trùng.", "The key is used twice."),
    "duplicate-option": ("Lựa chọn bị trùng.", "The option is given twice."),
    "field-not-for-kind": (
        "Thuộc tính này không dùng cho loại bước này.",
        "Not a field of this kind of step.",
    ),
    "language-missing": ("Thiếu một trong hai ngôn ngữ Việt, Anh.", "Vietnamese or English text is missing."),
    "limits-crossed": ("Giới hạn dưới lớn hơn giới hạn trên.", "The lower limit is above the upper one."),
    "list-compared": (
        "Bước chọn nhiều phải dùng selected(…) hoặc count(…).",
        "Use selected(…) or count(…) with a multi step.",
    ),
    "missing": ("Thiếu thông tin bắt buộc.", "Required, but missing."),
    "option-unknown": (
        "Điều kiện nhắc đến lựa chọn không tồn tại.",
        "The condition names an unknown option.",
    ),
    "options-missing": ("Phải có danh sách lựa chọn.", "A list of options is needed."),
    "photos-not-asked": ("Bước được nhắc đến không yêu cầu ảnh.", "The step referred to asks for no photos."),
    "reference-without-value": (
        "Bước ảnh chỉ dùng được với photos(…), na(…), unavailable(…).",
        "A photo step can stand only in photos(…), na(…) and unavailable(…).",
    ),
    "report-field-unknown": ("Trường báo cáo không tồn tại.", "No such header field of a report."),
    "report-value-unknown": (
        "Giá trị của trường báo cáo không tồn tại.",
        "No such value of this header field.",
    ),
    "required-twice": (
        "Bước luôn bắt buộc thì không đặt điều kiện bắt buộc.",
        "A step that is always required takes no condition for it.",
    ),
    "selected-not-choice": (
        "selected(…) chỉ dùng cho bước có lựa chọn.",
        "selected(…) is for steps with options.",
    ),
    "self-reference": ("Điều kiện nhắc đến chính bước này.", "The condition refers to its own step."),
    "step-kind-changed": (
        "Mã bước đã dùng ở phiên bản trước với loại khác; hãy đặt mã mới.",
        "The key stood for another kind of step in an earlier version; choose a new key.",
    ),
    "step-unknown": ("Điều kiện nhắc đến bước không tồn tại.", "The condition refers to an unknown step."),
    "text-not-nfc": ("Văn bản chưa ở dạng Unicode dựng sẵn (NFC).", "The text is not in Unicode NFC."),
    "too-long": ("Quá dài.", "Too long."),
    "too-many": ("Quá nhiều mục.", "Too many entries."),
    "unknown-field": ("Thuộc tính không xác định.", "Unknown field."),
    "unknown-kind": ("Loại bước không xác định.", "Unknown kind of step."),
    "unknown-symbology": ("Loại mã vạch không xác định.", "Unknown symbology."),
    "unknown-unit": ("Đơn vị đo không xác định.", "Unknown unit of measure."),
    "wrong-type": ("Sai kiểu dữ liệu.", "Wrong type of value."),
}

ANSWER_WORDS: dict[str, tuple[str, str]] = {
    "above-maximum": ("Giá trị lớn hơn mức tối đa.", "Above the maximum."),
    "answer-not-visible": (
        "Câu trả lời cho bước đang ẩn, không tính vào kết quả.",
        "An answer to a step that is not shown; it does not count.",
    ),
    "answer-shape": (
        "Câu trả lời phải có đúng một trong: giá trị, không áp dụng, thiết bị không sẵn sàng.",
        "An answer has exactly one of value, not applicable, equipment unavailable.",
    ),
    "bad-character": ("Có ký tự không được phép.", "Contains a character that is not allowed."),
    "bad-number": ("Không phải số thập phân hợp lệ.", "Not a valid decimal number."),
    "below-minimum": ("Giá trị nhỏ hơn mức tối thiểu.", "Below the minimum."),
    "duplicate-option": ("Một lựa chọn được chọn hai lần.", "An option is chosen twice."),
    "na-not-allowed": (
        "Bước này không được trả lời “không áp dụng”.",
        "“Not applicable” is not allowed here.",
    ),
    "out-of-range": ("Số vượt phạm vi lưu trữ.", "The number is out of the storable range."),
    "pattern-mismatch": ("Không đúng định dạng yêu cầu.", "Not in the required form."),
    "photos-missing": ("Thiếu ảnh bắt buộc.", "Required photos are missing."),
    "reason-missing": ("Phải ghi lý do.", "A reason is needed."),
    "required": ("Bước bắt buộc chưa trả lời.", "A required step is not answered."),
    "symbology-not-allowed": ("Không đúng loại mã cần quét ở bước này.", "Not a symbology this step takes."),
    "too-long": ("Quá dài.", "Too long."),
    "too-many-decimals": ("Quá nhiều chữ số thập phân.", "Too many decimal places."),
    "too-many-photos": ("Quá nhiều ảnh.", "Too many photos."),
    "unavailable-not-allowed": (
        "Bước này không phụ thuộc thiết bị.",
        "This step does not depend on equipment.",
    ),
    "unknown-field": ("Thuộc tính không xác định.", "Unknown field."),
    "unknown-option": ("Lựa chọn không có trong danh sách.", "Not one of the options."),
    "unknown-step": ("Bảng kiểm không có bước này.", "The checklist has no such step."),
    "unknown-symbology": ("Loại mã vạch không xác định.", "Unknown symbology."),
    "wrong-type": ("Sai kiểu dữ liệu.", "Wrong type of value."),
}


def content_problem(pointer: str, code: str) -> Problem:
    """Give the problem with its sentences for a fault in a checklist's content."""
    vi, en = CONTENT_WORDS[code]
    return Problem(pointer, code, vi, en)


def expression_problem(pointer: str, code: str, position: int) -> Problem:
    """Give the problem for a condition that does not parse; the position is counted from 1 for people."""
    return Problem(
        pointer,
        f"expression-{code}",
        f"Biểu thức sai ở ký tự thứ {position + 1} ({code}).",
        f"The expression is wrong at character {position + 1} ({code}).",
    )


def answer_problem(pointer: str, code: str) -> Problem:
    """Give the problem with its sentences for a fault or a warning about an answer."""
    vi, en = ANSWER_WORDS[code]
    return Problem(pointer, code, vi, en)
