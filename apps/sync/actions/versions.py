"""Mutations that this app is too old to send: put off, never refused, so that an update that waits loses nothing."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.common.text import pick
from apps.sync.errors import AppTooOld
from apps.sync.rules import Envelope, Verdict, version_needed

AGAIN_AFTER_SECONDS = 3600


def put_off(sent: Envelope, app_version: str) -> dict[str, Any] | None:
    """Give the verdict for a mutation whose type asks for a newer app; None when it may be processed.

    Nothing is stored: the phone keeps the mutation and sends it again, with the same id, once it is updated.
    """
    needed = version_needed(sent.type, app_version, settings.MIN_APP_VERSIONS)
    if needed is None:
        return None
    told = {"code": AppTooOld.code, "detail": pick(*AppTooOld.titles()), "min_version": needed}
    return Verdict("deferred", {**told, "retry_after": AGAIN_AFTER_SECONDS}).as_json(sent.id)
