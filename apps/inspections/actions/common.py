"""What every action on a report ends with: save what changed, audit, record for phones and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.inspections.models import InspectionReport
from apps.inspections.queries import KIND, body, fingerprint


def finish(
    actor: Actor,
    report: InspectionReport,
    change: str,
    *,
    fields: Iterable[str] = (),
    data: Mapping[str, Any] | None = None,
    days: Iterable[object] = (),
) -> InspectionReport:
    """Raise the revision, save the named fields, audit, and record last.

    `data` goes to the audit event; `days` are the dates whose figures the change touches.
    """
    report.rev += 1
    report.save(update_fields=["rev", "updated_at", *fields])
    announce(actor, report, change, data=data, days=days)
    return report


def announce(
    actor: Actor,
    report: InspectionReport,
    change: str,
    *,
    data: Mapping[str, Any] | None = None,
    days: Iterable[object] = (),
) -> None:
    """Audit and record a report that has just been saved; the event names the hash of all that is said of it now."""
    told = body(report)
    said = {"rev": report.rev, "state": report.state, "sha256": fingerprint(report, told)}
    log(actor, change, KIND, report.pk, {**said, **(data or {})})
    touched = sorted({str(day) for day in (*days, report.occurred_on) if day})
    record(
        actor,
        Item(
            change,
            KIND,
            report.pk,
            report.rev,
            body=told,
            streams=[post_stream(report.posting_id)],
            data={"unit": str(report.unit_id), "days": touched},
        ),
    )
