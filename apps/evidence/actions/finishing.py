"""The end of an upload: hash, look at what the bytes are, put them at their content address, tell.

Each step can be taken again after a crash: the address depends on the bytes alone, and the rows change in one
transaction that asks first whether it has already happened.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.changes.actions import record
from apps.common.actor import Actor
from apps.common.errors import DomainError, NotFound
from apps.evidence.actions.announcing import change
from apps.evidence.actions.parts import clear, parts_of, shorten
from apps.evidence.errors import FileTooLarge, HashMismatch, ImageTooComplex, ImageTooLarge, UnsupportedMedia
from apps.evidence.models import Attachment, Upload
from apps.evidence.rules.content import Facts, examine
from apps.evidence.rules.declarations import LIMITS
from apps.evidence.storage import Shortened, depot, original_name, quarantine_name

KEPT_AFTER_FINISH = timedelta(days=7)
MIME_DIFFERS = "mime-differs"

Verdict = Facts | DomainError


def finalize_upload(*, actor: Actor, upload_id: UUID) -> Upload:
    """Judge an upload whose bytes are all here and store them; safe to call again, and at the same time.

    Gives the upload: finished, or still open when bytes are missing after all or no attachment wants them yet.
    Raises HashMismatch (the offset is 0 again, the attachment stays expected), UnsupportedMedia, ImageTooLarge,
    ImageTooComplex, FileTooLarge (the attachment is rejected, the bytes are in quarantine), StorageUnavailable.
    """
    upload = Upload.objects.select_related("attachment").filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    if not _is_complete(upload) or (upload.sha256 and not _bound(upload, upload.sha256)):
        return upload
    parts = parts_of(upload)
    try:
        with depot().whole(upload.pk, upload.length, parts) as path:
            sha256 = _hash(path)
            if not _bound(upload, sha256):
                return upload
            verdict = _judge(path, upload, sha256)
            if isinstance(verdict, HashMismatch):
                _start_again(actor, upload, sha256)
                depot().discard(upload.pk, parts)
                raise verdict
            name = original_name if isinstance(verdict, Facts) else quarantine_name
            depot().keep(path, name(sha256))
            _settle(actor, upload, verdict)
            clear(upload)
    except Shortened as short:
        upload.refresh_from_db()
        return shorten(upload, short.durable)
    if isinstance(verdict, DomainError):
        raise verdict
    return upload


def _is_complete(upload: Upload) -> bool:
    """Tell whether all bytes are here and nothing has been decided yet."""
    return upload.finished_at is None and upload.ended_at is None and upload.offset == upload.length


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bound(upload: Upload, sha256: str) -> bool:
    """Bind an upload that names no attachment to one of its officer, hash and size that still waits for bytes.

    Without such a one, the hash is written down, and the attachment that is declared later finds it.
    """
    if upload.attachment_id:
        return True
    open_uploads = Upload.objects.filter(attachment=OuterRef("pk"), ended_at=None)
    try:
        with transaction.atomic():
            match = (
                Attachment.objects.filter(
                    ~Exists(open_uploads),
                    officer_id=upload.officer_id,
                    sha256=sha256,
                    size=upload.length,
                    state=Attachment.State.EXPECTED,
                )
                .order_by("created_at")
                .first()
            )
            Upload.objects.filter(pk=upload.pk, attachment=None).update(sha256=sha256, attachment=match)
    except IntegrityError:  # another upload was bound to it a moment earlier
        return False
    upload.attachment = match
    return match is not None


def _judge(path: Path, upload: Upload, sha256: str) -> Verdict:
    attachment = upload.attachment
    assert attachment is not None  # noqa: S101  `_bound` has said so
    if sha256 != attachment.sha256:
        return HashMismatch(members={"offset": 0})
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            facts = examine(content)
    except (UnsupportedMedia, ImageTooLarge, ImageTooComplex) as refusal:
        return refusal
    if upload.length > LIMITS[facts.mime]:
        return FileTooLarge(members={"limits": {"file_bytes": LIMITS[facts.mime]}})
    return facts


@transaction.atomic
def _start_again(actor: Actor, upload: Upload, sha256: str) -> None:
    """Set the offset back to 0; the attachment stays expected and says what failed."""
    attachment = _locked(upload)
    here = Upload.objects.filter(pk=upload.pk, offset=upload.length, finished_at=None, ended_at=None)
    if not here.update(offset=0):
        return
    upload.pieces.all().delete()
    fields = {"failure": HashMismatch.code}
    record(actor, change(actor, attachment, "attachment.mismatched", fields, {"received_sha256": sha256}))


@transaction.atomic
def _settle(actor: Actor, upload: Upload, verdict: Verdict) -> None:
    """Write down the verdict, once."""
    attachment = _locked(upload)
    now = timezone.now()
    decided = {"finished_at": now, "expires_at": now + KEPT_AFTER_FINISH}
    if not Upload.objects.filter(pk=upload.pk, finished_at=None, ended_at=None).update(**decided):
        upload.refresh_from_db()
        return
    for name, value in decided.items():
        setattr(upload, name, value)
    if attachment.state != Attachment.State.EXPECTED:
        return
    if isinstance(verdict, DomainError):
        refused = {"state": Attachment.State.REJECTED, "failure": verdict.code}
        item = change(actor, attachment, "attachment.rejected", refused, {"failure": verdict.code})
    else:
        item = change(
            actor, attachment, "attachment.stored", {**_stored(attachment, verdict), "stored_at": now}
        )
    record(actor, item)


def _locked(upload: Upload) -> Attachment:
    """Lock the attachment; always before its upload, so that no two actions wait for each other."""
    assert upload.attachment_id is not None  # noqa: S101  `_bound` has said so
    return Attachment.objects.select_for_update().get(pk=upload.attachment_id)


def _stored(attachment: Attachment, facts: Facts) -> Mapping[str, Any]:
    differs = (MIME_DIFFERS,) if facts.mime != attachment.mime else ()
    return {
        "state": Attachment.State.STORED,
        "failure": "",
        "original": original_name(attachment.sha256),
        "mime": facts.mime,
        "width": facts.width or None,
        "height": facts.height or None,
        "flags": list(dict.fromkeys([*attachment.flags, *facts.flags, *differs])),
    }
