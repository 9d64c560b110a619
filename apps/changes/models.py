"""Tables of the feed and of the outbox.

`Stream` and `Entry` are what phones read; `Change` and `Reaction` are what the relay works off. They are written only
by `apps.changes.actions`.
"""

from __future__ import annotations

from django.db import models


class Stream(models.Model):
    """A numbered sequence of entries; `n` live rows and the additive digest `h` let a phone check itself."""

    id = models.CharField(primary_key=True, max_length=80)
    seq = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)
    n = models.BigIntegerField(default=0)
    h = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(n__gte=0), name="stream_n_not_negative"),)

    def __str__(self) -> str:
        return f"{self.id}@{self.seq}"


class Entry(models.Model):
    """The newest state of one record in one stream; its `seq` moves forward with each change."""

    pk = models.CompositePrimaryKey("stream_id", "kind", "oid")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=40)
    oid = models.UUIDField()
    seq = models.BigIntegerField()
    op = models.CharField(max_length=3, choices=[("put", "put"), ("del", "del")])
    rev = models.PositiveIntegerField()
    body = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["stream", "seq"], name="entry_stream_seq"),)
        indexes = (models.Index(fields=["kind", "oid"], name="entry_record"),)

    def __str__(self) -> str:
        return f"{self.stream_id}/{self.kind}/{self.oid}#{self.seq}"


class Change(models.Model):
    """Something that happened, written in the transaction that made it happen; the durable outbox."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=60)
    record_kind = models.CharField(max_length=40)
    oid = models.UUIDField()
    rev = models.PositiveIntegerField()
    actor_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    relayed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["id"], name="change_unrelayed", condition=models.Q(relayed_at__isnull=True)),
            models.Index(fields=["record_kind", "oid"], name="change_record"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.oid}"


class Reaction(models.Model):
    """One task owed because of one change; it is done when `done_at` is set, in the task's own transaction."""

    id = models.BigAutoField(primary_key=True)
    change = models.ForeignKey(Change, on_delete=models.CASCADE, db_index=False)
    task = models.CharField(max_length=80)
    sent_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["change", "task"], name="reaction_once"),)
        indexes = (
            models.Index(fields=["sent_at"], name="reaction_open", condition=models.Q(done_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.task} for change {self.change_id}"
