"""Refusals of the accounts app: who somebody is not, and what a device, code or posting no longer allows."""

from __future__ import annotations

from apps.common.errors import Conflict, Gone, Invalid, NotAllowed


class NotSignedIn(NotAllowed):
    """Sign in first."""

    code = "token-missing"
    vi = "Đồng chí cần đăng nhập trên thiết bị."


class TokenInvalid(NotSignedIn):
    """The token is not valid on this device."""

    code = "token-invalid"
    vi = "Phiên đăng nhập không hợp lệ trên thiết bị này."


class TokenExpired(NotSignedIn):
    """The token has expired; refresh the session."""

    code = "token-expired"
    vi = "Phiên đăng nhập đã hết hạn, đề nghị làm mới phiên."


class TokenReused(NotSignedIn):
    """An older token was used again; the session has been ended."""

    code = "token-reused"
    vi = "Mã phiên cũ bị dùng lại; phiên đăng nhập đã bị hủy."


class SignInRefused(NotSignedIn):
    """The user name, password or device is not right."""

    code = "sign-in-refused"
    vi = "Tên đăng nhập, mật khẩu hoặc thiết bị không đúng."


class DeviceRevoked(NotAllowed):
    """This device may not be used any more."""

    code = "device-revoked"
    vi = "Thiết bị này không còn được phép sử dụng."


class SecondPersonNeeded(NotAllowed):
    """Another person must do this for you."""

    code = "second-person-needed"
    vi = "Việc này cần một người khác thực hiện cho đồng chí."


class CodeNotUsable(Gone):
    """The enrolment code is wrong, used or expired."""

    code = "code-not-usable"
    vi = "Mã kích hoạt không đúng, đã dùng hoặc đã hết hạn."


class KeyNotUsable(Invalid):
    """The device key is not a public key on the curve P-256."""

    code = "key-not-usable"
    vi = "Khóa của thiết bị không phải khóa công khai P-256 hợp lệ."


class ProofInvalid(Invalid):
    """The signature does not match the device key."""

    code = "proof-invalid"
    vi = "Chữ ký không khớp với khóa của thiết bị."


class KeyAlreadyEnrolled(Conflict):
    """This device key is another officer's, or that of a device that may not be used any more."""

    code = "key-already-enrolled"
    vi = "Khóa của thiết bị này đã được kích hoạt trước đó."


class UsernameTaken(Conflict):
    """Another officer already has this user name or badge number."""

    code = "username-taken"
    vi = "Tên đăng nhập hoặc số hiệu này đã được dùng."


class OfficerSuspended(Conflict):
    """This officer is suspended."""

    code = "officer-suspended"
    vi = "Công chức này đang bị đình chỉ."


class AlreadyPosted(Conflict):
    """This officer already has this role at this unit at that time."""

    code = "already-posted"
    vi = "Công chức này đã giữ vai trò đó tại đơn vị trong thời gian này."


class PostingEnded(Conflict):
    """This posting has already ended."""

    code = "posting-ended"
    vi = "Thời gian công tác tại đơn vị này đã kết thúc."


class DeviceStateChanged(Conflict):
    """The state of the device does not allow this."""

    code = "device-state"
    vi = "Trạng thái thiết bị không cho phép thao tác này."


class PasswordTooWeak(Invalid):
    """The password does not meet the rules."""

    code = "password-too-weak"
    vi = "Mật khẩu chưa đáp ứng yêu cầu."
