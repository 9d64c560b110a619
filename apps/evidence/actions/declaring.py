"""Declaring a file before its bytes come, and publishing the files of a submitted record."""

from __future__ import annotations

from typing import Unpack
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.models import Device, Posting
from apps.accounts.rules import is_signed
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.common.actor import Actor, Post
from apps.common.errors import ExistsDifferent
from apps.evidence.actions.announcing import change, item_of, officer_of
from apps.evidence.models import Attachment, Upload
from apps.evidence.queries import KIND
from apps.evidence.rules.declarations import Claim, Declaration, judge

SIGNATURE_INVALID = "signature-invalid"
_FROM_BASE64URL = str.maketrans("-_", "+/")


def declare_attachment(
    *,
    actor: Actor,
    post: Post | Posting,
    id: UUID,  # noqa: A002  made where the record is born
    **fields: Unpack[Declaration],
) -> Attachment:
    """Declare a file of a record: what it is, its hash and size, and what the device signed about it.

    `post` may have ended: an officer who moved still sends what was photographed before.

    The same declaration again gives the same attachment. Bytes that came before, without naming an attachment, are
    bound to it. A signature that does not verify is a flag. Raises InvalidFields with pointers,
    UnsupportedMedia, FileTooLarge, and ExistsDifferent when the id stands for another file.
    """
    claim = judge(fields)
    flags = _flags(actor, claim)
    try:
        with transaction.atomic():
            known = Attachment.objects.select_for_update().filter(pk=id).first()
            return _same(actor, known, claim) if known else _create(actor, post, id, claim, flags)
    except IntegrityError:
        twin = Attachment.objects.filter(pk=id).first()
        if twin is None:
            raise
        return _same(actor, twin, claim)


def _same(actor: Actor, known: Attachment, claim: Claim) -> Attachment:
    there = (known.officer_id, known.owner_kind, known.owner_id, known.sha256, known.size)
    if there != (actor.officer_id, claim.owner_kind, claim.owner_id, claim.sha256, claim.size):
        raise ExistsDifferent
    return known


def _create(actor: Actor, post: Post | Posting, pk: UUID, claim: Claim, flags: list[str]) -> Attachment:
    siblings = Attachment.objects.filter(owner_kind=claim.owner_kind, owner_id=claim.owner_id)
    attachment = Attachment.objects.create(
        id=pk,
        unit_id=post.unit_id,
        posting_id=post.pk if isinstance(post, Posting) else post.posting_id,
        officer_id=officer_of(actor),
        device_id=actor.device_id,
        is_draft=not siblings.filter(is_draft=False).exists(),
        owner_kind=claim.owner_kind,
        owner_id=claim.owner_id,
        step_key=claim.step_key,
        purpose=claim.purpose,
        sha256=claim.sha256,
        size=claim.size,
        mime=claim.mime,
        capture_mode=claim.capture_mode,
        captured_on_device_at=claim.captured_on_device_at,
        manifest=claim.manifest,
        signature=claim.signature,
        flags=flags,
    )
    log(actor, "attachment.declared", KIND, pk, {"sha256": claim.sha256, "size": claim.size})
    record(actor, item_of("attachment.declared", attachment), *_bound(attachment))
    return attachment


def _bound(attachment: Attachment) -> list[Item]:
    """Bind the complete upload of this officer that brought the same bytes without saying for what."""
    upload = (
        Upload.objects.select_for_update()
        .filter(
            officer_id=attachment.officer_id,
            attachment=None,
            sha256=attachment.sha256,
            length=attachment.size,
            ended_at=None,
        )
        .first()
    )
    if upload is None:
        return []
    upload.attachment = attachment
    upload.save(update_fields=["attachment"])
    return [Item("attachment.bound", KIND, attachment.pk, attachment.rev, data={"upload_id": str(upload.pk)})]


@transaction.atomic
def publish_attachments(*, actor: Actor, owner_kind: str, owner_id: UUID) -> int:
    """Show the files of a record to whoever reviews it: called when the record is submitted. Gives how many."""
    drafts = Attachment.objects.select_for_update().filter(
        owner_kind=owner_kind, owner_id=owner_id, is_draft=True
    )
    items = [
        change(actor, attachment, "attachment.published", {"is_draft": False})
        for attachment in drafts.order_by("pk")
    ]
    if items:
        record(actor, *items)
    return len(items)


def _flags(actor: Actor, claim: Claim) -> list[str]:
    if not claim.signature:
        return []
    devices = Device.objects.filter(pk=actor.device_id) if actor.device_id else Device.objects.none()
    key = devices.values_list("public_key", flat=True).first() or ""
    signature = claim.signature.translate(_FROM_BASE64URL) + "=" * (-len(claim.signature) % 4)
    return [] if is_signed(key, signature, claim.manifest.encode()) else [SIGNATURE_INVALID]
