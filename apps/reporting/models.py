"""Roll-ups: counts by unit, day and the dimensions of the board. Derived; `manage.py recount` rebuilds them.

Also the reporting calendar: on which day of the month the service's reporting months end, dated.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.accounts.models import FIGURE_READERS, Handling
from apps.common.actor import Actor
from apps.inspections.models import COUNTED, InspectionReport
from apps.organisation.models import Unit

# What a figure can be split by, and what is summed in each cell.
DIMENSIONS = ("type", "outcome", "selection_reason", "mode")
COUNTS = ("inspections", "required_steps", "answered_steps")


def counted(reports: models.QuerySet[InspectionReport]) -> models.QuerySet[InspectionReport]:
    """Keep the reports that count: received and not voided; a compartment must not show through a total."""
    return reports.filter(state__in=COUNTED).exclude(handling=Handling.COMPARTMENT)


class RollUpQuerySet(models.QuerySet["RollUp"]):
    """Figures are read by leaders, reviewers, analysts and statistics, each within their reach."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the figures of the units that this person's roles reach."""
        return self if actor.is_system else self.filter(unit_id__in=actor.reach_of(*FIGURE_READERS))


class RollUp(models.Model):
    """One cell: how many counted inspections of one unit on one day share these dimensions."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    type = models.CharField(max_length=12)
    outcome = models.CharField(max_length=16)
    selection_reason = models.CharField(max_length=20)
    mode = models.CharField(max_length=16)
    inspections = models.PositiveIntegerField(default=0)
    required_steps = models.PositiveBigIntegerField(default=0)
    answered_steps = models.PositiveBigIntegerField(default=0)

    objects = RollUpQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["unit", "day", "type", "outcome", "selection_reason", "mode"], name="rollup_cell"
            ),
        )
        indexes = (models.Index(fields=["day", "unit"], name="rollup_day"),)

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day}: {self.inspections}"


class CountedDayQuerySet(models.QuerySet["CountedDay"]):
    """When a unit's day was counted is known to whoever reads its figures."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the days of the units that this person's roles reach."""
        return self if actor.is_system else self.filter(unit_id__in=actor.reach_of(*FIGURE_READERS))


class CountedDay(models.Model):
    """One unit's day: the row that is locked while its cells are counted, and when that was last done."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    counted_at = models.DateTimeField()

    objects = CountedDayQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["unit", "day"], name="counted_day"),)

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day}"


class ReportingCalendarQuerySet(models.QuerySet["ReportingCalendar"]):
    """The calendar is for everyone in the service."""

    def visible_to(self, actor: Actor) -> Self:
        """Give all rows to anyone with a post."""
        return self if actor.is_system or actor.roles else self.none()


class ReportingCalendar(models.Model):
    """From a day on, reporting months end on this day of the month; a year starts with its January."""

    valid_from = models.DateField(unique=True)
    cutoff_day = models.PositiveSmallIntegerField()

    objects = ReportingCalendarQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(cutoff_day__range=(1, 28)), name="cutoff_day_in_every_month"),
        )

    def __str__(self) -> str:
        return f"to the {self.cutoff_day} from {self.valid_from}"
