"""The headers of tus 1.0.0, read strictly: a phone's mistake is told by name, and nothing odd reaches a database."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from apps.common.errors import Problem, TooLarge
from apps.evidence.rules.declarations import VIDEO_BYTES
from mobile_api.errors import MediaTypeUnsupported
from mobile_api.uploads.errors import ChecksumUnknown, TusVersionUnsupported, UploadHeaderInvalid

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
ALGORITHMS = ("sha1", "sha256")
CHUNK_TYPE = "application/offset+octet-stream"
MAX_METADATA = 2000

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Metadata:
    """What `Upload-Metadata` says, and the header itself to give back."""

    raw: str
    attachment_id: UUID | None
    filetype: str


@dataclass(frozen=True)
class Checksum:
    """What `Upload-Checksum` promises about a chunk."""

    algorithm: str
    digest: bytes


def check_version(headers: Headers) -> None:
    """Raise TusVersionUnsupported unless the client speaks our version."""
    if headers.get("Tus-Resumable", "").strip() != VERSION:
        raise TusVersionUnsupported


def check_chunk_type(headers: Headers) -> None:
    """Raise MediaTypeUnsupported unless the body is a chunk."""
    if headers.get("Content-Type", "").split(";")[0].strip().lower() != CHUNK_TYPE:
        raise MediaTypeUnsupported


def upload_length(headers: Headers) -> int:
    """Read `Upload-Length`: at least one byte, at most a video. Raises UploadHeaderInvalid, TooLarge."""
    if "Upload-Defer-Length" in headers:
        raise _wrong("Upload-Defer-Length")
    length = _number(headers, "Upload-Length")
    if length > VIDEO_BYTES:
        raise TooLarge(members={"limits": {"file_bytes": VIDEO_BYTES}})
    if length == 0:
        raise _wrong("Upload-Length")
    return length


def upload_offset(headers: Headers) -> int:
    """Read `Upload-Offset`. Raises UploadHeaderInvalid."""
    return _number(headers, "Upload-Offset")


def metadata(headers: Headers) -> Metadata:
    """Read `Upload-Metadata`: pairs of a key and a base64 value. Raises UploadHeaderInvalid."""
    raw = headers.get("Upload-Metadata", "")
    if len(raw) > MAX_METADATA or not raw.isascii() or (raw and not raw.isprintable()):
        raise _wrong("Upload-Metadata")
    values: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in raw.split(","))):
        key, _, value = pair.partition(" ")
        try:
            values[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _wrong("Upload-Metadata") from None
    named = values.get("attachment_id", "")
    try:
        attachment_id = UUID(named) if named else None
    except ValueError:
        raise _wrong("Upload-Metadata") from None
    return Metadata(raw, attachment_id, values.get("filetype", "").lower())


def checksum(headers: Headers) -> Checksum | None:
    """Read `Upload-Checksum`. Raises ChecksumUnknown."""
    if "Upload-Checksum" not in headers:
        return None
    algorithm, _, encoded = headers["Upload-Checksum"].strip().partition(" ")
    if algorithm.lower() not in ALGORITHMS:
        raise ChecksumUnknown
    try:
        digest = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ChecksumUnknown from None
    return Checksum(algorithm.lower(), digest)


def _number(headers: Headers, name: str) -> int:
    text = headers.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _wrong(name)
    return int(text)


def _wrong(name: str) -> UploadHeaderInvalid:
    return UploadHeaderInvalid(
        errors=[
            Problem(
                f"/headers/{name}", "header", f"Tiêu đề {name} không hợp lệ.", f"{name} is not acceptable."
            )
        ]
    )
