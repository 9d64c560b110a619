"""What is made from an original: a thumbnail without EXIF, and the EXIF as claims. The original stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from apps.changes.actions import record
from apps.common.actor import SYSTEM, Actor
from apps.evidence.actions.announcing import change
from apps.evidence.imaging import Imager
from apps.evidence.models import Attachment, Capture
from apps.evidence.rules.claims import flags_of
from apps.evidence.rules.manifests import position_of
from apps.evidence.storage import depot, thumbnail_name

log = structlog.get_logger(__name__)

NO_THUMBNAIL = "no-thumbnail"
Position = tuple[float, float, float]


@dataclass(frozen=True)
class Derived:
    """What the imager made of one original."""

    thumbnail: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def prepare_derivatives(attachment_ids: Iterable[UUID]) -> dict[UUID, Derived]:
    """Make the derivatives of stored photos, in a limited child process and outside any transaction.

    A photo that cannot be decoded gets a flag. Writes files only; `settle_derivatives` writes the rows.
    """
    photos = Attachment.objects.filter(
        pk__in=list(attachment_ids), state=Attachment.State.STORED, mime__startswith="image/", thumbnail=""
    )
    found = list(photos)
    signed = Capture.objects.filter(pk__in=[photo.pk for photo in found]).values_list("pk", "manifest")
    return derive_photos(found, {pk: position_of(bytes(manifest)) for pk, manifest in signed})


def derive_photos(
    photos: Iterable[Attachment], positions: Mapping[UUID, Position | None] | None = None
) -> dict[UUID, Derived]:
    """Make the derivatives of photos that are known to be stored; `positions` are where phones say they were.

    Asks no database.
    """
    with Imager() as imager:
        return {photo.pk: _derive(imager, photo, (positions or {}).get(photo.pk)) for photo in photos}


def _derive(imager: Imager, photo: Attachment, position: Position | None) -> Derived:
    with depot().open(photo.original) as file:
        made = imager.look(file.read())
    flags = flags_of(made.claims, photo.captured_on_device_at, position)
    if not made.thumbnail:
        log.warning("thumbnail.failed", attachment=str(photo.pk), error=made.error)
        return Derived(claims=made.claims, flags=(*flags, NO_THUMBNAIL))
    name = thumbnail_name(photo.sha256)
    depot().write(name, made.thumbnail)
    return Derived(thumbnail=name, claims=made.claims, flags=flags)


@transaction.atomic
def settle_derivatives(*, actor: Actor, made: Mapping[UUID, Derived]) -> None:
    """Write down what was made; a photo that already has its derivatives keeps them."""
    items = []
    for photo in Attachment.objects.select_for_update().filter(pk__in=list(made)).order_by("pk"):
        derived = made[photo.pk]
        if photo.thumbnail or NO_THUMBNAIL in photo.flags:
            continue
        fields = {
            "thumbnail": derived.thumbnail,
            "claims": dict(derived.claims),
            "flags": list(dict.fromkeys([*photo.flags, *derived.flags])),
        }
        items.append(change(actor, photo, "attachment.derived", fields))
    if items:
        record(actor, *items)


def derive_thumbnail(*, attachment_id: UUID, actor: Actor = SYSTEM) -> None:
    """Make and write down the derivatives of one photo."""
    settle_derivatives(actor=actor, made=prepare_derivatives([attachment_id]))
