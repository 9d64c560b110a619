"""The types of mutations a phone may send, and the domain action behind each. The one place that joins them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.models import Posting
from apps.common.actor import Actor, Post
from apps.common.errors import InvalidFields, Problem
from apps.evidence.actions import declare_attachment
from apps.inspections.actions import Edited, discard_inspection, save_inspection, submit_inspection
from apps.inspections.errors import ScopeRevoked
from apps.sync.rules import Envelope, is_uuid


@dataclass(frozen=True)
class Applied:
    """What an applied mutation tells the phone."""

    rev: int
    merged: bool = False
    warnings: tuple[str, ...] = ()


Operation = Callable[[Actor, Envelope], Applied]


def _save(actor: Actor, sent: Envelope) -> Applied:
    return _edited(
        save_inspection(actor=actor, report_id=sent.object, base_rev=sent.base_rev, fields=sent.fields)
    )


def _submit(actor: Actor, sent: Envelope) -> Applied:
    return _edited(
        submit_inspection(actor=actor, report_id=sent.object, base_rev=sent.base_rev, fields=sent.fields)
    )


def _discard(actor: Actor, sent: Envelope) -> Applied:
    discard_inspection(actor=actor, report_id=sent.object, base_rev=sent.base_rev)
    return Applied(rev=(sent.base_rev or 0) + 1)


def _declare(actor: Actor, sent: Envelope) -> Applied:
    fields = sent.fields
    owner = fields.get("report")
    if not is_uuid(owner):
        raise InvalidFields(
            errors=[Problem("/fields/report", "type", "Sai kiểu dữ liệu.", "This is a report's id.")]
        )
    attachment = declare_attachment(
        actor=actor,
        post=_post(actor, fields),
        id=sent.object,
        owner_kind="inspection",
        owner_id=UUID(str(owner)),
        step_key=fields.get("step", ""),
        purpose=fields.get("purpose", ""),
        sha256=fields.get("sha256", ""),
        size=fields.get("size", 0),
        mime=fields.get("mime", ""),
        capture_mode=fields.get("capture_mode", "in_app"),
        captured_on_device_at=fields.get("captured_on_device_at"),
        manifest=fields.get("manifest", ""),
        signature=fields.get("signature", ""),
    )
    return Applied(rev=attachment.rev)


def _post(actor: Actor, fields: Mapping[str, Any]) -> Post:
    """Find the post a photo belongs to: the one named (also a former one), or the first held now."""
    named = fields.get("posting")
    held = {str(post.posting_id): post for post in actor.posts}
    if named is None and held:
        return next(iter(held.values()))
    if isinstance(named, str) and is_uuid(named):
        if named in held:
            return held[named]
        former = Posting.objects.filter(officer_id=actor.person, pk=UUID(named)).first()
        if former is not None:
            return Post(former.pk, former.unit_id, former.role, frozenset({former.unit_id}))
    raise ScopeRevoked


def _edited(edit: Edited) -> Applied:
    return Applied(edit.report.rev, edit.merged, edit.warnings)


OPERATIONS: Mapping[str, Operation] = {
    "inspection.save": _save,
    "inspection.submit": _submit,
    "inspection.discard": _discard,
    "attachment.create": _declare,
}
