"""Attachments (what a phone promised and the server stores) and upload sessions (how the bytes arrive).

Originals and derivatives lie in the `evidence` storage under content addresses; rows hold hashes, never bytes.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.accounts.models import Device, Officer, UnitScopedQuerySet, UnitScopedRecord
from apps.common.actor import Actor
from apps.common.records import new_id
from apps.common.text import say


class AttachmentQuerySet(UnitScopedQuerySet["Attachment"]):
    """An attachment is seen by whoever sees the record it belongs to: it carries that record's unit and posting."""

    def awaited_from(self, actor: Actor) -> Self:
        """Give what this officer declared, also from a posting that has ended since: the bytes may still come."""
        return self.filter(officer_id=actor.officer_id)


class Attachment(UnitScopedRecord):
    """One photo or file of one record: declared with its hash by the phone, stored when the bytes agree."""

    class State(models.TextChoices):
        """`rejected` keeps the declaration and the reason; the phone keeps the file."""

        EXPECTED = "expected", say("Chờ tải lên", "Awaiting upload")
        STORED = "stored", say("Đã lưu", "Stored")
        REJECTED = "rejected", say("Không nhận", "Refused")

    owner_kind = models.CharField(max_length=40)
    owner_id = models.UUIDField()
    step_key = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=12, blank=True)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    mime = models.CharField(max_length=60)
    capture_mode = models.CharField(max_length=10, default="in_app")
    captured_on_device_at = models.DateTimeField(null=True)
    manifest = models.TextField(blank=True)
    signature = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.EXPECTED)
    failure = models.CharField(max_length=40, blank=True)
    stored_at = models.DateTimeField(null=True)
    original = models.CharField(max_length=200, blank=True)
    thumbnail = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    claims = models.JSONField(default=dict)
    flags = models.JSONField(default=list)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["owner_kind", "owner_id"], name="attachment_owner"),
            models.Index(fields=["sha256"], name="attachment_hash"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(state="stored") | ~Q(original=""), name="stored_attachment_has_original"
            ),
        )

    def __str__(self) -> str:
        return f"attachment {self.pk} of {self.owner_kind} {self.owner_id}"


class UploadQuerySet(models.QuerySet["Upload"]):
    """An upload session belongs to the officer and the device that opened it."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the sessions opened by this officer from this device."""
        return self.filter(officer_id=actor.officer_id, device_id=actor.device_id)


class Upload(models.Model):
    """A tus 1.0.0 upload session.

    Its offset counts only bytes that are durable. `length` is None while the client has deferred it; `most` bounds
    the upload until then. A session without an attachment keeps its bytes, once they are complete, under `sha256`
    until an attachment of that hash is declared. `multipart` names the S3 multipart upload that its large parts are in.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    attachment = models.ForeignKey(Attachment, on_delete=models.PROTECT, null=True, related_name="uploads")
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    length = models.PositiveBigIntegerField(null=True)
    most = models.PositiveBigIntegerField(null=True)
    offset = models.PositiveBigIntegerField(default=0)
    metadata = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    multipart = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(offset__lte=models.F("length")), name="upload_offset_within_length"
            ),
            models.UniqueConstraint(
                fields=["attachment"],
                condition=Q(ended_at__isnull=True),
                name="one_open_upload_per_attachment",
            ),
        )
        indexes = (
            models.Index(
                fields=["expires_at"], condition=Q(ended_at__isnull=True), name="upload_open_by_expiry"
            ),
        )

    def __str__(self) -> str:
        return f"upload {self.pk} {self.offset}/{self.length}"


class PieceQuerySet(models.QuerySet["Piece"]):
    """Pieces are seen with their upload."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the pieces of visible uploads."""
        return self.filter(upload__in=Upload.objects.visible_to(actor).values("pk"))


class Piece(models.Model):
    """One stored piece of an upload, where the storage cannot append (S3); local storage needs none.

    The row is what makes a piece count: of two connections that store a piece for the same place, one gets the row.
    A piece with a `number` is a part of the upload's S3 multipart upload and has no name of its own.
    """

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces")
    offset = models.PositiveBigIntegerField()
    length = models.PositiveBigIntegerField()
    name = models.CharField(max_length=200, blank=True)
    number = models.PositiveIntegerField(default=0)

    objects = PieceQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["upload", "offset"], name="one_piece_per_place"),)
        ordering = ("offset",)

    def __str__(self) -> str:
        return self.name
