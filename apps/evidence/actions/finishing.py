"""The end of an upload: hash, look at what the bytes are, put them at their content address, tell.

Each step can be taken again after a crash: the address depends on the bytes alone, and the rows change in one
transaction that asks first whether it has already happened.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from apps.changes.actions import record
from apps.common.actor import Actor
from apps.common.errors import DomainError, NotFound
from apps.common.sql import execute_all, with_commit
from apps.evidence.actions.announcing import Expected, change_expected
from apps.evidence.actions.parts import clear, gather, shorten, spool_of
from apps.evidence.errors import (
    FileTooLarge,
    HashMismatch,
    ImageTooComplex,
    ImageTooLarge,
    UnsupportedMedia,
)
from apps.evidence.models import Attachment, Upload
from apps.evidence.rules.content import Content, Facts, examine
from apps.evidence.rules.declarations import LIMITS
from apps.evidence.storage import Shortened, depot, original_name, quarantine_name

KEPT_AFTER_FINISH = timedelta(days=7)
MIME_DIFFERS = "mime-differs"

Verdict = Facts | DomainError


def finalize_upload(*, actor: Actor, upload_id: UUID, sha256: str = "") -> Upload:
    """Judge an upload whose bytes are all here and store them; safe to call again, and at the same time.

    `sha256` is what was computed while the bytes came, when one request brought them all. Gives the upload: finished,
    or still open when bytes are missing after all or no attachment wants them yet. Raises HashMismatch (the offset is 0
    again, the attachment stays expected), UnsupportedMedia, ImageTooLarge, ImageTooComplex, FileTooLarge (the
    attachment is rejected, the bytes are in quarantine), StorageUnavailable.
    """
    upload = Upload.objects.select_related("attachment").filter(pk=upload_id).first()
    if upload is None:
        raise NotFound
    if not _is_complete(upload) or (upload.sha256 and not _bound(upload, upload.sha256)):
        return upload
    try:
        gather(upload, is_last=True)
        spool = spool_of(upload)
        with depot().whole(spool, upload.offset) as path:
            sha256 = sha256 or _hash(path)
            if not _bound(upload, sha256):
                return upload
            assert upload.attachment is not None  # noqa: S101  `_bound` has said so
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                verdict = judge(content, upload.attachment, sha256)
            if isinstance(verdict, HashMismatch):
                start_again(actor, upload, sha256)
                depot().discard(upload.pk, spool)
                raise verdict
            depot().keep(path, place_of(verdict, sha256), spool)
            settle(actor, upload, verdict)
            clear(upload)
    except Shortened as short:
        upload.refresh_from_db()
        return shorten(upload, short.durable)
    if isinstance(verdict, DomainError):
        raise verdict
    return upload


def place_of(verdict: Verdict, sha256: str) -> str:
    """Name the place where bytes belong after their verdict."""
    return original_name(sha256) if isinstance(verdict, Facts) else quarantine_name(sha256)


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
    if upload.length is None:
        return False
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


def judge(content: Content, attachment: Attachment, sha256: str) -> Verdict:
    """Compare with the declaration and look at what the bytes are."""
    if sha256 != attachment.sha256:
        return HashMismatch(members={"offset": 0})
    try:
        facts = examine(content)
    except (UnsupportedMedia, ImageTooLarge, ImageTooComplex) as refusal:
        return refusal
    if len(content) > LIMITS[facts.mime]:
        return FileTooLarge(members={"limits": {"file_bytes": LIMITS[facts.mime]}})
    return facts


@transaction.atomic
def start_again(actor: Actor, upload: Upload, sha256: str) -> None:
    """Set the offset back to 0; the attachment stays expected and says what failed."""
    attachment = upload.attachment
    assert attachment is not None  # noqa: S101  `_bound` has said so
    fields = {"failure": HashMismatch.code}
    item = change_expected(actor, attachment, "attachment.mismatched", fields, {"received_sha256": sha256})
    here = Upload.objects.filter(pk=upload.pk, offset=upload.offset, finished_at=None, ended_at=None)
    if not here.update(offset=0, multipart="") or item is None:
        transaction.set_rollback(True)
        return
    upload.pieces.all().delete()
    record(actor, item)


def settle(actor: Actor, upload: Upload, verdict: Verdict, *, stands_at: int | None = None) -> bool:
    """Write down the verdict, once; False when the upload stands elsewhere by now."""
    attachment = upload.attachment
    assert attachment is not None  # noqa: S101  `_bound` has said so
    now = timezone.now()
    ends = {"offset": upload.length, "finished_at": now, "expires_at": now + KEPT_AFTER_FINISH}
    here = upload.offset if stands_at is None else stands_at
    kind, fields, data = decided(attachment, verdict, now)
    expected = Expected(attachment, fields)
    finish = (_FINISH, [*ends.values(), upload.pk, here])
    with with_commit():
        # The attachment is always locked before its upload, so that no two actions wait for each other.
        changed, counted, held = execute_all([expected.statement, finish, expected.ask_held()])
        item = expected.told(actor, kind, changed, data)
        is_counted = counted.fetchone() is not None
        if item is not None and is_counted:
            record(actor, item, held=held)
        elif not is_counted:
            transaction.set_rollback(True)
    if not is_counted:
        upload.refresh_from_db()
        return False
    for name, value in ends.items():
        setattr(upload, name, value)
    return True


_FINISH = (
    'UPDATE evidence_upload SET "offset" = %s, finished_at = %s, expires_at = %s '
    'WHERE id = %s AND "offset" = %s AND finished_at IS NULL AND ended_at IS NULL RETURNING id'
)


def decided(
    attachment: Attachment, verdict: Verdict, now: datetime
) -> tuple[str, Mapping[str, Any], Mapping[str, Any] | None]:
    """Give the kind of the change, the fields it sets, and what is said about it."""
    if isinstance(verdict, DomainError):
        refused = {"state": Attachment.State.REJECTED.value, "failure": verdict.code}
        return "attachment.rejected", refused, {"failure": verdict.code}
    return "attachment.stored", {**stored_fields(attachment, verdict), "stored_at": now}, None


def stored_fields(attachment: Attachment, facts: Facts) -> Mapping[str, Any]:
    """Give what an attachment says once its bytes are at their content address."""
    differs = (MIME_DIFFERS,) if facts.mime != attachment.mime else ()
    return {
        "state": Attachment.State.STORED.value,
        "failure": "",
        "original": original_name(attachment.sha256),
        "mime": facts.mime,
        "width": facts.width or None,
        "height": facts.height or None,
        "flags": list(dict.fromkeys([*attachment.flags, *facts.flags, *differs])),
    }
