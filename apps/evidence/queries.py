"""How attachments are told to phones and pages."""

from __future__ import annotations

from typing import Any

from apps.evidence.models import Attachment

KIND = "attachment"


def body(attachment: Attachment) -> dict[str, Any]:
    """Give what a phone may hold of an attachment: its feed body."""
    return {
        "id": attachment.pk,
        "owner_kind": attachment.owner_kind,
        "owner_id": attachment.owner_id,
        "step_key": attachment.step_key,
        "sha256": attachment.sha256,
        "size": attachment.size,
        "mime": attachment.mime,
        "state": attachment.state,
        "failure": attachment.failure,
        "stored_at": attachment.stored_at,
        "captured_on_device_at": attachment.captured_on_device_at,
        "flags": attachment.flags,
        "rev": attachment.rev,
    }


def detail(attachment: Attachment) -> dict[str, Any]:
    """Give the feed body and what is only asked for one by one: size in pixels, EXIF claims, whether it is signed."""
    return {
        **body(attachment),
        "purpose": attachment.purpose,
        "capture_mode": attachment.capture_mode,
        "width": attachment.width,
        "height": attachment.height,
        "claims": attachment.claims,
        "is_signed": bool(attachment.signature),
        "has_thumbnail": bool(attachment.thumbnail),
    }
