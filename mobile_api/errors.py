"""Refusals that only HTTP knows: bodies that are no JSON, wrong methods, old apps, full limits."""

from __future__ import annotations

from apps.common.errors import DomainError, Invalid, NotAllowed


class Malformed(Invalid):
    """The body is not well-formed JSON of the stated length."""

    code = "malformed"
    vi = "Nội dung gửi lên không đúng định dạng JSON."


class LengthRequired(Invalid):
    """The length of the body must be stated."""

    code = "length-required"
    vi = "Yêu cầu phải ghi rõ độ dài nội dung."


class MethodRefused(NotAllowed):
    """This method is not available here."""

    code = "method-not-allowed"
    vi = "Phương thức này không dùng được ở đây."


class NotAcceptableHere(Invalid):
    """The answer is available as JSON only."""

    code = "not-acceptable"
    vi = "Chỉ có thể trả lời bằng JSON."


class MediaTypeUnsupported(Invalid):
    """This content type or encoding is not supported."""

    code = "unsupported-media-type"
    vi = "Kiểu hoặc cách nén nội dung này không được hỗ trợ."


class UpgradeRequired(NotAllowed):
    """The app is too old; install the current version."""

    code = "upgrade-required"
    vi = "Ứng dụng đã cũ, đề nghị cài phiên bản hiện hành."


class ProtocolUnsupported(UpgradeRequired):
    """The server does not speak this protocol yet; use the one that it names."""

    code = "protocol-unsupported"
    vi = "Máy chủ chưa hỗ trợ phiên bản giao thức này."


class TooManyRequests(DomainError):
    """Too many requests; wait before the next."""

    code = "too-many-requests"
    vi = "Quá nhiều yêu cầu, đề nghị chờ rồi thử lại."


class ServerError(DomainError):
    """Something went wrong on the server; the request can be tried again."""

    code = "server-error"
    vi = "Máy chủ gặp lỗi, đề nghị thử lại sau."
