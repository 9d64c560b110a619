"""Reference lists and their entries. An entry that leaves its list keeps its row, so that its revision goes on."""

from __future__ import annotations

from typing import Self

from django.db import models

from apps.accounts.models import Role
from apps.common.actor import Actor
from apps.common.records import Record
from apps.common.text import pick
from apps.reference.rules.folding import fold


class ReferenceListQuerySet(models.QuerySet["ReferenceList"]):
    """Lists are for everyone in the service, not for foreign liaisons."""

    def visible_to(self, actor: Actor) -> Self:
        """Give all lists to the service, none to liaisons."""
        return self if _is_service(actor) else self.none()


class ReferenceList(Record):
    """A named list; `import_token` is the newest import, and only that one may write.

    `is_shipped` says that it stands as the product brought it; a list that the service imported is its own.
    """

    slug = models.CharField(max_length=40, unique=True)
    name_vi = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200)
    import_token = models.UUIDField(null=True)
    imported_at = models.DateTimeField(null=True)
    entry_count = models.PositiveIntegerField(default=0)
    is_shipped = models.BooleanField(default=False)

    objects = ReferenceListQuerySet.as_manager()

    def __str__(self) -> str:
        return pick(self.name_vi, self.name_en)


class ReferenceEntryQuerySet(models.QuerySet["ReferenceEntry"]):
    """Entries are seen by whoever sees their list."""

    def visible_to(self, actor: Actor) -> Self:
        """Give what stands in the lists to the service, none to liaisons."""
        return self.filter(is_listed=True) if _is_service(actor) else self.none()

    def search(self, text: str) -> Self:
        """Keep what holds the text in its key, labels or further columns, without regard to case and accents."""
        return self.filter(search__contains=fold(text)) if text else self


class ReferenceEntry(Record):
    """One entry; `valid` False means: known, but not to be chosen any more. `search` is what a search looks through."""

    list = models.ForeignKey(ReferenceList, on_delete=models.PROTECT, related_name="entries")
    key = models.CharField(max_length=80)
    label_vi = models.CharField(max_length=200)
    label_en = models.CharField(max_length=200)
    data = models.JSONField(default=dict)
    valid = models.BooleanField(default=True)
    is_listed = models.BooleanField(default=True)
    hash = models.CharField(max_length=32)
    search = models.TextField(default="")

    objects = ReferenceEntryQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["list", "key"], name="reference_entry_key"),)

    def __str__(self) -> str:
        return f"{self.key} {pick(self.label_vi, self.label_en)}"


def _is_service(actor: Actor) -> bool:
    return actor.is_system or bool(actor.roles - {Role.LIAISON})
