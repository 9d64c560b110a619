"""How attachments are told to phones and pages, and how the upload behind a chunk is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID, uuid4

import orjson
from django.db import connection, models

from apps.common.actor import Actor
from apps.common.sql import as_moment, as_uuid, execute
from apps.evidence.models import Attachment, Upload

Row = TypeVar("Row", bound=models.Model)

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


def find_upload(actor: Actor, upload_id: UUID) -> Upload | None:
    """Find a visible upload with its attachment: every chunk asks this, so the statement is composed only once."""
    if actor.officer_id is None or actor.device_id is None:
        return None
    sql, order = _finding(connection.vendor)
    given = (actor.officer_id, actor.device_id, upload_id)
    row = execute(sql, [given[place] for place in order]).fetchone()
    if row is None:
        return None
    count = len(Upload._meta.concrete_fields)  # noqa: SLF001  the documented name of a model's options
    upload = _read(Upload, row[:count])
    if upload.attachment_id is not None:
        upload.attachment = _read(Attachment, row[count:])
    return upload


@lru_cache(maxsize=4)
def _finding(_vendor: str) -> tuple[str, Sequence[int]]:
    """Compose the statement from `visible_to`, with places for officer, device and upload, and tell their order."""
    officer, device, upload = uuid4(), uuid4(), uuid4()
    names = [f.attname for f in Upload._meta.concrete_fields]  # noqa: SLF001
    names += [f"attachment__{f.attname}" for f in Attachment._meta.concrete_fields]  # noqa: SLF001
    rows = Upload.objects.visible_to(Actor(officer_id=officer, device_id=device)).filter(pk=upload)
    sql, values = rows.values_list(*names).query.sql_with_params()
    return sql, [(officer, device, upload).index(as_uuid(value)) for value in values]


def _read(model: type[Row], values: Sequence[Any]) -> Row:
    """Make a row of a model from what `execute` fetched."""
    readers = _readers(model)
    return model.from_db(
        "default",
        [field.attname for field in model._meta.concrete_fields],  # noqa: SLF001
        [value if value is None else read(value) for read, value in zip(readers, values, strict=True)],
    )


@lru_cache(maxsize=4)
def _readers(model: type[models.Model]) -> list[Callable[[Any], Any]]:
    return [_reader(field) for field in model._meta.concrete_fields]  # noqa: SLF001


def _reader(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(target, models.UUIDField):
        return as_uuid
    if isinstance(target, models.DateTimeField):
        return as_moment
    if isinstance(target, models.JSONField):
        return lambda value: orjson.loads(value) if isinstance(value, (str, bytes)) else value
    return bool if isinstance(target, models.BooleanField) else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value
