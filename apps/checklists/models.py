"""Checklists and their versions. A version's content is plain JSON (see `rules`), frozen and hashed at approval."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.accounts.models import Officer, Role
from apps.common.actor import Actor
from apps.common.records import Record
from apps.common.text import pick, say


class AppliesTo(models.TextChoices):
    """What is inspected with a checklist."""

    PASSENGER = "passenger", say("Hành khách", "Passenger")
    BAGGAGE = "baggage", say("Hành lý", "Baggage")
    AIR_CARGO = "air_cargo", say("Hàng hóa hàng không", "Air cargo")
    EXPRESS = "express", say("Chuyển phát nhanh", "Express")
    POSTAL = "postal", say("Bưu chính", "Postal")
    CONTAINER = "container", say("Container", "Container")
    VEHICLE = "vehicle", say("Phương tiện", "Vehicle")
    VESSEL = "vessel", say("Tàu thuyền", "Vessel")
    EQUIPMENT = "equipment", say("Thiết bị", "Equipment")
    CANINE = "canine", say("Chó nghiệp vụ", "Canine")
    FINDING = "finding", say("Phát hiện nghi ma túy", "Suspected find")
    HANDOVER = "handover", say("Bàn giao tang vật", "Hand-over")


class Status(models.TextChoices):
    """The life of a version (dictionary 4.1)."""

    DRAFT = "draft", say("Bản thảo", "Draft")
    IN_REVIEW = "in_review", say("Chờ thẩm định", "In review")
    APPROVED = "approved", say("Đã duyệt", "Approved")
    PUBLISHED = "published", say("Đang áp dụng", "Published")
    CLOSING = "closing", say("Sắp hết hiệu lực", "Closing")
    CLOSED = "closed", say("Hết hiệu lực", "Closed")
    WITHDRAWN = "withdrawn", say("Thu hồi", "Withdrawn")


ON_PHONES = (Status.PUBLISHED, Status.CLOSING)
EVER_PUBLISHED = (Status.PUBLISHED, Status.CLOSING, Status.CLOSED, Status.WITHDRAWN)


class ChecklistQuerySet(models.QuerySet["Checklist"]):
    """Checklists are for everyone in the service, not for foreign liaisons."""

    def visible_to(self, actor: Actor) -> Self:
        """Give those with a version this person may see."""
        return self.filter(pk__in=ChecklistVersion.objects.visible_to(actor).values("checklist_id"))


class Checklist(Record):
    """A checklist as people speak of it; its content is in its versions."""

    code = models.CharField(max_length=40, unique=True)
    applies_to = models.CharField(max_length=12, choices=AppliesTo.choices)
    title_vi = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)

    objects = ChecklistQuerySet.as_manager()

    def __str__(self) -> str:
        return pick(self.title_vi, self.title_en)


class ChecklistVersionQuerySet(models.QuerySet["ChecklistVersion"]):
    """Work in progress belongs to trainers and approvers; what was published, to all who inspect or read reports."""

    def visible_to(self, actor: Actor) -> Self:
        """Give all versions to trainers and approvers, published ones to the service, none to liaisons."""
        if actor.is_system or actor.has_role(Role.TRAINER, Role.APPROVER):
            return self
        if actor.roles - {Role.LIAISON}:
            return self.filter(status__in=EVER_PUBLISHED)
        return self.none()

    def on_phones(self) -> Self:
        """Give what phones hold: published and closing versions."""
        return self.filter(status__in=ON_PHONES)


class ChecklistVersion(Record):
    """One version of a checklist: its steps, its state, who wrote and who approved it."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="versions")
    semver = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    content = models.JSONField()
    content_hash = models.CharField(max_length=64, blank=True)
    change_note = models.TextField(blank=True)
    source_directive = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    contributors = models.JSONField(default=list)
    approver = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    effective_from = models.DateTimeField(null=True)
    accept_until = models.DateTimeField(null=True)
    status_note = models.CharField(max_length=500, blank=True)

    objects = ChecklistVersionQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["checklist", "semver"], name="checklist_semver"),
            models.UniqueConstraint(
                fields=["checklist"], condition=Q(status="published"), name="one_published_version"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "in_review", "withdrawn"]) | ~Q(content_hash=""),
                name="approved_content_is_hashed",
            ),
            models.CheckConstraint(
                condition=Q(approver__isnull=True) | ~Q(approver=models.F("author")),
                name="approver_is_not_author",
            ),
        )

    def __str__(self) -> str:
        return f"{self.checklist_id} {self.semver}"
