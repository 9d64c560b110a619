"""Declaring and sending photos in tests, and the storages they may lie in."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import botocore.session

from apps.common.records import new_id
from apps.evidence import actions
from apps.evidence.models import Attachment
from tests.cast import Member
from tests.services import S3

# Every storage on S3 makes a session of its own, and every session reads the descriptions of all services anew, which
# takes longer than most tests. So all sessions of a process read with one loader, which keeps what it has read.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


def declare(member: Member, data: bytes, *, mime: str = "image/jpeg", **fields: Any) -> Attachment:
    """Declare a photo from the member's phone."""
    assert member.phone.tokens.access_token
    return actions.declare_attachment(
        actor=member.actor(),
        post=fields.pop("post", member.posting),
        id=fields.pop("id", None) or new_id(),
        owner_kind="inspection",
        owner_id=fields.pop("owner_id", None) or uuid4(),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        mime=mime,
        **fields,
    )


def send(member: Member, upload_id: UUID, offset: int, *pieces: bytes) -> Any:
    """Send pieces as one chunk."""
    size = sum(map(len, pieces))
    return actions.append_chunk(
        actor=member.actor(), upload_id=upload_id, offset=offset, size=size, pieces=pieces
    )


def on_disk(directory: Path) -> dict[str, Any]:
    """Give Django's description of an evidence storage in a directory."""
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(directory)},
    }


def on_s3(server: S3) -> dict[str, Any]:
    """Give Django's description of an evidence storage on an S3 server."""
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": server.bucket,
            "access_key": server.access_key,
            "secret_key": server.password,
            "endpoint_url": server.url,
            "region_name": server.region,
            "addressing_style": "path",
            "file_overwrite": True,
        },
    }
