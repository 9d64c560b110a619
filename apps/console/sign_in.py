"""How django-allauth signs people in to the console: nobody registers themselves, and its words are ours.

django-allauth has no Vietnamese catalogue, so every message it can show on our pages stands here in both languages.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from apps.common.text import pick, say

_TOO_MANY = say(
    "Đã thử sai quá nhiều lần. Đề nghị đợi 15 phút rồi thử lại.",
    "Too many failed attempts. Wait 15 minutes and try again.",
)
_WRONG_CODE = say("Mã không đúng.", "The code is not correct.")


class ConsoleAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Accounts are made by administrators, never by a form."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": say("Tài khoản đang bị tạm khóa.", "This account is suspended."),
        "enter_current_password": say(
            "Mật khẩu hiện tại không đúng.", "The current password is not correct."
        ),
        "incorrect_code": _WRONG_CODE,
        "incorrect_password": say("Mật khẩu không đúng.", "The password is not correct."),
        "invalid_login": say("Không đăng nhập được.", "Signing in failed."),
        "rate_limited": _TOO_MANY,
        "same_as_current": say(
            "Mật khẩu mới phải khác mật khẩu hiện tại.", "The new password must differ from the current one."
        ),
        "too_many_login_attempts": _TOO_MANY,
        "username_password_mismatch": say(
            "Tên đăng nhập hoặc mật khẩu không đúng.", "The user name or the password is not correct."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse registration."""
        return False

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Name the ways to confirm one's identity in the language of the page."""
        words = {
            "reauthenticate": say("Dùng mật khẩu", "Use the password"),
            "mfa_reauthenticate": say(
                "Dùng ứng dụng xác thực hoặc mã dự phòng", "Use an authenticator or recovery code"
            ),
            "mfa_reauthenticate:webauthn": say("Dùng khóa bảo mật", "Use a security key"),
        }
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [{**m, "description": words.get(m["id"], m["description"])} for m in methods]


class ConsoleMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """The second factor, in both languages."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": say(
            "Không tắt được xác thực hai lớp.", "Two-step sign-in cannot be turned off."
        ),
        "cannot_generate_recovery_codes": say(
            "Cần bật xác thực hai lớp trước khi tạo mã dự phòng.",
            "Turn two-step sign-in on before making recovery codes.",
        ),
        "incorrect_code": _WRONG_CODE,
    }

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  allauth's name
        """Name a new key by its number."""
        count: int = user.authenticator_set.filter(type=type).count() + 1
        return pick(f"Khóa {count}", f"Key {count}")


class ConsoleSocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Single sign-on connects to existing officers only."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Refuse registration through an identity provider."""
        return False


class PasswordChangeForm(ChangePasswordForm):  # type: ignore[misc]  # allauth ships no types
    """allauth's form, with its one hard-coded message in both languages."""

    def clean(self) -> dict[str, Any]:
        """Compare the two new passwords."""
        cleaned: dict[str, Any] = super().clean()
        if self.has_error("password2") and cleaned.get("password1") != self.data.get("password2"):
            self.errors["password2"] = self.error_class(
                [
                    pick(
                        "Hai lần nhập mật khẩu mới không giống nhau.",
                        "The two new passwords are not the same.",
                    )
                ]
            )
        return cleaned
