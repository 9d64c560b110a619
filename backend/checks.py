"""What `manage.py check --deploy` demands beyond Django's own checks: the signing key, and a witness."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Reminder

from apps.audit.errors import SigningKeyMissing
from apps.audit.keys import FILE, server_key


@register(Tags.security, deploy=True)
def check_signing_key(app_configs: Sequence[Any] | None, **_options: Any) -> list[CheckMessage]:
    """Demand a key that only the service can read."""
    path = Path(settings.KEYS_DIR) / FILE
    if not settings.SERVER_KEY:
        if not path.exists():
            return [Error("There is no signing key.", hint="manage.py server_keys make", id="haidang.E001")]
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            return [Error(f"{FILE} can be read by others.", hint="chmod 600", id="haidang.E002")]
    try:
        server_key()
    except (SigningKeyMissing, ValueError, TypeError, OSError) as error:
        return [Error(f"The signing key cannot be read: {type(error).__name__}.", id="haidang.E003")]
    return []


@register(Tags.security, deploy=True)
def check_witness(app_configs: Sequence[Any] | None, **_options: Any) -> list[CheckMessage]:
    """Remind of a witness: without one, who owns the server could rewrite everything."""
    if settings.WITNESS_DIR:
        return []
    hint = "HAIDANG_WITNESS_DIR: a directory that the administrators of this machine cannot change"
    return [Reminder("Heads of the ledger are handed to no witness.", hint=hint, id="haidang.W001")]
