"""How attachments are told to phones and pages, and how uploads and what they are for are found."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID, uuid4

import orjson
from django.db import connection, models

from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.common.postgresql.waiting import Statement
from apps.common.records import Record
from apps.common.sql import as_moment, as_uuid, execute, execute_all
from apps.evidence.models import Attachment, Capture, Receipt, Upload

Row = TypeVar("Row", bound=models.Model)

KIND = "attachment"
RECEIPT = "receipt"


# What a declaration sets; every later change names what it sets: the audit events of an attachment add up to its row.
DECLARED = (
    "owner_kind",
    "owner_id",
    "unit_id",
    "posting_id",
    "officer_id",
    "device_id",
    "handling",
    "is_draft",
    "step_key",
    "purpose",
    "sha256",
    "size",
    "mime",
    "capture_mode",
    "captured_on_device_at",
    "created_at",
    "state",
    "failure",
    "stored_at",
    "original",
    "thumbnail",
    "width",
    "height",
    "claims",
    "flags",
)


# What of a declaration never changes afterwards.
AS_DECLARED = frozenset(
    {
        "id",
        "owner_kind",
        "owner_id",
        "unit_id",
        "posting_id",
        "officer_id",
        "device_id",
        "step_key",
        "purpose",
        "sha256",
        "size",
        "capture_mode",
        "captured_on_device_at",
        "created_at",
    }
)


def facts_of(row: Attachment | Capture, fields: Iterable[str]) -> dict[str, Any]:
    """Give fields of a row as JSON types, as audit events name them."""
    return {name: _told(getattr(row, name)) for name in fields}


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, UUID) else value


def body(attachment: Attachment) -> dict[str, Any]:
    """Give what a phone may hold of an attachment: its feed body."""
    return {
        "id": attachment.pk,
        "owner_kind": attachment.owner_kind,
        "owner_id": attachment.owner_id,
        "step_key": attachment.step_key,
        "purpose": attachment.purpose,
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


def receipt_body(receipt: Receipt) -> dict[str, Any]:
    """Give what a phone holds of a receipt: the signed bytes as they are, base64, and the signature over them."""
    return {
        "record_kind": receipt.owner_kind,
        "record_id": receipt.owner_id,
        "version": receipt.version,
        "receipt": base64.b64encode(bytes(receipt.body)).decode(),
        "signature": base64.b64encode(bytes(receipt.signature)).decode(),
        "key_id": receipt.key_id,
    }


def receipts_of(record: Record) -> models.QuerySet[Receipt]:
    """Give the receipts of a record that its own `visible_to` gave, the last version first."""
    return Receipt.objects.filter(owner_id=record.pk).order_by("-version")


def receipt_streams(receipt: Receipt) -> list[str]:
    """Give the streams of the posts that a receipt names: those from which the record and its files came."""
    said = orjson.loads(bytes(receipt.body)).get("posts") or [receipt.posting_id]
    return [post_stream(UUID(str(post))) for post in said]


def detail(attachment: Attachment) -> dict[str, Any]:
    """Give the feed body and what is only asked for one by one: size in pixels, EXIF claims, whether it is signed."""
    return {
        **body(attachment),
        "capture_mode": attachment.capture_mode,
        "width": attachment.width,
        "height": attachment.height,
        "claims": attachment.claims,
        "is_signed": Capture.objects.filter(pk=attachment.pk, verdict=Capture.Verdict.SIGNED).exists(),
        "has_thumbnail": bool(attachment.thumbnail),
    }


def find_upload(actor: Actor, upload_id: UUID) -> Upload | None:
    """Find a visible upload with its attachment: every chunk asks this, so the statement is composed only once."""
    if actor.officer_id is None or actor.device_id is None:
        return None
    row = execute(*_finding(connection.vendor).given(actor.officer_id, actor.device_id, upload_id)).fetchone()
    if row is None:
        return None
    count = len(Upload._meta.concrete_fields)  # noqa: SLF001  the documented name of a model's options
    upload = _read(Upload, row[:count])
    if upload.attachment_id is not None:
        upload.attachment = _read(Attachment, row[count:])
    return upload


def find_awaited(actor: Actor, attachment_id: UUID) -> tuple[Attachment | None, Upload | None]:
    """Find a file that this officer declared, and the upload that is open for it.

    Inside a transaction the file is locked, and the upload is looked for afterwards: a twin may just have opened it.
    """
    if actor.officer_id is None:
        return None, None
    vendor = connection.vendor
    sql, given = _awaited(vendor).given(actor.officer_id, attachment_id)
    if connection.in_atomic_block and vendor == "postgresql":
        sql += " FOR UPDATE"
    found, opened = execute_all([(sql, given), _open_for(vendor).given(attachment_id)])
    row, upload = found.fetchone(), opened.fetchone()
    return row and _read(Attachment, row), upload and _read(Upload, upload)


@dataclass(frozen=True)
class _Composed:
    """A statement of the ORM with places for ids."""

    sql: str
    order: Sequence[int]

    def given(self, *ids: UUID) -> Statement:
        """Put ids into their places."""
        return self.sql, [ids[place] for place in self.order]


def _compose(rows: models.QuerySet[Any], ids: Sequence[UUID]) -> _Composed:
    """Compose a statement from a queryset in which these ids stand for those that will be given."""
    sql, values = rows.query.sql_with_params()
    return _Composed(sql, [ids.index(as_uuid(value)) for value in values])


@lru_cache(maxsize=4)
def _finding(_vendor: str) -> _Composed:
    """Find an upload by officer, device and id."""
    officer, device, upload = uuid4(), uuid4(), uuid4()
    rows = Upload.objects.visible_to(Actor(officer_id=officer, device_id=device)).filter(pk=upload)
    names = [*_names(Upload), *(f"attachment__{name}" for name in _names(Attachment))]
    return _compose(rows.values_list(*names), (officer, device, upload))


@lru_cache(maxsize=4)
def _awaited(_vendor: str) -> _Composed:
    """Find a declared file by officer and id."""
    officer, attachment = uuid4(), uuid4()
    rows = Attachment.objects.awaited_from(Actor(officer_id=officer)).filter(pk=attachment)
    return _compose(rows.values_list(*_names(Attachment)), (officer, attachment))


@lru_cache(maxsize=4)
def _open_for(_vendor: str) -> _Composed:
    """Find the open upload of a file that `_awaited` found."""
    attachment = uuid4()
    rows = Upload.objects.filter(attachment_id=attachment, ended_at=None)
    return _compose(rows.values_list(*_names(Upload)), (attachment,))


@lru_cache(maxsize=4)
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001


def _read(model: type[Row], values: Sequence[Any]) -> Row:
    """Make a row of a model from what `execute` fetched."""
    readers = _readers(model)
    return model.from_db(
        "default",
        _names(model),
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
