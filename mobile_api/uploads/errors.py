"""Refusals that only the tus protocol knows."""

from __future__ import annotations

from apps.common.errors import DomainError
from mobile_api.errors import Malformed


class TusVersionUnsupported(DomainError):
    """This server speaks tus 1.0.0; the header `Tus-Resumable: 1.0.0` is required."""

    code = "tus-version"
    vi = "Máy chủ dùng giao thức tus 1.0.0; cần tiêu đề `Tus-Resumable: 1.0.0`."


class UploadHeaderInvalid(Malformed):
    """A header of the upload protocol is missing or malformed."""

    code = "upload-header"
    vi = "Thiếu hoặc sai tiêu đề của giao thức tải lên."


class ChecksumUnknown(Malformed):
    """Checksums are taken as sha1 or sha256, in base64."""

    code = "checksum-algorithm"
    vi = "Chỉ nhận mã kiểm tra sha1 hoặc sha256, mã hóa base64."


class ChecksumMismatch(DomainError):
    """The chunk does not have the stated checksum; nothing of it was kept."""

    code = "checksum-mismatch"
    vi = "Phần tải lên không khớp mã kiểm tra; không giữ lại phần này."
