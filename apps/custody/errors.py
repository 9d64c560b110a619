"""Refusals of custody; the codes are the phone's contract and stand in docs/errors.md."""

from __future__ import annotations

from apps.common.errors import Conflict, NotAllowed


class SealUsed(Conflict):
    """This seal number was used before by the same issuer in the same year."""

    code = "seal-used"
    vi = "Số niêm phong này của đơn vị phát hành đã được dùng trong năm."


class ExhibitMovedOn(Conflict):
    """The exhibit has moved on since it was looked at."""

    code = "exhibit-moved-on"
    vi = "Tang vật đã có diễn biến mới so với bản đang mở."


class CustodyStep(Conflict):
    """This step does not follow from where the exhibit is."""

    code = "custody-step"
    vi = "Tang vật đang ở tình trạng không thực hiện được bước này."


class ExhibitStopped(Conflict):
    """The chain is stopped by a discrepancy until a leader decides."""

    code = "exhibit-stopped"
    vi = "Tang vật đang dừng luân chuyển vì có sai lệch, chờ lãnh đạo quyết định."


class OfferOpen(Conflict):
    """The exhibit is offered to somebody; that must be answered or withdrawn first."""

    code = "offer-open"
    vi = "Tang vật đang chờ người nhận trả lời bàn giao."


class HandOverAnswered(Conflict):
    """This hand-over has been answered or withdrawn already."""

    code = "hand-over-answered"
    vi = "Lần bàn giao này đã có người trả lời hoặc đã rút lại."


class NotHolder(NotAllowed):
    """Only who holds the exhibit may do this."""

    code = "not-holder"
    vi = "Chỉ người đang giữ tang vật mới được thực hiện việc này."


class NotReceiver(NotAllowed):
    """Only who was asked to receive may answer."""

    code = "not-receiver"
    vi = "Chỉ người được đề nghị nhận mới được trả lời bàn giao này."


class OwnOffer(NotAllowed):
    """Nobody accepts what they offered themselves."""

    code = "own-offer"
    vi = "Người đề nghị bàn giao không được tự nhận."


class OwnDiscrepancy(NotAllowed):
    """Whoever gave or received does not decide about the difference."""

    code = "own-discrepancy"
    vi = "Người giao, người nhận không được tự quyết định về sai lệch."
