"""The base of every record that can reach a phone: a UUIDv7 born where the record is born, and a revision.

`rev` starts at 1 and rises by one with each acknowledged change; phones name it as `base_rev`.
"""

from __future__ import annotations

from uuid import UUID

from django.db import models
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): sortable by time, made without asking anyone."""
    return uuid7()


class Record(models.Model):
    """A synchronised record; subclasses add a QuerySet with `visible_to(actor)`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rev = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
