"""Edits that came too late: kept with their verdict, and shown to the reviewer as proposed amendments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from apps.common.actor import Actor
from apps.inspections.models import InspectionReport
from apps.sync.models import Mutation

TOO_LATE = frozenset({"state-locked", "state-changed", "deleted"})
_EDITS = ("inspection.save", "inspection.submit")
MOST = 20


@dataclass(frozen=True)
class Amendment:
    """What an officer wrote while the report moved on without it."""

    received_at: datetime
    device: str
    fields: Mapping[str, Any]


def proposed_amendments(actor: Actor, report: InspectionReport) -> list[Amendment]:
    """Give the late edits of a report that this person may see, oldest first.

    Only those are here that met the wrong state; two edits of the same field are settled by the officer alone. A
    mutation whose payload has been purged has nothing to show.
    """
    seen = InspectionReport.objects.visible_to(actor).filter(pk=report.pk)
    rows = Mutation.objects.filter(
        oid__in=seen.values("pk"), officer_id=report.officer_id, status="conflict", type__in=_EDITS
    ).select_related("device")
    found = []
    for row in rows.order_by("received_at", "pk")[:MOST]:
        if not row.payload or orjson.loads(row.result).get("code") not in TOO_LATE:
            continue
        fields = orjson.loads(row.payload).get("fields")
        if isinstance(fields, dict):
            found.append(Amendment(row.received_at, row.device.name, fields))
    return found
