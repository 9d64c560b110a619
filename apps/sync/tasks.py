"""Celery shims of the sync engine."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from apps.changes.actions import open_reactions, settle
from apps.common.actor import SYSTEM
from apps.sync import actions, snapshots


@shared_task(name="sync.build_snapshots")
def build_snapshots(reaction_ids: list[int] | None = None) -> None:
    """Build the snapshots that are due: of the streams behind the reactions, or of all when beat asks."""
    if reaction_ids is None:
        snapshots.build_due()
        return
    owed = open_reactions(reaction_ids, "sync.build_snapshots")
    streams = sorted({data["stream"] for data in owed.values_list("change__data", flat=True)})
    if streams:
        snapshots.build_due(streams)
    settle(reaction_ids, lambda _changes: None, task="sync.build_snapshots")


@shared_task(name="sync.collect_snapshot_parts")
def collect_snapshot_parts() -> None:
    """Forget parts that no manifest has named for seven days."""
    snapshots.collect_parts()


@shared_task(name="sync.watch_devices")
def watch_devices() -> None:
    """Look for phones whose store was copied to another."""
    actions.watch_devices(actor=SYSTEM)


@shared_task(name="sync.retain")
def retain() -> None:
    """Remove what has been kept long enough."""
    actions.retain(actor=SYSTEM, keep=settings.KEEP)


@shared_task(name="sync.poke")
def poke() -> None:
    """Tell phones that there is something for them, when the service has keys for that."""
    actions.poke_phones(actor=SYSTEM, service=settings.WEBPUSH)


@shared_task(name="sync.renew_postings")
def renew_postings() -> None:
    """Tell phones the names that their units bear from today on."""
    actions.renew_postings(actor=SYSTEM)
