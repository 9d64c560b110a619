"""Seizure reports by stage with the incidents they belong to, their versions, decisions, people, and counted lines.

What was reported stands in the report's JSON, field by field as phones merge it. Lines, numbers and participations
stand once more as rows of their own, written with every change of their report: figures and searches read those.
"""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Q

from apps.accounts.models import REPORT_READERS, Device, Handling, Officer, Posting, UnitScopedRecord
from apps.common.actor import Actor
from apps.common.insert_only import InsertOnly
from apps.common.records import Record
from apps.common.text import say
from apps.inspections.models import Mode
from apps.organisation.models import Force, Unit
from apps.seizures.rules.lines import Measure, measures


class Stage(models.TextChoices):
    """The stages of dictionary 4.3; `draft` is what a phone has saved here and not sent."""

    DRAFT = "draft", say("Nháp trên máy", "Draft on the phone")
    FLASH = "flash", say("Tin báo nhanh", "Flash report")
    PRELIMINARY = "preliminary", say("Báo cáo ban đầu", "Preliminary report")
    SUBMITTED = "submitted", say("Đã gửi", "Submitted")
    UNIT_VERIFIED = "unit_verified", say("Đơn vị xác nhận", "Verified by the unit")
    REGION_VERIFIED = "region_verified", say("Khu vực, Cục xác nhận", "Verified by the region")
    HQ_ACCEPTED = "hq_accepted", say("Cấp trung ương ghi nhận", "Accepted by headquarters")
    LAB_CONFIRMED = "lab_confirmed", say("Có kết luận giám định", "Laboratory confirmed")
    CLOSED = "closed", say("Kết thúc", "Closed")
    VOIDED = "voided", say("Hủy", "Voided")
    MERGED = "merged", say("Nhập vào vụ khác", "Merged into another")


class StatisticStatus(models.TextChoices):
    """How a report stands in the figures."""

    PROVISIONAL = "provisional", say("Số tạm tính", "Provisional")
    CONFIRMED = "confirmed", say("Số chính thức", "Confirmed")
    EXCLUDED = "excluded", say("Không tính", "Excluded")


class SeizureReportQuerySet(models.QuerySet["SeizureReport"]):
    """Need to know: the people who seized, and the line of command of every unit that took part."""

    def visible_to(self, actor: Actor) -> Self:
        """Give one's own reports and those one took part in while the posting lasts, and what one's office reaches.

        An office reaches the reports of its units and those in which its units took part. Drafts are for the people
        who write them; compartments open only to their members (no record is in one yet).
        """
        if actor.is_system:
            return self
        posts = actor.post_ids()
        joined = Participant.objects.filter(posting_id__in=posts)
        own = Q(officer_id=actor.officer_id, posting_id__in=posts) | Q(pk__in=joined.values("report_id"))
        reach = actor.reach_of(*REPORT_READERS)
        shared = Participation.objects.filter(unit_id__in=reach)
        reached = (Q(unit_id__in=reach) | Q(pk__in=shared.values("report_id"))) & ~Q(is_draft=True)
        return self.filter(own | reached).exclude(handling=Handling.COMPARTMENT)


class IncidentQuerySet(models.QuerySet["Incident"]):
    """An incident is known to whoever sees one of its reports."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the incidents of visible reports."""
        return self.filter(pk__in=SeizureReport.objects.visible_to(actor).values("incident_id"))


class Incident(Record):
    """One counted event, whoever led it and however many reports tell of it."""

    number = models.CharField(max_length=40, unique=True, null=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")

    objects = IncidentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.number or f"incident {self.pk}"


class SeizureReport(UnitScopedRecord):
    """What was seized, as its officers reported it, and how far its verification has come.

    `fields` holds the header; `lines`, `persons`, `conveyances`, `consignments` go by mark. `mode`, `lead_force`,
    `handling` and `occurred_on` repeat what the fields say, for the database.
    """

    number = models.CharField(max_length=40, unique=True, null=True)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="reports")
    stage = models.CharField(max_length=16, choices=Stage.choices, default=Stage.DRAFT)
    statistic_status = models.CharField(
        max_length=12, choices=StatisticStatus.choices, default=StatisticStatus.EXCLUDED
    )
    version = models.PositiveIntegerField(default=0)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")

    fields = models.JSONField(default=dict)
    lines = models.JSONField(default=dict)
    persons = models.JSONField(default=dict)
    conveyances = models.JSONField(default=dict)
    consignments = models.JSONField(default=dict)
    extra = models.JSONField(default=dict)
    field_revs = models.JSONField(default=dict)

    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="merged_reports"
    )
    flags = models.JSONField(default=list)
    mode = models.CharField(max_length=16, choices=Mode.choices, blank=True)
    lead_force = models.CharField(max_length=20, choices=Force.choices, blank=True)
    occurred_on = models.DateField(null=True)
    received_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)

    objects = SeizureReportQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["unit", "occurred_on"], name="seizure_unit_day"),
            models.Index(fields=["stage", "received_at"], name="seizure_queue"),
            models.Index(fields=["posting"], name="seizure_posting"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(stage="draft") | Q(number__isnull=False, occurred_on__isnull=False),
                name="sent_seizure_has_number_and_day",
            ),
            models.CheckConstraint(
                condition=Q(stage="draft", is_draft=True) | (~Q(stage="draft") & Q(is_draft=False)),
                name="seizure_draft_stage_agrees",
            ),
        )

    def __str__(self) -> str:
        return self.number or f"draft {self.pk}"

    @property
    def measured(self) -> list[Measure]:
        """What each line counts as, by mark."""
        return measures(self.lines)

    @property
    def people_badges(self) -> frozenset[str]:
        """The badge numbers of everyone who took part or weighed, in capitals."""
        weighed = [badge for line in self.lines.values() for badge in line.get("weighed_by") or ()]
        return frozenset(badge.strip().upper() for badge in (*self.fields.get("participants", ()), *weighed))


Part = TypeVar("Part", bound=models.Model)


class ReportPartQuerySet(models.QuerySet[Part]):
    """Parts are seen with their report."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the parts of visible reports."""
        return self.filter(report__in=SeizureReport.objects.visible_to(actor).values("pk"))


class Participant(models.Model):
    """An officer of the same unit who works on the report beside its author; both phones hold it."""

    report = models.ForeignKey(SeizureReport, on_delete=models.CASCADE, related_name="participants")
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="+")

    objects: Any = ReportPartQuerySet["Participant"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["report", "officer"], name="seizure_participant_once"),
        )

    def __str__(self) -> str:
        return f"{self.officer_id} in {self.report_id}"


class Participation(models.Model):
    """A unit or an outside agency that led, led together with others, or supported."""

    report = models.ForeignKey(SeizureReport, on_delete=models.CASCADE, related_name="participations")
    position = models.PositiveSmallIntegerField()
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, related_name="+")
    agency = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=10)

    objects: Any = ReportPartQuerySet["Participation"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["report", "position"], name="seizure_participation_place"),
            models.UniqueConstraint(
                fields=["report"], condition=Q(role="lead"), name="seizure_has_one_lead_at_most"
            ),
            models.CheckConstraint(
                condition=Q(unit__isnull=False, agency="") | (Q(unit__isnull=True) & ~Q(agency="")),
                name="seizure_participation_is_one",
            ),
        )
        ordering = ("position",)

    def __str__(self) -> str:
        return f"{self.role} of {self.report_id}"


class SeizureLine(models.Model):
    """One line as it counts now: its best measure with the basis; what does not count says why."""

    report = models.ForeignKey(SeizureReport, on_delete=models.CASCADE, related_name="counted_lines")
    mark = models.CharField(max_length=20)
    substance = models.CharField(max_length=80)
    report_group = models.CharField(max_length=40)
    is_precursor = models.BooleanField()
    form = models.CharField(max_length=20, blank=True)
    mass_g = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    volume_ml = models.DecimalField(max_digits=13, decimal_places=3, null=True)
    count = models.PositiveIntegerField(null=True)
    count_unit = models.CharField(max_length=12, blank=True)
    basis = models.CharField(max_length=12)
    id_basis = models.CharField(max_length=12, blank=True)
    excluded = models.CharField(max_length=16, blank=True)

    objects: Any = ReportPartQuerySet["SeizureLine"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["report", "mark"], name="seizure_line_once"),
            models.CheckConstraint(
                condition=(Q(mass_g__isnull=True) | Q(mass_g__gt=0))
                & (Q(volume_ml__isnull=True) | Q(volume_ml__gt=0))
                & (Q(count__isnull=True) | Q(count__gt=0)),
                name="seizure_amounts_are_positive",
            ),
        )

    def __str__(self) -> str:
        return f"line {self.mark} of {self.report_id}"


class ReportNumber(models.Model):
    """A waybill, container, document or other number of a report, in the spelling under which it is compared."""

    report = models.ForeignKey(SeizureReport, on_delete=models.CASCADE, related_name="numbers")
    part = models.CharField(max_length=16)
    mark = models.CharField(max_length=20)
    field = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    raw = models.CharField(max_length=120)
    normalised = models.CharField(max_length=120)
    valid = models.CharField(max_length=8)

    objects: Any = ReportPartQuerySet["ReportNumber"].as_manager()

    class Meta:
        indexes = (models.Index(fields=["normalised"], name="seizure_number_spelling"),)

    def __str__(self) -> str:
        return f"{self.kind} of {self.report_id}"


class ReportVersion(InsertOnly):
    """What a report said at one moment; never changed afterwards. `reason` says why there is a further one."""

    report = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    stage = models.CharField(max_length=16, choices=Stage.choices)
    body = models.JSONField()
    reason = models.CharField(max_length=1000, blank=True)
    author = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects: Any = ReportPartQuerySet["ReportVersion"].as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["report", "version"], name="seizure_version_once"),)
        ordering = ("version",)

    def __str__(self) -> str:
        return f"{self.report_id} v{self.version}"


class Decision(models.Model):
    """A step of verification: who moved a report from which stage to which, and what was said."""

    report = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="decisions")
    verb = models.CharField(max_length=20)
    from_stage = models.CharField(max_length=16, choices=Stage.choices)
    to_stage = models.CharField(max_length=16, choices=Stage.choices)
    version = models.PositiveIntegerField()
    note = models.TextField(blank=True)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects: Any = ReportPartQuerySet["Decision"].as_manager()

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.verb} {self.report_id}"


class Merge(models.Model):
    """A person's word that a report tells of the same seizure as the survivor; taken back by `undone_at`.

    Or (`counts_on`) that it tells of what the survivor led to: one incident, in which each counts what it seized.
    """

    report = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="merges")
    survivor = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="absorbed")
    stage_before = models.CharField(max_length=16, choices=Stage.choices)
    counts_on = models.BooleanField(default=False)
    reason = models.CharField(max_length=1000)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    undone_reason = models.CharField(max_length=1000, blank=True)

    objects: Any = ReportPartQuerySet["Merge"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["report"], condition=Q(undone_at__isnull=True), name="seizure_merged_once"
            ),
            models.CheckConstraint(
                condition=~Q(report=models.F("survivor")), name="seizure_not_merged_into_itself"
            ),
        )

    def __str__(self) -> str:
        return f"{self.report_id} into {self.survivor_id}"


class DistinctPair(models.Model):
    """A person's word that two reports tell of different seizures; `one` has the smaller id."""

    one = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="+")
    other = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=1000)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["one", "other"], name="seizures_held_apart_once"),)

    def __str__(self) -> str:
        return f"{self.one_id} is not {self.other_id}"


class Agreement(models.Model):
    """A unit's own word that it took part in this role."""

    report = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="agreements")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    objects: Any = ReportPartQuerySet["Agreement"].as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["report", "unit", "role"], name="seizure_agreed_once"),
        )

    def __str__(self) -> str:
        return f"{self.unit_id} {self.role} in {self.report_id}"
