"""Inspection reports, the frozen body of each submission, and the reviewer's notes at the questions."""

from __future__ import annotations

from typing import Any, Self

import orjson
from django.db import models
from django.db.models import Q

from apps.accounts.models import Device, Officer, UnitScopedQuerySet, UnitScopedRecord
from apps.checklists.models import AppliesTo, ChecklistVersion
from apps.common.actor import Actor
from apps.common.insert_only import InsertOnly
from apps.common.text import say


class State(models.TextChoices):
    """The server's part of dictionary 4.2; `local_draft` is a draft that the phone has saved here."""

    LOCAL_DRAFT = "local_draft", say("Nháp trên máy", "Draft on the phone")
    RECEIVED = "received", say("Đã nhận", "Received")
    MEDIA_PENDING = "media_pending", say("Chờ ảnh", "Waiting for photos")
    COMPLETE = "complete", say("Đủ hồ sơ", "Complete")
    UNDER_REVIEW = "under_review", say("Đang soát xét", "Under review")
    RETURNED = "returned", say("Trả lại bổ sung", "Returned")
    APPROVED = "approved", say("Đã duyệt", "Approved")
    LOCKED = "locked", say("Đã khóa", "Locked")
    VOIDED = "voided", say("Hủy", "Voided")


# States whose reports are counted in the figures.
COUNTED = (
    State.RECEIVED,
    State.MEDIA_PENDING,
    State.COMPLETE,
    State.UNDER_REVIEW,
    State.RETURNED,
    State.APPROVED,
    State.LOCKED,
)
# States in which a reviewer has something to do.
REVIEWABLE = (State.RECEIVED, State.MEDIA_PENDING, State.COMPLETE, State.UNDER_REVIEW)


class Outcome(models.TextChoices):
    """What an inspection came to."""

    NOTHING_FOUND = "nothing_found", say("Không phát hiện", "Nothing found")
    RELEASED = "released", say("Thông quan, cho qua", "Released")
    REFERRED = "referred", say("Chuyển kiểm tra sâu", "Referred")
    FINDING = "finding", say("Phát hiện vi phạm", "Finding")
    SUSPICION_OPEN = "suspicion_open", say("Nghi vấn, theo dõi", "Suspicion open")
    REFUSED = "refused", say("Từ chối kiểm tra", "Refused")
    ABORTED = "aborted", say("Dừng kiểm tra", "Aborted")


class SelectionReason(models.TextChoices):
    """Why this subject was inspected."""

    DECLARED = "declared", say("Thuộc diện khai báo", "Declared")
    TARGETED = "targeted", say("Trọng điểm", "Targeted")
    SUSPICION_OBSERVED = "suspicion_observed", say("Nghi vấn qua giám sát", "Suspicion observed")
    RANDOM = "random", say("Ngẫu nhiên", "Random")
    ALERT_HIT = "alert_hit", say("Trùng cảnh báo", "Alert hit")
    JOINT_REQUEST = "joint_request", say("Yêu cầu phối hợp", "Joint request")
    MANDATORY_100PCT = "mandatory_100pct", say("Kiểm tra 100%", "Mandatory 100%")


class Mode(models.TextChoices):
    """The mode of transport."""

    AIR_PASSENGER = "air_passenger", say("Hành khách hàng không", "Air passenger")
    AIR_CARGO = "air_cargo", say("Hàng hóa hàng không", "Air cargo")
    EXPRESS = "express", say("Chuyển phát nhanh", "Express")
    POSTAL = "postal", say("Bưu chính", "Postal")
    SEA_CONTAINER = "sea_container", say("Container đường biển", "Sea container")
    SEA_OTHER = "sea_other", say("Đường biển khác", "Other sea")
    ROAD_PASSENGER = "road_passenger", say("Xe khách", "Road passenger")
    ROAD_CARGO = "road_cargo", say("Xe tải", "Road cargo")
    RAIL = "rail", say("Đường sắt", "Rail")
    RIVER = "river", say("Đường sông", "River")
    FOOT = "foot", say("Đường mòn, đi bộ", "On foot")
    INLAND = "inland", say("Nội địa", "Inland")


class Direction(models.TextChoices):
    """Which way it was going."""

    IMPORT = "import", say("Nhập khẩu", "Import")
    EXPORT = "export", say("Xuất khẩu", "Export")
    TRANSIT = "transit", say("Quá cảnh", "Transit")
    INWARD_PASSENGER = "inward_passenger", say("Nhập cảnh", "Inward passenger")
    OUTWARD_PASSENGER = "outward_passenger", say("Xuất cảnh", "Outward passenger")
    TRANSSHIPMENT = "transshipment", say("Trung chuyển", "Transshipment")
    INTERNAL = "internal", say("Nội địa", "Inland")


class PlaceType(models.TextChoices):
    """What kind of place it happened at."""

    PASSENGER_HALL = "passenger_hall", say("Ga hành khách", "Passenger hall")
    AIR_CARGO_TERMINAL = "air_cargo_terminal", say("Kho hàng không", "Air cargo terminal")
    EXTENDED_AIR_CARGO = "extended_air_cargo", say("Kho hàng không kéo dài", "Extended air-cargo terminal")
    EXPRESS_HUB = "express_hub", say("Địa điểm chuyển phát nhanh", "Express hub")
    POST_OFFICE_EXCHANGE = "post_office_exchange", say("Bưu cục ngoại dịch", "Exchange post office")
    SEAPORT = "seaport", say("Cảng biển", "Seaport")
    BORDER_GATE = "border_gate", say("Cửa khẩu đường bộ", "Border gate")
    ICD = "icd", say("ICD, cảng cạn", "Inland depot")
    BONDED = "bonded", say("Kho ngoại quan", "Bonded warehouse")
    PATROL = "patrol", say("Tuần tra, ngoài địa bàn cửa khẩu", "Patrol")


class InspectionReportQuerySet(UnitScopedQuerySet["InspectionReport"]):
    """Visibility is that of every unit-scoped record."""


class InspectionReport(UnitScopedRecord):
    """One inspection as an officer reported it: header fields, answers and photo ids by step key, state, review."""

    number = models.CharField(max_length=40, unique=True, null=True)
    version = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=14, choices=State.choices, default=State.LOCAL_DRAFT)
    checklist_version = models.ForeignKey(ChecklistVersion, on_delete=models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64)
    type = models.CharField(max_length=12, choices=AppliesTo.choices)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")

    mode = models.CharField(max_length=16, choices=Mode.choices, blank=True)
    direction = models.CharField(max_length=18, choices=Direction.choices, blank=True)
    place_type = models.CharField(max_length=22, choices=PlaceType.choices, blank=True)
    place = models.CharField(max_length=200, blank=True)
    selection_reason = models.CharField(max_length=20, choices=SelectionReason.choices, blank=True)
    channel = models.CharField(max_length=10, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    started_on_device_at = models.DateTimeField(null=True)
    ended_on_device_at = models.DateTimeField(null=True)
    captured_tz = models.CharField(max_length=40, blank=True)
    subjects = models.JSONField(default=list)
    transport = models.JSONField(default=dict)
    goods = models.JSONField(default=dict)
    means_used = models.JSONField(default=list)
    participants = models.JSONField(default=list)
    witnesses = models.JSONField(default=list)
    equipment_unavailable = models.JSONField(default=list)
    alert_ids = models.JSONField(default=list)
    campaign_ids = models.JSONField(default=list)
    remarks = models.TextField(blank=True)
    answers = models.JSONField(default=dict)
    photos = models.JSONField(default=dict)
    extra = models.JSONField(default=dict)

    # The server's own account of the report.
    field_revs = models.JSONField(default=dict)
    flags = models.JSONField(default=list)
    occurred_on = models.DateField(null=True)
    received_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    required_steps = models.PositiveIntegerField(default=0)
    answered_steps = models.PositiveIntegerField(default=0)
    reviewer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    review_note = models.TextField(blank=True)

    objects = InspectionReportQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["unit", "occurred_on"], name="inspection_unit_day"),
            models.Index(fields=["state", "submitted_at"], name="inspection_queue"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state="local_draft") | Q(number__isnull=False), name="received_report_has_number"
            ),
            models.CheckConstraint(
                condition=Q(state="local_draft") | Q(occurred_on__isnull=False),
                name="received_report_has_day",
            ),
            models.CheckConstraint(
                condition=(Q(state="local_draft") & Q(is_draft=True))
                | (~Q(state="local_draft") & Q(is_draft=False)),
                name="draft_state_agrees",
            ),
        )

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"


class ReportPartQuerySet(models.QuerySet["ReportVersion"]):
    """Parts are seen with their report."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the parts of visible reports."""
        return self.filter(report__in=InspectionReport.objects.visible_to(actor).values("pk"))


class ReportVersion(InsertOnly):
    """The body of a report as it was submitted, as the bytes whose hash the audit event of the submission names."""

    report = models.ForeignKey(
        InspectionReport, on_delete=models.PROTECT, related_name="versions", db_index=False
    )
    version = models.PositiveIntegerField()
    content = models.BinaryField()
    submitted_at = models.DateTimeField()
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ReportPartQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["report", "version"], name="report_version_once"),)

    def __str__(self) -> str:
        return f"{self.report_id} v{self.version}"

    @property
    def body(self) -> dict[str, Any]:
        """The body, read."""
        read: dict[str, Any] = orjson.loads(bytes(self.content))
        return read


class ReviewNoteQuerySet(models.QuerySet["ReviewNote"]):
    """Notes are seen with their report."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the notes on visible reports."""
        return self.filter(report__in=InspectionReport.objects.visible_to(actor).values("pk"))


class ReviewNote(models.Model):
    """What a reviewer wrote when returning a version: at a question, or on the whole (`step_key` empty)."""

    report = models.ForeignKey(InspectionReport, on_delete=models.PROTECT, related_name="notes")
    version = models.PositiveIntegerField()
    step_key = models.CharField(max_length=80, blank=True)
    text = models.TextField()
    author = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = ReviewNoteQuerySet.as_manager()

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"note on {self.report_id} v{self.version}"


class SingleUseValue(models.Model):
    """A number that may be used once (a seal put on), as the newest submission of a report gives it."""

    report = models.ForeignKey(InspectionReport, on_delete=models.CASCADE, related_name="+")
    step_key = models.CharField(max_length=80)
    value = models.CharField(max_length=100)
    submitted_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["report", "step_key"], name="single_use_once_a_step"),)
        indexes = (
            models.Index(fields=["value"], name="single_use_value"),
            models.Index(fields=["submitted_at"], name="single_use_submitted"),
        )

    def __str__(self) -> str:
        return f"{self.value} in {self.report_id}"


class NumberSeries(models.Model):
    """The counter behind human numbers: one row per unit and year, raised inside the submitting transaction."""

    series = models.CharField(primary_key=True, max_length=30)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.series}: {self.last}"
