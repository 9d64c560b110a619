"""The kinds of refusal that domain code may raise.

A concrete error lives in its app's `errors.py`, subclasses one of these kinds, has a kebab-case `code`, an English
title (its docstring's first line) and a Vietnamese title (`vi`). Nothing here knows HTTP; `mobile_api/problems.py`
maps kinds to status codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Problem:
    """One fault in the input: a JSON pointer (RFC 6901) to the place, a stable code, and words for people."""

    pointer: str
    code: str
    vi: str = ""
    en: str = ""


class DomainError(Exception):
    """The request cannot be carried out."""

    code: ClassVar[str] = "error"
    vi: ClassVar[str] = "Không thực hiện được yêu cầu."

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Problem] = (),
        current: Mapping[str, Any] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """Take words for people, faults by place, the record as it stands now, and further members of the answer."""
        self.detail = detail
        self.errors = tuple(errors)
        self.current = current
        self.members = dict(members or {})
        super().__init__(detail or self.code)

    @classmethod
    def titles(cls) -> tuple[str, str]:
        """Give the title in Vietnamese and in English."""
        return cls.vi, (cls.__doc__ or cls.code).strip().splitlines()[0]


class Invalid(DomainError):
    """The input breaks a rule."""

    code = "invalid"
    vi = "Dữ liệu không hợp lệ."


class NotAllowed(DomainError):
    """This person may not do this."""

    code = "forbidden"
    vi = "Đồng chí không có quyền thực hiện việc này."


class NotFound(DomainError):
    """Nothing was found here."""

    code = "not-found"
    vi = "Không tìm thấy."


class Conflict(DomainError):
    """The record has moved on since it was read."""

    code = "conflict"
    vi = "Hồ sơ đã thay đổi so với bản đang mở."


class Gone(DomainError):
    """This is no longer available."""

    code = "gone"
    vi = "Nội dung này không còn nữa."


class TooLarge(DomainError):
    """The input exceeds a limit."""

    code = "too-large"
    vi = "Dữ liệu vượt giới hạn."


class Unavailable(DomainError):
    """The system cannot do this right now; try again."""

    code = "unavailable"
    vi = "Hệ thống tạm thời chưa thực hiện được, đề nghị thử lại."


class InvalidFields(Invalid):
    """Some fields break a rule; `errors` names each by its pointer."""

    code = "invalid-field"
    vi = "Một số trường dữ liệu chưa hợp lệ."


class ExistsDifferent(Conflict):
    """A record with this id exists and differs."""

    code = "exists-different"
    vi = "Đã có hồ sơ mang mã này nhưng nội dung khác."
