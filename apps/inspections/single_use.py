"""Reads about numbers that may be used once: where else a report's seal was seen."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from apps.common.actor import Actor
from apps.inspections.models import InspectionReport, SingleUseValue, State

MOST = 20


@dataclass(frozen=True)
class SeenElsewhere:
    """The same number in another report. Who may not see that report learns its unit alone, to be able to ask."""

    step_key: str
    value: str
    unit_id: UUID
    report_id: UUID | None
    number: str


def seen_elsewhere(actor: Actor, report: InspectionReport) -> list[SeenElsewhere]:
    """Give the other reports that bear a single-use number of this one, voided ones apart."""
    own = SingleUseValue.objects.filter(
        report__in=InspectionReport.objects.visible_to(actor).filter(pk=report.pk).values("pk")
    )
    steps = dict(own.values_list("value", "step_key"))
    if not steps:
        return []
    others = SingleUseValue.objects.filter(value__in=list(steps)).exclude(report_id=report.pk)
    others = (
        others.exclude(report__state=State.VOIDED)
        .select_related("report")
        .order_by("submitted_at", "pk")[:MOST]
    )
    found = list(others)
    visible = set(
        InspectionReport.objects.visible_to(actor)
        .filter(pk__in=[row.report_id for row in found], is_draft=False)
        .values_list("pk", flat=True)
    )
    return [
        SeenElsewhere(
            steps[row.value],
            row.value,
            row.report.unit_id,
            row.report_id if row.report_id in visible else None,
            (row.report.number or "") if row.report_id in visible else "",
        )
        for row in found
    ]
