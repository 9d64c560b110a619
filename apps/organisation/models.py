"""Units with dated names and dated parents. Codes never change and say nothing of the level's current name."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q

from apps.common.actor import Actor
from apps.common.records import Record
from apps.common.text import pick, say


class Level(models.TextChoices):
    """Level-neutral: what a level is called changed on 2025-03-01."""

    HQ = "hq", say("Trung ương", "Headquarters")
    REGION = "region", say("Vùng, tỉnh", "Region")
    GATE = "gate", say("Cửa khẩu", "Gate")
    TEAM = "team", say("Đội", "Team")
    PARTNER = "partner", say("Đơn vị phối hợp", "Partner")


class UnitType(models.TextChoices):
    """What kind of place or body a unit is."""

    AIRPORT = "airport", say("Sân bay", "Airport")
    SEAPORT = "seaport", say("Cảng biển", "Seaport")
    LAND_BORDER = "land_border", say("Cửa khẩu đường bộ", "Land border")
    EXPRESS = "express", say("Chuyển phát nhanh", "Express")
    POSTAL = "postal", say("Bưu chính", "Postal")
    ICD = "icd", say("Cảng cạn (ICD)", "Inland depot")
    INVESTIGATION = "investigation", say("Điều tra, kiểm soát", "Investigation")
    HQ_DEPT = "hq_dept", say("Cơ quan quản lý", "Department")
    FOREIGN = "foreign", say("Nước ngoài", "Foreign")


class Force(models.TextChoices):
    """Which service a unit belongs to."""

    CUSTOMS = "customs", say("Hải quan", "Customs")
    POLICE = "police", say("Công an", "Police")
    BORDER_GUARD = "border_guard", say("Bộ đội Biên phòng", "Border guard")
    COAST_GUARD = "coast_guard", say("Cảnh sát biển", "Coast guard")
    AVIATION_SECURITY = "aviation_security", say("An ninh hàng không", "Aviation security")
    FOREIGN_CUSTOMS = "foreign_customs", say("Hải quan nước ngoài", "Foreign customs")


def valid_on(day: dt.date) -> Q:
    """Select dated rows that are valid on the day: `valid_from` ≤ day < `valid_to`."""
    return Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


class UnitQuerySet(models.QuerySet["Unit"]):
    """The tree itself is open to everyone who is signed in; foreign liaisons see partners only."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the units this person may know of."""
        if actor.is_system or actor.roles - {"liaison"}:
            return self
        return self.filter(level=Level.PARTNER) if actor.roles else self.none()


class Unit(Record):
    """A body of the service, or a partner agency."""

    code = models.CharField(max_length=20, unique=True)
    level = models.CharField(max_length=10, choices=Level.choices)
    type = models.CharField(max_length=20, choices=UnitType.choices)
    force = models.CharField(max_length=20, choices=Force.choices, default=Force.CUSTOMS)
    vnaccs_codes = models.JSONField(default=list)

    objects = UnitQuerySet.as_manager()

    def __str__(self) -> str:
        return self.code


class UnitName(models.Model):
    """What a unit is called during a time."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="names")
    vi = models.CharField(max_length=200)
    en = models.CharField(max_length=200)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["unit", "valid_from"], name="unit_name_from"),)

    def __str__(self) -> str:
        return pick(self.vi, self.en)


class UnitParent(models.Model):
    """Under which unit a unit stands during a time."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="parents")
    parent = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="children")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["unit", "valid_from"], name="unit_parent_from"),
            models.CheckConstraint(condition=~Q(unit=models.F("parent")), name="unit_not_own_parent"),
        )

    def __str__(self) -> str:
        return f"{self.unit_id} under {self.parent_id}"
