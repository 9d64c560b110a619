"""Refusals of whole sync requests, and the codes of single mutations that no domain error gives."""

from __future__ import annotations

from apps.common.errors import Conflict, DomainError, Gone, Invalid, NotAllowed, TooLarge, Unavailable


class EpochChanged(Gone):
    """The server was restored from a backup; load again and send the journal."""

    code = "epoch-changed"
    vi = "Máy chủ đã được khôi phục; máy cần tải lại và gửi lại nhật ký."


class RangeNotSatisfiable(Invalid):
    """The part is shorter than the range asked for."""

    code = "range-not-satisfiable"
    vi = "Phần dữ liệu ngắn hơn đoạn được yêu cầu."


class PushTooLarge(TooLarge):
    """The push exceeds a limit; send fewer mutations at once."""

    code = "push-too-large"
    vi = "Gói gửi vượt giới hạn, đề nghị chia nhỏ."


class MutationTooLarge(TooLarge):
    """The mutation exceeds 256 KB."""

    code = "mutation-too-large"
    vi = "Một nội dung gửi vượt quá 256 KB."


class UnknownType(DomainError):
    """The server does not know this type of mutation."""

    code = "unknown-type"
    vi = "Máy chủ không biết loại thao tác này."


class IdReused(NotAllowed):
    """This mutation id was used for something else."""

    code = "id-reused"
    vi = "Mã thao tác đã dùng cho nội dung khác."


class MissingDependency(Conflict):
    """A mutation this one depends on has not arrived."""

    code = "missing-dependency"
    vi = "Thao tác cần có trước chưa được gửi tới."


class DependencyFailed(Conflict):
    """A mutation this one depends on was not accepted."""

    code = "dependency-failed"
    vi = "Thao tác cần có trước đã không được nhận."


class Busy(Unavailable):
    """The record is being changed by somebody else right now."""

    code = "busy"
    vi = "Hồ sơ đang được xử lý, máy sẽ tự gửi lại."


class MutationFailed(Unavailable):
    """The server failed on this mutation; it was not processed."""

    code = "server-error"
    vi = "Máy chủ gặp lỗi khi xử lý thao tác này; thao tác chưa được ghi nhận."


class AppTooOld(Unavailable):
    """This app is too old for this kind of work; update it, and it will be sent."""

    code = "upgrade-required"
    vi = "Ứng dụng đã cũ đối với loại thao tác này; máy giữ nguyên và sẽ gửi lại sau khi cập nhật."
