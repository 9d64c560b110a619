"""Numbers that may be used once are noted beside the submissions, never in them: nothing is refused for a seal.

Runs every minute (`inspections.note_single_use`). A submission is looked at again for some time, because its
transaction may commit later than one that was submitted after it; noting it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from apps.checklists.models import ChecklistVersion
from apps.checklists.rules.content import steps_of
from apps.common.actor import Actor
from apps.inspections.models import InspectionReport, SingleUseValue
from apps.inspections.rules import single_use_value

LOOK_AGAIN = timedelta(minutes=10)
AT_A_TIME = 500


def note_single_use(*, actor: Actor) -> int:
    """Note the numbers of what was submitted since the last time; give how many reports were looked at."""
    steps = _steps_by_version()
    if not steps:
        return 0
    last = SingleUseValue.objects.aggregate(last=Max("submitted_at"))["last"]
    reports = InspectionReport.objects.filter(
        checklist_version_id__in=list(steps), submitted_at__isnull=False, is_draft=False
    )
    if last is not None:
        reports = reports.filter(submitted_at__gte=last - LOOK_AGAIN)
    rows = list(reports.order_by("submitted_at", "pk").values_list("pk", flat=True))
    for start in range(0, len(rows), AT_A_TIME):
        _note(rows[start : start + AT_A_TIME], steps)
    return len(rows)


def _steps_by_version() -> dict[UUID, list[str]]:
    versions = ChecklistVersion.objects.exclude(published_at=None).values_list("pk", "content")
    marked = {pk: [s["key"] for s in steps_of(content) if s.get("single_use")] for pk, content in versions}
    return {pk: keys for pk, keys in marked.items() if keys}


@transaction.atomic
def _note(ids: Iterable[UUID], steps: Mapping[UUID, list[str]]) -> None:
    reports = InspectionReport.objects.select_for_update().filter(pk__in=list(ids)).order_by("pk")
    fields = ("pk", "checklist_version_id", "answers", "submitted_at")
    for pk, version, answers, submitted_at in reports.values_list(*fields):
        found = dict(_values(answers, steps[version]))
        SingleUseValue.objects.filter(report_id=pk).exclude(step_key__in=list(found)).delete()
        for key, value in found.items():
            SingleUseValue.objects.update_or_create(
                report_id=pk, step_key=key, defaults={"value": value, "submitted_at": submitted_at}
            )


def _values(answers: Mapping[str, Any], keys: Iterable[str]) -> Iterator[tuple[str, str]]:
    for key in keys:
        answer = answers.get(key)
        value = single_use_value(answer.get("value")) if isinstance(answer, Mapping) else ""
        if value:
            yield key, value
