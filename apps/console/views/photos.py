"""Photos for reviewers: derivatives to look at, originals to take along, each under the eye of `visible_to`."""

from __future__ import annotations

from uuid import UUID

from django.core.files.storage import storages
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from apps.audit.actions import log
from apps.console.rooms import REVIEW, ConsoleRequest, opens
from apps.evidence.models import Attachment

_SANDBOX = "default-src 'none'; sandbox"


@opens(REVIEW)
@require_safe
def thumbnail(request: ConsoleRequest, attachment_id: UUID) -> HttpResponseBase:
    """Show the derivative, which we made ourselves and which carries no EXIF."""
    attachment = get_object_or_404(Attachment.objects.visible_to(request.actor), pk=attachment_id)
    if not attachment.thumbnail:
        raise Http404
    answer = _file(attachment.thumbnail, "image/jpeg")
    answer.headers["Cache-Control"] = "private, max-age=600"
    return answer


@opens(REVIEW)
@require_safe
def original(request: ConsoleRequest, attachment_id: UUID) -> HttpResponseBase:
    """Hand out the original bytes, never inline; taking them is an audit event."""
    attachment = get_object_or_404(Attachment.objects.visible_to(request.actor), pk=attachment_id)
    if not attachment.original:
        raise Http404
    log(request.actor, "attachment.original_read", "attachment", attachment.pk, {"owner": str(attachment.owner_id)})
    answer = _file(attachment.original, "application/octet-stream")
    extension = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}.get(attachment.mime, "bin")
    answer.headers["Content-Disposition"] = f'attachment; filename="{attachment.pk}.{extension}"'
    return answer


def _file(name: str, mime: str) -> FileResponse:
    try:
        answer = FileResponse(storages["evidence"].open(name), content_type=mime)
    except FileNotFoundError as error:
        raise Http404 from error
    answer.headers["Content-Security-Policy"] = _SANDBOX
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
