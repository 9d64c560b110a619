"""Refusals of inspection reports; the codes are the phone's contract (docs/errors.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.common.errors import Conflict, Invalid, NotAllowed


class FieldConflict(Conflict):
    """The same fields were changed by someone else."""

    code = "field-conflict"
    vi = "Có người đã sửa cùng nội dung này."

    def __init__(self, fields: Sequence[str], current: Mapping[str, Any], rev: int) -> None:
        """Take the fields, what stands in them now, and the revision at which it does."""
        self.fields, self.rev = tuple(fields), rev
        super().__init__(", ".join(fields), current=current)


class StateLocked(Conflict):
    """The report has been submitted and can no longer be edited."""

    code = "state-locked"
    vi = "Báo cáo đã được gửi, không sửa được nữa."


class StateChanged(Conflict):
    """The review of the report has moved on."""

    code = "state-changed"
    vi = "Việc soát xét báo cáo đã chuyển bước."


class ReportVoided(Conflict):
    """The report has been voided or taken back."""

    code = "deleted"
    vi = "Báo cáo đã bị hủy hoặc đã được thu hồi."


class ScopeRevoked(NotAllowed):
    """The officer's posting at this unit ended too long ago."""

    code = "scope-revoked"
    vi = "Đồng chí đã rời đơn vị này quá thời hạn nhận báo cáo."


class OwnReport(NotAllowed):
    """Nobody reviews their own report."""

    code = "own-report"
    vi = "Không được tự soát xét báo cáo của mình."


class NotReviewer(NotAllowed):
    """Only the unit's leaders and headquarters reviewers may do this."""

    code = "not-reviewer"
    vi = "Chỉ lãnh đạo đơn vị và bộ phận soát xét mới được thực hiện việc này."


class PhotosMissing(Conflict):
    """Photos named in the report have not arrived."""

    code = "photos-missing"
    vi = "Báo cáo còn thiếu ảnh chưa tải lên."


class NoteRequired(Invalid):
    """A note or a reason is needed."""

    code = "note-required"
    vi = "Cần ghi rõ ý kiến hoặc lý do."
