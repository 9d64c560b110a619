"""Attachments, what devices signed about them, receipts for complete records, and upload sessions.

An attachment is what a phone promised and the server stores; an upload session is how its bytes arrive.

Originals and derivatives lie in the `evidence` storage under content addresses; rows hold hashes, never bytes.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.accounts.models import Device, Officer, UnitScopedQuerySet, UnitScopedRecord
from apps.common.actor import Actor
from apps.common.insert_only import InsertOnly
from apps.common.records import new_id
from apps.common.text import say
from apps.evidence.rules.declarations import NOMINAL


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

    @property
    def is_nominal(self) -> bool:
        """Whether it shows who somebody is, in a record that gives that away for a stated purpose alone."""
        return self.purpose in NOMINAL.get(self.owner_kind, ())

    def __str__(self) -> str:
        return f"attachment {self.pk} of {self.owner_kind} {self.owner_id}"


class AttachmentPartQuerySet(models.QuerySet["Capture"]):
    """What belongs to an attachment is seen with it."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the parts of visible attachments."""
        return self.filter(attachment_id__in=Attachment.objects.visible_to(actor).values("pk"))


class Capture(InsertOnly):
    """What a device said of a file before its bytes came: hash, size, and the manifest it signed, as the bytes it sent.

    `signature` is as it came (r‖s from a browser), `signature_der` the form that openssl reads. The attachment's id is
    no foreign key: the row stays when a photo that no report ever came for is removed.
    """

    class Verdict(models.TextChoices):
        """Judged when it came, by the key that the device enrolled with. Old apps sign nothing."""

        SIGNED = "signed", say("Có chữ ký", "Signed")
        UNSIGNED = "unsigned", say("Không có chữ ký", "Unsigned")
        INVALID = "invalid", say("Chữ ký không khớp", "Signature does not fit")

    attachment_id = models.UUIDField(primary_key=True)
    owner_kind = models.CharField(max_length=40)
    owner_id = models.UUIDField()
    device_id = models.UUIDField(null=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    manifest = models.BinaryField()
    signature = models.BinaryField()
    signature_der = models.BinaryField()
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    device_seq = models.PositiveBigIntegerField(null=True)
    received_at = models.DateTimeField()

    objects = AttachmentPartQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["owner_kind", "owner_id"], name="capture_owner"),
            models.Index(fields=["device_id", "device_seq"], name="capture_device_seq"),
        )

    def __str__(self) -> str:
        return f"{self.verdict} capture of {self.attachment_id}"


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """A receipt names nothing but hashes of what its holder sent: whoever sees the record sees its receipts."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the receipts of one's own reports."""
        return self.filter(posting_id__in=actor.post_ids())


class Receipt(InsertOnly):
    """What the server signed when a version of a record was complete: `body` is what was signed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner_kind = models.CharField(max_length=40)
    owner_id = models.UUIDField()
    version = models.PositiveIntegerField()
    posting_id = models.UUIDField()
    event_id = models.UUIDField()
    at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    body = models.BinaryField()
    signature = models.BinaryField()

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["owner_kind", "owner_id", "version"], name="receipt_once"),
        )
        indexes = (models.Index(fields=["posting_id"], name="receipt_posting"),)

    def __str__(self) -> str:
        return f"receipt for {self.owner_kind} {self.owner_id} v{self.version}"


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
