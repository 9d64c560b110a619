"""What `verify_evidence` can find: a code, the place, and what is odd there. docs/evidence.md explains each code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# code → what it means, in Vietnamese and English
CODES: Mapping[str, tuple[str, str]] = {
    "attachment-differs": ("Tệp khác với nhật ký.", "The row of a file differs from its events."),
    "attachment-missing": ("Mất bản ghi của tệp.", "The row of a file is gone."),
    "capture-differs": (
        "Bản kê khai khác với nhật ký.",
        "What was declared of a file differs from its event.",
    ),
    "capture-missing": ("Mất bản kê khai của tệp.", "What was declared of a file is gone."),
    "custody-differs": (
        "Diễn biến lưu giữ khác với nhật ký.",
        "A step of an exhibit or its seals differ from the ledger.",
    ),
    "custody-missing": ("Mất diễn biến lưu giữ.", "A step or a seal of an exhibit is gone."),
    "device-missing": ("Mất bản ghi của thiết bị.", "The row of a device is gone."),
    "device-revoked": (
        "Tệp đến sau khi thiết bị bị thu hồi.",
        "A file was declared by a device that was shut out.",
    ),
    "device-statement": (
        "Xác nhận thiết bị không khớp.",
        "The server's statement about a device does not fit.",
    ),
    "event-columns": (
        "Cột của sự kiện khác nội dung đã niêm.",
        "Columns of an event differ from what was sealed.",
    ),
    "event-missing": ("Mất sự kiện.", "An event is gone."),
    "event-seal": ("Niêm của sự kiện không khớp.", "The seal of an event does not fit its content."),
    "event-unnumbered": ("Sự kiện không có trong sổ cái.", "An event is not in the ledger."),
    "file-unknown": ("Tệp không có bản ghi.", "A file lies where no row names it."),
    "head-columns": ("Cột của đầu sổ khác nội dung đã ký.", "Columns of a head differ from what was signed."),
    "head-missing": ("Mất đầu sổ.", "A signed head is gone."),
    "head-order": ("Thứ tự đầu sổ không đúng.", "Heads are not in their order."),
    "head-root": ("Sổ cái không khớp với đầu sổ đã ký.", "The ledger does not agree with a signed head."),
    "head-signature": ("Chữ ký đầu sổ không khớp.", "The signature of a head does not fit."),
    "key-revoked": ("Ký bằng khóa đã thu hồi.", "Something is signed by a key that was revoked by then."),
    "key-statement": ("Công bố khóa không khớp.", "A statement about a key of the server does not fit."),
    "key-unknown": (
        "Ký bằng khóa không được công bố.",
        "Something is signed by a key that nobody announced.",
    ),
    "leaf-differs": ("Lá của sổ cái khác với sự kiện.", "A leaf of the ledger differs from its event."),
    "leaf-missing": ("Mất số trong sổ cái.", "A number of the ledger is gone."),
    "manifest-content": (
        "Bản kê ảnh không nêu ảnh này.",
        "A signed manifest does not name the photo it stands for.",
    ),
    "manifest-signature": (
        "Chữ ký thiết bị không khớp.",
        "The device's signature does not fit the manifest.",
    ),
    "not-included": ("Sự kiện không được đầu sổ bao gồm.", "An event is not covered by the signed head."),
    "original-bytes": ("Nội dung ảnh gốc đã thay đổi.", "The bytes of an original have changed."),
    "original-missing": ("Mất ảnh gốc.", "The bytes of an original are gone."),
    "receipt-differs": ("Biên nhận khác với hồ sơ.", "A receipt differs from the record it stands for."),
    "receipt-missing": ("Mất biên nhận.", "A receipt is gone."),
    "receipt-signature": ("Chữ ký biên nhận không khớp.", "The signature of a receipt does not fit."),
    "record-differs": ("Báo cáo khác với nhật ký.", "A report differs from its newest event."),
    "record-missing": ("Mất báo cáo.", "A report is gone."),
    "sequence-reused": ("Hai bản kê dùng cùng số.", "Two manifests of one device bear the same number."),
    "series-differs": (
        "Bộ đếm số hồ sơ không khớp.",
        "The counter behind human numbers does not agree with the numbers that were given.",
    ),
    "signature-forms": ("Hai dạng chữ ký khác nhau.", "The two forms of a signature differ."),
    "stamp-differs": (
        "Dấu thời gian khác với nhật ký.",
        "A time stamp is not the one that came, or stands for another head.",
    ),
    "stamp-missing": ("Mất dấu thời gian.", "A time stamp is gone."),
    "stamp-signature": (
        "Dấu thời gian không đúng chữ ký.",
        "A time stamp is not the authority's word on this head.",
    ),
    "tile-differs": ("Nút của cây băm không khớp.", "An inner hash of the ledger's tree does not fit."),
    "tile-missing": ("Mất nút của cây băm.", "An inner hash of the ledger's tree is gone."),
    "version-differs": ("Bản đã nộp đã thay đổi.", "A submitted version has changed."),
    "version-missing": ("Mất bản đã nộp.", "A submitted version is gone."),
    "witness-ahead": (
        "Nhân chứng biết nhiều hơn sổ cái: cơ sở dữ liệu cũ đã được khôi phục hoặc sự kiện bị xóa.",
        "A witness knows of more than there is: an old database was put back, or events are gone.",
    ),
    "witness-root": ("Sổ cái khác với bản của nhân chứng.", "The ledger differs from what a witness holds."),
    "witness-signature": (
        "Chữ ký trên bản của nhân chứng không khớp.",
        "A witness's copy bears no signature of ours.",
    ),
}


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is not as it should be: a code of `CODES`, where, and what."""

    code: str
    place: str
    detail: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(self.code)

    def __str__(self) -> str:
        return "  ".join(filter(None, (self.code, self.place, self.detail)))
