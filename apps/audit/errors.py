"""Refusals of the ledger."""

from __future__ import annotations

from apps.common.errors import Unavailable


class SigningKeyMissing(Unavailable):
    """The server has no signing key that it has announced."""

    code = "signing-key-missing"
    vi = "Máy chủ chưa có khóa ký đã công bố."


class LedgerBroken(Unavailable):
    """The ledger does not agree with a head that was signed before; nothing more is signed."""

    code = "ledger-broken"
    vi = "Sổ cái không khớp với chữ ký trước đó; hệ thống ngừng ký."
