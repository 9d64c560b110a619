"""Celery shims of the figures: count again what changed, and compare everything with the rows each night."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import structlog
from celery import shared_task

from apps.changes.actions import settle
from apps.changes.models import Change
from apps.common.actor import SYSTEM
from apps.reporting import actions
from apps.reporting.queries import custody_uncounted_since, seizures_uncounted_since, uncounted_since

log = structlog.get_logger(__name__)


@shared_task(name="reporting.refresh")
def refresh(reaction_ids: list[int]) -> None:
    """Count again the unit-days that the changes touched; a second delivery finds nothing owed."""
    settle(reaction_ids, _refresh, task="reporting.refresh")


@shared_task(name="reporting.count_seizures")
def count_seizures(reaction_ids: list[int]) -> None:
    """Count again the incidents that the changes touched, all in one go; a second delivery finds nothing owed."""
    settle(reaction_ids, _count_seizures, task="reporting.count_seizures")


@shared_task(name="reporting.count_custody")
def count_custody(reaction_ids: list[int]) -> None:
    """Work out again the exhibits that the changes touched; a second delivery finds nothing owed."""
    settle(reaction_ids, _count_custody, task="reporting.count_custody")


@shared_task(name="reporting.reconcile")
def reconcile() -> None:
    """Compare all figures with the rows, say loudly what differs, and put it right.

    While changes wait to be counted a difference is expected, so the night's run is left to the next night.
    """
    waiting = uncounted_since() or seizures_uncounted_since() or custody_uncounted_since()
    if waiting is not None:
        log.info("figures.reconcile_skipped", uncounted_since=waiting.isoformat())
        return
    for found in actions.recount(actor=SYSTEM):
        log.error(
            "figures.differed", unit=str(found.unit_id), day=found.day.isoformat(), by=found.inspections
        )
    missing, extra = actions.recount_seizures(actor=SYSTEM)
    for entry in missing | extra:
        log.error("figures.differed", report=str(entry.report), measure=entry.measure, mark=entry.mark)
    missing_spans, extra_spans = actions.recount_custody(actor=SYSTEM)
    for exhibit in {span.exhibit for span in missing_spans | extra_spans}:
        log.error("figures.differed", exhibit=str(exhibit))


def _refresh(changes: list[Change]) -> None:
    cells = {
        (UUID(c.data["unit"]), dt.date.fromisoformat(day)) for c in changes for day in c.data["days"] if day
    }
    actions.refresh_days(actor=SYSTEM, cells=cells)


def _count_seizures(changes: list[Change]) -> None:
    actions.count_seizures(actor=SYSTEM, report_ids={c.oid for c in changes})


def _count_custody(changes: list[Change]) -> None:
    actions.count_custody(actor=SYSTEM, exhibit_ids={c.oid for c in changes})
