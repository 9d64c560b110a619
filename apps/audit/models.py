"""The audit table, and the ledger that is made of it: numbered leaves, the tree above them, signed heads, keys.

Database triggers refuse UPDATE, DELETE and TRUNCATE on all of them but `Pending`, on both databases.
"""

from __future__ import annotations

from typing import Self

from django.db import models

from apps.common.actor import Actor
from apps.common.insert_only import InsertOnly
from apps.common.records import new_id


class EventQuerySet(models.QuerySet["Event"]):
    """Audit events are read by auditors alone."""

    def visible_to(self, actor: Actor) -> Self:
        """Give every event to an auditor and none to anyone else."""
        return self if actor.has_role("auditor") else self.none()


class Event(InsertOnly):
    """Who did what to which record, why, from which device, in which request.

    `body` is the whole event as the bytes that `leaf_hash` seals under `salt`; the other columns repeat it for queries.
    """

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
    body = models.BinaryField()
    salt = models.BinaryField()
    leaf_hash = models.BinaryField()

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["record_kind", "oid"], name="audit_record"),)

    def __str__(self) -> str:
        return f"{self.action} {self.record_kind} {self.oid}"


class Pending(models.Model):
    """An event that the ledger has not numbered yet: written by a trigger of the events, and taken away again."""

    event_id = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.event_id)


class Leaf(InsertOnly):
    """The place of an event in the ledger: 0, 1, 2, … without a gap."""

    leaf_index = models.PositiveBigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    leaf_hash = models.BinaryField()

    def __str__(self) -> str:
        return f"leaf {self.leaf_index}"


class Tile(InsertOnly):
    """The hash over 256 hashes of the level below: from them a proof is made without reading a million leaves."""

    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hash = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["level", "index"], name="tile_once"),)

    def __str__(self) -> str:
        return f"tile {self.level}/{self.index}"


class Head(InsertOnly):
    """A signed head: all leaves up to `size` under one hash. `body` is what was signed; the columns repeat it."""

    origin = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    root = models.BinaryField()
    at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    body = models.BinaryField()
    signature = models.BinaryField()

    class Meta:
        indexes = (models.Index(fields=["size"], name="head_size"),)

    def __str__(self) -> str:
        return f"{self.origin} {self.size}"


class Stamp(InsertOnly):
    """What an outside authority said of a head: that it was there by then. `token` is its answer, as it came."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    head = models.OneToOneField(Head, on_delete=models.PROTECT, related_name="stamp")
    at = models.DateTimeField()
    token = models.BinaryField()

    def __str__(self) -> str:
        return f"stamp of {self.head_id}"


class KeyStatement(InsertOnly):
    """What is said about a key of the server, signed: that it signs from now on, or that it is no longer trusted."""

    class Kind(models.TextChoices):
        """A first key signs its own statement; every later one is announced by the one before it."""

        ADDED = "added"
        REVOKED = "revoked"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key_id = models.CharField(max_length=16)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    at = models.DateTimeField()
    body = models.BinaryField()
    signature = models.BinaryField()
    signed_by = models.CharField(max_length=16)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["key_id", "kind"], name="key_statement_once"),)

    def __str__(self) -> str:
        return f"key {self.key_id} {self.kind}"
