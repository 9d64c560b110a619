"""Answers that carry evidence, for every delivery: the caller has found the attachment through `visible_to`.

Originals are opaque: always a download, never shown in the page's origin. Thumbnails are our own WebP and may be
shown. Nothing of either is cached.
"""

from __future__ import annotations

from typing import IO

from django.http import FileResponse

from apps.common.actor import Actor
from apps.common.errors import NotFound
from apps.evidence.actions import check_purpose, view_original
from apps.evidence.models import Attachment
from apps.evidence.storage import depot

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "video/mp4": "mp4"}


def original_response(*, actor: Actor, attachment: Attachment) -> FileResponse:
    """Give the original byte for byte as a download, and write down that this person was given it.

    Raises NotFound when it is not stored; PurposeNeeded.
    """
    view_original(actor=actor, attachment=attachment)
    name = f"{attachment.pk}.{EXTENSIONS.get(attachment.mime, 'bin')}"
    return _guarded(_open(attachment.original, attachment.mime, name))


def thumbnail_response(*, actor: Actor, attachment: Attachment) -> FileResponse:
    """Give the thumbnail. Raises NotFound when there is none (yet); PurposeNeeded."""
    check_purpose(actor=actor, attachment=attachment)
    if not attachment.thumbnail:
        raise NotFound
    return _guarded(_open(attachment.thumbnail, "image/webp", ""))


def download(file: IO[bytes], *, name: str, mime: str) -> FileResponse:
    """Give an open file as a download."""
    return _guarded(FileResponse(file, as_attachment=True, filename=name, content_type=mime))


def _open(stored: str, mime: str, download: str) -> FileResponse:
    try:
        file = depot().open(stored)
    except FileNotFoundError:
        raise NotFound from None
    return FileResponse(file, as_attachment=bool(download), filename=download, content_type=mime)


def _guarded(response: FileResponse) -> FileResponse:
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    return response
