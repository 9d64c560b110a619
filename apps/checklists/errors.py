"""What can be refused about checklists and their versions."""

from __future__ import annotations

from apps.common.errors import Conflict, Invalid, NotAllowed


class ContentNotValid(Invalid):
    """The content of the checklist has faults."""

    code = "checklist-content-invalid"
    vi = "Nội dung bảng kiểm còn lỗi."


class InvalidVersionNumber(Invalid):
    """A version number has the form 1.2.3."""

    code = "invalid-version-number"
    vi = "Số phiên bản phải có dạng 1.2.3."


class VersionReasonMissing(Invalid):
    """This step in the life of a version needs a reason."""

    code = "version-reason-missing"
    vi = "Phải ghi lý do."


class AuthorMayNotApprove(NotAllowed):
    """The author of a version may not approve it."""

    code = "author-may-not-approve"
    vi = "Người soạn thảo không được tự duyệt bảng kiểm của mình."


class IllegalVersionMove(Conflict):
    """The version is not in a state that allows this."""

    code = "illegal-version-move"
    vi = "Trạng thái hiện tại của phiên bản không cho phép thao tác này."


class VersionContentFrozen(Conflict):
    """The content of a version changes only while it is a draft."""

    code = "checklist-version-frozen"
    vi = "Nội dung chỉ sửa được khi phiên bản còn là bản thảo."


class VersionNotNewer(Conflict):
    """A newer version of this checklist has already been published."""

    code = "checklist-version-not-newer"
    vi = "Đã có phiên bản mới hơn của bảng kiểm này được ban hành."


class VersionNeverPublished(Conflict):
    """Reports are taken only on versions that were published."""

    code = "checklist-never-published"
    vi = "Phiên bản bảng kiểm này chưa từng được ban hành nên không nhận báo cáo."


class CodeTaken(Conflict):
    """This code or version number is already used."""

    code = "checklist-code-taken"
    vi = "Mã hoặc số phiên bản này đã được dùng."
