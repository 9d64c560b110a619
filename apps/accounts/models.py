"""Officers, dated postings, devices, one-time enrolment codes and hashed device tokens.

`UnitScopedRecord` is the one text of who sees a record that belongs to a unit: reports and their photos share it.
"""

from __future__ import annotations

from typing import Any, Self, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.common.actor import Actor
from apps.common.records import Record, new_id
from apps.common.text import say
from apps.organisation.models import Unit


class Role(models.TextChoices):
    """What a posting lets a person see and do (docs/security.md has the table)."""

    OFFICER = "officer", say("Công chức", "Officer")
    LEADER = "leader", say("Lãnh đạo đơn vị", "Unit leader")
    HQ_REVIEWER = "hq_reviewer", say("Soát xét trung ương", "HQ reviewer")
    ANALYST = "analyst", say("Phân tích", "Analyst")
    STATISTICS = "statistics", say("Thống kê", "Statistics")
    TRAINER = "trainer", say("Đào tạo", "Trainer")
    APPROVER = "approver", say("Thẩm định bảng kiểm", "Checklist approver")
    CUSTODIAN = "custodian", say("Thủ kho tang vật", "Exhibit custodian")
    ADMINISTRATOR = "administrator", say("Quản trị hệ thống", "Administrator")
    AUDITOR = "auditor", say("Kiểm tra an ninh", "Security auditor")
    LIAISON = "liaison", say("Liên lạc nước ngoài", "Foreign liaison")


# Roles that read the reports of their unit and of every unit below it.
REPORT_READERS = (Role.LEADER, Role.HQ_REVIEWER, Role.ANALYST)
# Roles that read the figures of their unit and of every unit below it.
FIGURE_READERS = (*REPORT_READERS, Role.STATISTICS)


class Handling(models.TextChoices):
    """How closely a record is held. State secrets have no level here: the system must not hold them."""

    OPEN = "open", say("Công khai", "Open")
    INTERNAL = "internal", say("Nội bộ", "Internal")
    RESTRICTED = "restricted", say("Hạn chế", "Restricted")
    COMPARTMENT = "compartment", say("Theo danh sách", "Compartment")


class OfficerManager(BaseUserManager["Officer"]):
    """What Django's sign-in needs to find an officer by user name."""

    def get_by_natural_key(self, username: str | None) -> Officer:
        """Find by user name, without regard to case."""
        return self.get(username__iexact=username)


class OfficerQuerySet(models.QuerySet["Officer"]):
    """Who may read whose name."""

    def visible_to(self, actor: Actor) -> Self:
        """Give oneself, the people posted in the units one leads or reviews, and all to an administrator."""
        if actor.is_system or actor.has_role(Role.ADMINISTRATOR):
            return self
        reach = actor.reach_of(Role.LEADER, Role.HQ_REVIEWER)
        now = timezone.now()
        theirs = Posting.objects.filter(current(now), unit_id__in=reach)
        return self.filter(Q(pk=actor.officer_id) | Q(pk__in=theirs.values("officer_id")))


class Officer(AbstractBaseUser):
    """A person who signs in. Roles come from postings, never from flags on the person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(max_length=60, unique=True)
    badge_no = models.CharField(max_length=20, unique=True)
    full_name = models.CharField(max_length=120)
    rank_title = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["badge_no", "full_name"]

    objects: Any = OfficerManager.from_queryset(OfficerQuerySet)()

    def __str__(self) -> str:
        return f"{self.full_name} ({self.badge_no})"

    def get_full_name(self) -> str:
        """Give the name as people write it."""
        return self.full_name


def current(now: Any) -> Q:
    """Select postings that are valid at the moment: `valid_from` ≤ now < `valid_to`."""
    return Q(valid_from__lte=now) & (Q(valid_to__isnull=True) | Q(valid_to__gt=now))


class Posting(models.Model):
    """An officer in a role at a unit, from a moment to a moment."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="postings")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="postings")
    role = models.CharField(max_length=20, choices=Role.choices)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=models.F("valid_from")),
                name="posting_ends_after_start",
            ),
        )
        indexes = (models.Index(fields=["officer", "valid_from"], name="posting_officer"),)

    def __str__(self) -> str:
        return f"{self.role} of {self.officer_id} at {self.unit_id}"


class DeviceQuerySet(models.QuerySet["Device"]):
    """Whose phones one may know of."""

    def visible_to(self, actor: Actor) -> Self:
        """Give one's own devices and those of the officers one may see by rank or office."""
        if actor.is_system or actor.has_role(Role.ADMINISTRATOR):
            return self
        return self.filter(officer__in=Officer.objects.visible_to(actor).values("pk"))


class Device(models.Model):
    """A phone with its own key pair; the private key never leaves it."""

    class State(models.TextChoices):
        """`lost` and `wiped` devices are told to wipe at their next contact."""

        ENROLLED = "enrolled", say("Đang dùng", "Enrolled")
        SUSPENDED = "suspended", say("Tạm khóa", "Suspended")
        LOST = "lost", say("Báo mất", "Lost")
        WIPED = "wiped", say("Đã xóa", "Wiped")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(max_length=80, blank=True)
    public_key = models.TextField()
    statement = models.TextField(blank=True)
    app_version = models.CharField(max_length=40, blank=True)
    os_version = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ENROLLED)
    enrolled_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)
    clock_skew_ms = models.BigIntegerField(null=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["public_key"], name="device_key_once"),)

    def __str__(self) -> str:
        return f"{self.name or 'device'} of {self.officer_id}"


class EnrolmentCode(models.Model):
    """A one-time code for one officer, kept as a hash."""

    code_hash = models.CharField(primary_key=True, max_length=64)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="enrolment_codes")
    issued_by = models.ForeignKey(Officer, on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    device = models.OneToOneField(Device, on_delete=models.PROTECT, null=True)

    def __str__(self) -> str:
        return f"code for {self.officer_id}"


class DeviceSession(models.Model):
    """One sign-in on a device: the family of all tokens rotated from it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="sessions")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return f"session on {self.device_id}"


class DeviceToken(models.Model):
    """One generation of tokens of a session, as SHA-256 of the opaque strings."""

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(DeviceSession, on_delete=models.CASCADE, related_name="tokens")
    access_hash = models.CharField(max_length=64, unique=True)
    refresh_hash = models.CharField(max_length=64, unique=True)
    issued_at = models.DateTimeField()
    access_expires_at = models.DateTimeField()
    refresh_expires_at = models.DateTimeField()
    rotated_at = models.DateTimeField(null=True)
    rotated_by_request = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"token {self.pk} of {self.session_id}"


Scoped = TypeVar("Scoped", bound="UnitScopedRecord")


class UnitScopedQuerySet(models.QuerySet[Scoped]):
    """Role ∧ unit scope ∧ handling, for every record that belongs to a unit."""

    def visible_to(self, actor: Actor) -> Self:
        """Give an officer's own records while the posting lasts, and what a leader, reviewer or analyst reaches.

        Drafts are the author's alone; compartments open only to their members (no record is in one yet).
        """
        if actor.is_system:
            return self
        own = Q(officer_id=actor.officer_id, posting_id__in=actor.post_ids())
        reached = Q(unit_id__in=actor.reach_of(*REPORT_READERS)) & ~Q(is_draft=True)
        return self.filter(own | reached).exclude(handling=Handling.COMPARTMENT)


class UnitScopedRecord(Record):
    """A record made by an officer in a posting at a unit, held at a handling level."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="+")
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    handling = models.CharField(max_length=12, choices=Handling.choices, default=Handling.INTERNAL)
    is_draft = models.BooleanField(default=False)

    class Meta:
        abstract = True
