"""Refusals of seizure reports, beside those they share with inspections; the codes stand in docs/errors.md."""

from __future__ import annotations

from apps.common.errors import Conflict, Invalid


class SameReport(Invalid):
    """A report cannot be compared with itself."""

    code = "same-report"
    vi = "Phải chọn hai báo cáo khác nhau."


class SurvivorClosed(Conflict):
    """The survivor is closed while exhibits of the other report are in somebody's hand.

    They would belong to a seizure that has ended; they end first, or the closed report is merged into the open one.
    """

    code = "survivor-closed"
    vi = (
        "Báo cáo giữ lại đã kết thúc mà tang vật của báo cáo kia còn trong tay đơn vị. Bàn giao hoặc kết thúc các tang "
        "vật này trước, hoặc nhập theo chiều ngược lại: báo cáo đã kết thúc vào báo cáo còn mở."
    )


class AbsorbsOthers(Conflict):
    """Other reports are merged into this one: voided, it would take what they seized out of the figures with it."""

    code = "absorbs-others"
    vi = (
        "Báo cáo này đang thay cho báo cáo khác đã nhập vào; hủy thì số liệu của cả hai cùng mất. Tách các báo cáo đó "
        "ra trước, rồi mới hủy."
    )


class DuplicatesOpen(Conflict):
    """Somebody must first say whether other reports tell of the same seizure."""

    code = "duplicates-open"
    vi = "Còn báo cáo nghi trùng chưa được xem xét: nhập vào nhau hoặc ghi nhận là hai vụ khác nhau."
