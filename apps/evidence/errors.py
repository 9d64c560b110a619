"""Refusals of the evidence app; the same codes stand in `Attachment.failure` when the bytes were at fault."""

from __future__ import annotations

from apps.common.errors import Conflict, Gone, Invalid, NotAllowed, TooLarge, Unavailable


class UnsupportedMedia(Invalid):
    """Only JPEG, PNG and WebP photos and MP4 video are taken."""

    code = "unsupported-media"
    vi = "Chỉ nhận ảnh JPEG, PNG, WebP và video MP4."


class FileTooLarge(TooLarge):
    """The file is larger than its kind may be."""

    code = "too-large"
    vi = "Tệp lớn hơn mức cho phép đối với loại này."


class BeyondTheEnd(TooLarge):
    """The bytes go beyond the length that was stated for the file."""

    code = "too-large"
    vi = "Phần gửi vượt quá độ dài đã khai của tệp."


class ImageTooLarge(TooLarge):
    """The photo has more than 50 megapixels."""

    code = "image-too-large"
    vi = "Ảnh vượt quá 50 megapixel."


class ImageTooComplex(TooLarge):
    """The file consists of too many parts."""

    code = "image-too-complex"
    vi = "Cấu trúc tệp có quá nhiều thành phần."


class AttachmentRefused(Conflict):
    """The bytes of this file were refused; declare the corrected file under a new id."""

    code = "attachment-refused"
    vi = "Nội dung tệp này đã bị từ chối; đề nghị kê khai lại tệp đúng với mã mới."


class SizeDiffers(Invalid):
    """The upload has another length than the file that was declared."""

    code = "size-differs"
    vi = "Độ dài tải lên khác với kích thước đã kê khai."


class OffsetMismatch(Conflict):
    """The server holds another number of bytes of this upload."""

    code = "offset-mismatch"
    vi = "Vị trí tải lên không khớp với phần máy chủ đang giữ."


class HashMismatch(Conflict):
    """The bytes do not have the declared hash; send the file again from the start."""

    code = "hash-mismatch"
    vi = "Nội dung tệp không khớp mã băm đã kê khai; đề nghị tải lại từ đầu."


class UploadEnded(Gone):
    """This upload has expired or was cancelled."""

    code = "upload-ended"
    vi = "Phiên tải lên đã hết hạn hoặc đã bị hủy."


class TooManyUploads(Conflict):
    """Too many uploads without a declared file are open on this device."""

    code = "too-many-uploads"
    vi = "Thiết bị đang mở quá nhiều phiên tải lên chưa gắn với tệp kê khai."


class StorageUnavailable(Unavailable):
    """The evidence storage cannot be reached or is full; try again."""

    code = "storage-unavailable"
    vi = "Kho lưu chứng cứ tạm thời không ghi được, đề nghị thử lại."


class PurposeNeeded(NotAllowed):
    """This photo shows who somebody is; state what for on the page of persons first."""

    code = "purpose-needed"
    vi = "Ảnh này cho biết danh tính; đề nghị nêu mục đích ở trang danh tính trước khi xem."


class NotReceipted(Conflict):
    """The report has no receipt yet: a photo is missing, or its bytes could not be read back."""

    code = "not-receipted"
    vi = "Báo cáo chưa có biên nhận: còn thiếu ảnh hoặc chưa đọc lại được ảnh."
