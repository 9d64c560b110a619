"""Celery shims of the evidence app."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from uuid import UUID

from celery import shared_task

from apps.changes.actions import settle
from apps.changes.models import Change, Reaction
from apps.common.actor import SYSTEM
from apps.common.errors import DomainError
from apps.evidence import actions

PHOTOS_AT_A_TIME = 25


@shared_task(name="evidence.derive", autoretry_for=(OSError,), retry_backoff=True, max_retries=3)
def derive(reaction_ids: list[int]) -> None:
    """Make thumbnails and read claims first, then write both down together with the reactions, some at a time."""
    for start in range(0, len(reaction_ids), PHOTOS_AT_A_TIME):
        ids = reaction_ids[start : start + PHOTOS_AT_A_TIME]
        open_ones = Reaction.objects.filter(pk__in=ids, done_at__isnull=True)
        made = actions.prepare_derivatives(open_ones.values_list("change__oid", flat=True))
        settle(ids, partial(_write_down, made))


def _write_down(made: Mapping[UUID, actions.Derived], _changes: list[Change]) -> None:
    actions.settle_derivatives(actor=SYSTEM, made=made)


@shared_task(name="evidence.finalize")
def finalize(reaction_ids: list[int]) -> None:
    """Finish uploads whose attachment was declared after the bytes had come."""
    open_ones = Reaction.objects.filter(pk__in=reaction_ids, done_at__isnull=True)
    for data in open_ones.values_list("change__data", flat=True):
        try:
            actions.finalize_upload(actor=SYSTEM, upload_id=UUID(data["upload_id"]))
        except DomainError as refusal:
            if refusal.code == "storage-unavailable":
                raise
    settle(reaction_ids, lambda _changes: None)


@shared_task(name="evidence.expire_uploads")
def expire_uploads() -> None:
    """End expired uploads, finish those a crash left complete, remove stray bytes."""
    actions.expire_uploads()


@shared_task(name="evidence.recover_originals")
def recover_originals() -> None:
    """Find the files that a restored database has forgotten."""
    actions.recover_originals(actor=SYSTEM)
