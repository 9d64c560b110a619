"""Roll-ups: counts by unit, day and the dimensions of the board. Derived; `manage.py recount` rebuilds them."""

from __future__ import annotations

from typing import Self

from django.db import models

from apps.accounts.models import FIGURE_READERS
from apps.common.actor import Actor
from apps.organisation.models import Unit


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


class CountedDay(models.Model):
    """One unit's day: the row that is locked while its cells are counted, and when that was last done."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    counted_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["unit", "day"], name="counted_day"),)

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day}"
