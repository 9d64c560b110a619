"""Signing the ledger's head, and handing heads to a witness whom the administrators cannot change."""

from __future__ import annotations

import base64
import os
from datetime import timedelta
from pathlib import Path

import orjson
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.audit.actions.keys import announced_key
from apps.audit.actions.sequencing import sequence_events
from apps.audit.errors import LedgerBroken
from apps.audit.models import Head
from apps.audit.queries import Missing, head_hash, latest_head, ledger_size, root_at

AT_LEAST = timedelta(hours=1)  # a head is signed anew by then, though nothing happened

log = structlog.get_logger(__name__)


@transaction.atomic
def sign_head() -> Head | None:
    """Number what waits and sign a head over everything; None when the last one still says all there is to say.

    The head before must follow from what is there now. Raises LedgerBroken otherwise, and SigningKeyMissing.
    """
    key = announced_key()
    sequence_events(waits=True)
    size, last, now = ledger_size(), latest_head(), timezone.now()
    if last is not None and last.size == size and now - last.at < AT_LEAST:
        return None
    root = _root_after(last, size)
    facts = {"origin": settings.LEDGER_ORIGIN, "size": size, "root": root.hex(), "time": now}
    body = orjson.dumps(
        {"v": 1, "kind": "ledger-head", **facts, "previous": head_hash(last), "key_id": key.id}
    )
    head: Head = Head.objects.create(
        origin=settings.LEDGER_ORIGIN,
        size=size,
        root=root,
        at=now,
        key_id=key.id,
        body=body,
        signature=key.sign(body),
    )
    return head


def _root_after(last: Head | None, size: int) -> bytes:
    """Give the root, provided that what the last head said still holds. Raises LedgerBroken."""
    try:
        if last is None or (last.size <= size and root_at(last.size) == bytes(last.root)):
            return root_at(size)
    except Missing:
        pass
    log.critical("ledger.broken", size=size, last=last.size if last else 0)
    raise LedgerBroken


def export_head(directory: Path) -> Path | None:
    """Write the newest head into the witness's directory, unless it is there; gives the file. None without a head.

    A file that is there is never written again.
    """
    head = latest_head()
    if head is None:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"head-{head.size:012d}-{head.at:%Y%m%dT%H%M%SZ}.json"
    signed = {"head": _b64(head.body), "signature": _b64(head.signature), "key_id": head.key_id}
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    except FileExistsError:
        return path
    with os.fdopen(fd, "wb") as file:
        file.write(orjson.dumps(signed, option=orjson.OPT_INDENT_2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def _b64(raw: bytes | memoryview) -> str:
    return base64.b64encode(bytes(raw)).decode()
