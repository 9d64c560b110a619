"""Refusals of seizure reports, beside those they share with inspections; the codes stand in docs/errors.md."""

from __future__ import annotations

from apps.common.errors import Conflict, Invalid


class SameReport(Invalid):
    """A report cannot be compared with itself."""

    code = "same-report"
    vi = "Phải chọn hai báo cáo khác nhau."


class DuplicatesOpen(Conflict):
    """Somebody must first say whether other reports tell of the same seizure."""

    code = "duplicates-open"
    vi = "Còn báo cáo nghi trùng chưa được xem xét: nhập vào nhau hoặc ghi nhận là hai vụ khác nhau."
