"""Photos for reviewers: found through `visible_to`, handed out as `apps.evidence.serving` says."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from apps.common.errors import NotFound
from apps.console.rooms import REVIEW, ConsoleRequest, opens
from apps.evidence.errors import PurposeNeeded
from apps.evidence.models import Attachment
from apps.evidence.serving import original_response, thumbnail_response


@opens(REVIEW)
@require_safe
def thumbnail(request: ConsoleRequest, attachment_id: UUID) -> FileResponse:
    """Show the derivative."""
    try:
        return thumbnail_response(actor=request.actor, attachment=_visible(request, attachment_id))
    except NotFound as error:
        raise Http404 from error
    except PurposeNeeded as error:
        raise PermissionDenied from error


@opens(REVIEW)
@require_safe
def original(request: ConsoleRequest, attachment_id: UUID) -> FileResponse:
    """Hand out the original as a download; that is an audit event."""
    try:
        return original_response(actor=request.actor, attachment=_visible(request, attachment_id))
    except NotFound as error:
        raise Http404 from error
    except PurposeNeeded as error:
        raise PermissionDenied from error


def _visible(request: ConsoleRequest, attachment_id: UUID) -> Attachment:
    return get_object_or_404(Attachment.objects.visible_to(request.actor), pk=attachment_id)
