"""Roll-ups: counts by unit, day and the dimensions of the board. Derived; `manage.py recount` rebuilds them.

Those of inspections are cells of counts. Those of seizures and of custody are entries, kept with the time from and
until which they held, so that a figure can be asked for as it stood. Also the reporting calendar: on which day of the
month the service's reporting months end, dated.
"""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q

from apps.accounts.models import FIGURE_READERS, Handling
from apps.common.actor import Actor
from apps.custody.models import Exhibit, ExhibitState
from apps.inspections.models import COUNTED, InspectionReport
from apps.organisation.models import Unit
from apps.seizures.models import Incident, SeizureReport

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


class SeizureEntryQuerySet(models.QuerySet["SeizureEntry"]):
    """Figures are read by leaders, reviewers, analysts and statistics, each within their reach."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the figures of the units that this person's roles reach."""
        return self if actor.is_system else self.filter(unit_id__in=actor.reach_of(*FIGURE_READERS))

    def at(self, moment: dt.datetime | None) -> Self:
        """Give what held at a moment, or holds now."""
        if moment is None:
            return self.filter(until__isnull=True)
        return self.filter(Q(until__isnull=True) | Q(until__gt=moment), since__lte=moment)


class SeizureEntry(models.Model):
    """One thing that a seizure adds to the figures (`rules.Entry`), and from when until when it was counted so.

    An entry that no longer holds is closed, never changed or deleted: late edits show as the difference.
    """

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="+")
    report = models.ForeignKey(SeizureReport, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    measure = models.CharField(max_length=16)
    mark = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=12)
    lead_force = models.CharField(max_length=20, blank=True)
    role = models.CharField(max_length=10, blank=True)
    mode = models.CharField(max_length=16, blank=True)
    substance = models.CharField(max_length=80, blank=True)
    group = models.CharField(max_length=40, blank=True)
    form = models.CharField(max_length=20, blank=True)
    basis = models.CharField(max_length=12, blank=True)
    count_unit = models.CharField(max_length=12, blank=True)
    first_cue = models.CharField(max_length=40, blank=True)
    means = models.TextField(blank=True)
    places = models.TextField(blank=True)
    techniques = models.TextField(blank=True)
    direction = models.CharField(max_length=20, blank=True)
    departure = models.CharField(max_length=3, blank=True)
    destination = models.CharField(max_length=3, blank=True)
    place_type = models.CharField(max_length=40, blank=True)
    key = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField(max_digits=14, decimal_places=4)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects = SeizureEntryQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["report", "measure", "mark"],
                condition=Q(until__isnull=True),
                name="seizure_entry_counts_once",
            ),
        )
        indexes = (
            models.Index(fields=["day", "unit"], name="seizure_entry_day"),
            models.Index(fields=["until"], name="seizure_entry_closed"),
        )

    def __str__(self) -> str:
        return f"{self.measure} {self.amount} of {self.report_id}"


class CustodyEntryQuerySet(models.QuerySet["CustodyEntry"]):
    """Figures are read by leaders, reviewers, analysts and statistics, each within their reach."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the entries of the units that this person's roles reach; what is in a compartment is in no total."""
        open_to_all = self.exclude(exhibit__report__handling=Handling.COMPARTMENT)
        return (
            open_to_all
            if actor.is_system
            else open_to_all.filter(unit_id__in=actor.reach_of(*FIGURE_READERS))
        )

    def at(self, moment: dt.datetime) -> Self:
        """Give what was held at a moment."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=moment), since__lte=moment)


class CustodyEntry(models.Model):
    """An exhibit in custody of one unit, in one state, from when until when (`rules.Held`)."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=ExhibitState.choices)
    stop = models.CharField(max_length=40, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects = CustodyEntryQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["exhibit"], condition=Q(until__isnull=True), name="custody_entry_in_one_place"
            ),
        )
        indexes = (models.Index(fields=["unit", "until"], name="custody_entry_held"),)

    def __str__(self) -> str:
        return f"{self.exhibit_id} {self.state}"


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
