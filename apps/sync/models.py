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
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+", db_index=False)
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
            # What came lately, and what retention has yet to empty: purged rows leave the index.
            models.Index(fields=["received_at"], name="mutation_payload", condition=~models.Q(payload="")),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.pk}: {self.status}"


class Snapshot(models.Model):
    """The newest snapshot of a large stream: `manifest` is what a phone is given, true at `seq` of this `epoch`.

    `claimed_until` keeps two builders apart; it runs out by itself when one is killed.
    """

    stream = models.CharField(primary_key=True, max_length=80)
    epoch = models.UUIDField(null=True)
    seq = models.BigIntegerField(default=0)
    n = models.BigIntegerField(default=0)
    h = models.BigIntegerField(default=0)
    split = models.PositiveSmallIntegerField(default=0)
    manifest = models.TextField(default="")
    made_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"snapshot of {self.stream}@{self.seq}"


class SnapshotPart(models.Model):
    """A stored part: the live rows of one bucket of a stream, as they stood at number `as_of` of `epoch`.

    `unnamed_at` is when the last manifest that named it went away (or, never named, when it was made).
    """

    pk = models.CompositePrimaryKey("stream", "sha256")
    stream = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64)
    epoch = models.UUIDField()
    split = models.PositiveSmallIntegerField()
    bucket = models.PositiveSmallIntegerField()
    as_of = models.BigIntegerField()
    bytes = models.BigIntegerField()
    rows = models.BigIntegerField()
    unnamed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["unnamed_at"], name="snapshot_part_unnamed"),)

    def __str__(self) -> str:
        return f"{self.stream} part {self.bucket}/{self.split}"


class DevicePull(models.Model):
    """How far a phone has come: where its last noted pull left it in each stream. For figures and pokes alone."""

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True, related_name="+")
    at = models.DateTimeField()
    seqs = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.device_id} pulled at {self.at}"


class PushSubscription(models.Model):
    """Where a phone can be poked (RFC 8030): an address of its maker's push service, and what is known of pokes."""

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True, related_name="+")
    endpoint = models.CharField(max_length=1000)
    p256dh = models.CharField(max_length=200)
    auth = models.CharField(max_length=100)
    created_at = models.DateTimeField()
    poked_at = models.DateTimeField(null=True)
    poked_for = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"push to {self.device_id}"
