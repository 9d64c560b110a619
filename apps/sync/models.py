"""The engine's own tables: the epoch of this database and the receipts of mutations."""

from __future__ import annotations

from typing import Self

from django.db import models

from apps.accounts.models import Device, Officer
from apps.common.actor import Actor


class Epoch(models.Model):
    """One row: the epoch of this database, changed after any restore so that phones push their journals again."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.UUIDField()
    since = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="one_epoch"),)

    def __str__(self) -> str:
        return str(self.value)


class MutationQuerySet(models.QuerySet["Mutation"]):
    """Receipts belong to the device that sent the mutation."""

    def visible_to(self, actor: Actor) -> Self:
        """Give the receipts of this officer's mutations from this device."""
        return self.filter(officer_id=actor.officer_id, device_id=actor.device_id)


class Mutation(models.Model):
    """A mutation that reached a final verdict: its hash, its verdict, and its payload as it came."""

    id = models.UUIDField(primary_key=True)
    officer = models.ForeignKey(Officer, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    device_seq = models.BigIntegerField(null=True)
    type = models.CharField(max_length=60)
    oid = models.UUIDField(null=True)
    hash = models.CharField(max_length=64)
    status = models.CharField(max_length=10)
    result = models.TextField()
    payload = models.TextField()
    received_at = models.DateTimeField()

    objects = MutationQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["device", "received_at"], name="mutation_device"),
            models.Index(fields=["oid"], name="mutation_object"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.pk}: {self.status}"
