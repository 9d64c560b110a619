"""The last step of every action here: raise the revision, save, tell the audit and the phone's stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.audit.actions import log
from apps.changes.actions import Item, ask_held
from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.common.errors import NotAllowed
from apps.common.postgresql.waiting import Statement
from apps.common.sql import execute
from apps.evidence.models import Attachment
from apps.evidence.queries import KIND, body, facts_of


def item_of(change: str, attachment: Attachment, data: Mapping[str, Any] | None = None) -> Item:
    """Make the feed item of a change to an attachment."""
    owner = {"owner_kind": attachment.owner_kind, "owner_id": str(attachment.owner_id)}
    return Item(
        change,
        KIND,
        attachment.pk,
        attachment.rev,
        body=body(attachment),
        streams=[post_stream(attachment.posting_id)],
        data={**owner, **(data or {})},
    )


def told_of(attachment: Attachment, fields: Iterable[str], data: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what the audit event of a change says: the revision, and the fields that were set, as they are now."""
    set_now = facts_of(attachment, [name for name in fields if name != "updated_at"])
    return {"rev": attachment.rev, **set_now, **(data or {})}


def officer_of(actor: Actor) -> UUID:
    """Give the person behind an actor; files are declared and sent by people. Raises NotAllowed."""
    if actor.officer_id is None:
        raise NotAllowed
    return actor.officer_id


def change(
    actor: Actor,
    attachment: Attachment,
    kind: str,
    fields: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
) -> Item:
    """Set the fields of a locked attachment under a new revision, audit it, and give the item to record."""
    for name, value in fields.items():
        setattr(attachment, name, value)
    attachment.rev += 1
    attachment.save(update_fields=[*fields, "rev", "updated_at"])
    log(actor, kind, KIND, attachment.pk, told_of(attachment, fields, data))
    return item_of(kind, attachment, data)


class Expected:
    """A change to an attachment that is still expected: a statement, which locks it, and what is told afterwards."""

    def __init__(self, attachment: Attachment, fields: Mapping[str, Any]) -> None:
        """Make the statement; it changes nothing when the attachment is no longer expected."""
        self._attachment = attachment
        self._fields = {**fields, "updated_at": timezone.now()}
        names = ", ".join(f'"{name}" = %s' for name in self._fields)
        sql = (
            f"UPDATE evidence_attachment SET {names}, rev = rev + 1 "  # noqa: S608  names from the code alone
            "WHERE id = %s AND state = %s RETURNING rev"
        )
        expected = Attachment.State.EXPECTED.value
        self.statement: Statement = (sql, [*self._fields.values(), attachment.pk, expected])

    def ask_held(self) -> Statement:
        """Give the statement whose answer `record` takes; it goes after the other."""
        return ask_held([post_stream(self._attachment.posting_id)], [self._attachment.pk])

    def told(
        self, actor: Actor, kind: str, answer: Any, data: Mapping[str, Any] | None = None
    ) -> Item | None:
        """Audit the change and give the item to record; None when the answer says that there was none."""
        row = answer.fetchone()
        if row is None:
            return None
        for name, value in {**self._fields, "rev": row[0]}.items():
            setattr(self._attachment, name, value)
        log(actor, kind, KIND, self._attachment.pk, told_of(self._attachment, self._fields, data))
        return item_of(kind, self._attachment, data)


def change_expected(
    actor: Actor,
    attachment: Attachment,
    kind: str,
    fields: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
) -> Item | None:
    """Do as `change` does, unless the attachment is no longer expected."""
    expected = Expected(attachment, fields)
    return expected.told(actor, kind, execute(*expected.statement), data)
