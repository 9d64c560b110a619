"""Declaring a file before its bytes come, and publishing the files of a submitted record."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.models import Device, Posting
from apps.accounts.rules import as_der, fits
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.common.actor import Actor, Post
from apps.common.errors import ExistsDifferent
from apps.common.sql import insert_record
from apps.common.transactions import transactional
from apps.evidence.actions.announcing import change, item_of, officer_of
from apps.evidence.models import Attachment, Capture, Upload
from apps.evidence.queries import DECLARED, KIND, facts_of
from apps.evidence.rules.declarations import Claim, Declaration, judge
from apps.evidence.rules.manifests import (
    MANIFEST_DIFFERS,
    SIGNATURE_INVALID,
    agrees,
    manifest_bytes,
    seq_of,
    signature_bytes,
)


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
    bound to it. A signature that does not fit, or a manifest that says something else, is a flag. Raises InvalidFields
    with pointers, UnsupportedMedia, FileTooLarge, and ExistsDifferent when the id stands for another file.
    """
    claim = judge(fields)
    said = _said(actor, claim)
    try:
        with transaction.atomic():
            known = Attachment.objects.select_for_update().filter(pk=id).first()
            return _same(actor, known, claim) if known else _create(actor, post, id, claim, said)
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


def _create(actor: Actor, post: Post | Posting, pk: UUID, claim: Claim, said: Said) -> Attachment:
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
        flags=list(said.flags),
    )
    capture = _keep(attachment, said)
    told = {**facts_of(attachment, DECLARED), **facts_of(capture, ("verdict", "device_seq", "received_at"))}
    log(actor, "attachment.declared", KIND, pk, {"rev": attachment.rev, **told, **said.in_audit()})
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


@transactional
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


@dataclass(frozen=True)
class Said:
    """What the device signed, as it came, and what was found about it."""

    manifest: bytes
    signature: bytes
    der: bytes
    verdict: Capture.Verdict
    flags: tuple[str, ...]

    def in_audit(self) -> dict[str, str]:
        """Give what the audit event names: so the ledger holds who signed what."""
        if not self.manifest:
            return {}
        return {
            "manifest_sha256": hashlib.sha256(self.manifest).hexdigest(),
            "signature": self.signature.hex(),
        }


def _said(actor: Actor, claim: Claim) -> Said:
    """Verify the signature over the manifest's bytes with the key of the device that sends it."""
    if not claim.manifest and not claim.signature:
        return Said(b"", b"", b"", Capture.Verdict.UNSIGNED, ())
    manifest, signature = manifest_bytes(claim.manifest), signature_bytes(claim.signature)
    der = as_der(signature)
    devices = Device.objects.filter(pk=actor.device_id) if actor.device_id else Device.objects.none()
    key = devices.values_list("public_key", flat=True).first() or ""
    flags = []
    if not fits(key, der, manifest):
        flags.append(SIGNATURE_INVALID)
    elif not agrees(
        manifest, owner_id=claim.owner_id, device_id=actor.device_id, sha256=claim.sha256, size=claim.size
    ):
        flags.append(MANIFEST_DIFFERS)
    verdict = Capture.Verdict.INVALID if SIGNATURE_INVALID in flags else Capture.Verdict.SIGNED
    return Said(manifest, signature, der, verdict, tuple(flags))


def _keep(attachment: Attachment, said: Said) -> Capture:
    """Write down what was said, once: a photo that was removed and comes again is the one that was said then."""
    before = Capture.objects.filter(pk=attachment.pk).first()
    if before is not None:
        if (before.owner_id, before.sha256, before.size) != (
            attachment.owner_id,
            attachment.sha256,
            attachment.size,
        ):
            raise ExistsDifferent
        return before
    capture = Capture(
        attachment_id=attachment.pk,
        owner_kind=attachment.owner_kind,
        owner_id=attachment.owner_id,
        device_id=attachment.device_id,
        sha256=attachment.sha256,
        size=attachment.size,
        manifest=said.manifest,
        signature=said.signature,
        signature_der=said.der,
        verdict=said.verdict.value,
        device_seq=seq_of(said.manifest),
        received_at=timezone.now(),
    )
    insert_record(capture)
    return capture
