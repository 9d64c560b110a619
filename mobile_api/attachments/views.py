"""`GET attachments/{id}`, its `original` and its `thumbnail`."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.errors import NotFound
from apps.evidence.models import Attachment
from apps.evidence.queries import detail
from apps.evidence.serving import original_response, thumbnail_response
from mobile_api.attachments.serializers import AttachmentSerializer
from mobile_api.views import PhoneView

EXAMPLE = {
    "id": "0192f0c1-7e1a-7c3e-9a55-2f8f3c1b7d10",
    "owner_kind": "inspection",
    "owner_id": "0192f0c1-7000-7c3e-9a55-2f8f3c1b7d10",
    "step_key": "xray_image",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": 84213,
    "mime": "image/jpeg",
    "state": "stored",
    "failure": "",
    "stored_at": "2026-11-21T08:00:04Z",
    "captured_on_device_at": "2026-11-21T07:41:10Z",
    "flags": [],
    "rev": 3,
    "purpose": "xray",
    "capture_mode": "in_app",
    "width": 1280,
    "height": 960,
    "claims": {"taken": "2026:11:21 14:41:10", "offset": "+07:00", "make": "Hải Đăng", "model": "Mô phỏng"},
    "is_signed": True,
    "has_thumbnail": True,
}


class AttachmentView(PhoneView):
    """Facts about one attachment."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"get": ["not-found"]}

    def found(self, attachment_id: UUID) -> Attachment:
        """Find it among what this officer may see. Raises NotFound."""
        attachment = Attachment.objects.visible_to(self.actor).filter(pk=attachment_id).first()
        if attachment is None:
            raise NotFound
        return attachment

    @extend_schema(
        summary="Facts about a photo or file",
        responses=AttachmentSerializer,
        examples=[OpenApiExample("a stored photo", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, attachment_id: UUID) -> Response:
        """Give the facts."""
        return Response(AttachmentSerializer(detail(self.found(attachment_id))).data)


class OriginalView(AttachmentView):
    """The original."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"get": ["not-found", "purpose-needed"]}

    @extend_schema(
        summary="The original, byte for byte",
        description="As a download. Each look at an original is written into the audit record.",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, attachment_id: UUID) -> FileResponse:  # type: ignore[override]  # bytes, not JSON
        """Give the bytes."""
        return original_response(actor=self.actor, attachment=self.found(attachment_id))


class ThumbnailView(AttachmentView):
    """The thumbnail."""

    problem_codes: ClassVar[dict[str, list[str]]] = {"get": ["not-found", "purpose-needed"]}

    @extend_schema(
        summary="A small picture without EXIF",
        description="404 until it has been made, some seconds after the photo was stored.",
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, attachment_id: UUID) -> FileResponse:  # type: ignore[override]  # bytes, not JSON
        """Give the picture."""
        return thumbnail_response(actor=self.actor, attachment=self.found(attachment_id))
