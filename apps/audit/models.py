"""The audit table. Database triggers refuse UPDATE, DELETE and TRUNCATE on both databases (migration 0002)."""

from __future__ import annotations

from typing import Self

from django.db import models

from apps.common.actor import Actor
from apps.common.records import new_id


class EventQuerySet(models.QuerySet["Event"]):
    """Audit events are read by auditors alone."""

    def visible_to(self, actor: Actor) -> Self:
        """Give every event to an auditor and none to anyone else."""
        return self if actor.has_role("auditor") else self.none()


class Event(models.Model):
    """Who did what to which record, why, from which device, in which request."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    device_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    action = models.CharField(max_length=60)
    record_kind = models.CharField(max_length=40)
    oid = models.UUIDField(null=True)
    note = models.CharField(max_length=500, blank=True)
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["record_kind", "oid"], name="audit_record"),
            models.Index(fields=["actor_id", "at"], name="audit_actor"),
        )

    def __str__(self) -> str:
        return f"{self.action} {self.record_kind} {self.oid}"
