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
EXTENSIONS = "creation,creation-defer-length,creation-with-upload,checksum,termination,expiration"
ALGORITHMS = {"sha1": 20, "sha256": 32}  # and the bytes of their digests
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
        wanted = f"{CHUNK_TYPE} is wanted."
        raise MediaTypeUnsupported(
            errors=[Problem("/headers/Content-Type", "header", f"Phải là {CHUNK_TYPE}.", wanted)]
        )


def creation_length(headers: Headers) -> int | None:
    """Read the length that a creation must state: a number, or None when it is deferred.

    Raises UploadHeaderInvalid, TooLarge. Parts of a concatenation, which is not offered, are no files of their own.
    """
    if "Upload-Concat" in headers:
        raise _wrong("Upload-Concat")
    if "Upload-Defer-Length" not in headers:
        return _length(headers)
    if headers["Upload-Defer-Length"].strip() != "1" or "Upload-Length" in headers:
        raise _wrong("Upload-Defer-Length")
    return None


def later_length(headers: Headers) -> int | None:
    """Read the length that a chunk may state when the creation deferred it. Raises UploadHeaderInvalid, TooLarge."""
    return _length(headers) if "Upload-Length" in headers else None


def _length(headers: Headers) -> int:
    """Read `Upload-Length`: at least one byte (nothing is no evidence), at most a video."""
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
    """Read `Upload-Metadata`: pairs of a key and a base64 value, which may be any bytes. Raises UploadHeaderInvalid."""
    raw = headers.get("Upload-Metadata", "").strip()
    if len(raw) > MAX_METADATA or not raw.isascii() or (raw and not raw.isprintable()):
        raise _wrong("Upload-Metadata")
    values: dict[str, bytes] = {}
    for pair in raw.split(",") if raw else ():
        key, _, value = pair.strip().partition(" ")
        if not key or key in values:
            raise _wrong("Upload-Metadata")
        try:
            values[key] = base64.b64decode(value.strip(), validate=True)
        except binascii.Error:
            raise _wrong("Upload-Metadata") from None
    try:
        named = values.get("attachment_id", b"").decode("ascii")
        attachment_id = UUID(named) if named else None
    except ValueError:
        raise _wrong("Upload-Metadata") from None
    return Metadata(raw, attachment_id, values.get("filetype", b"").decode("ascii", "replace").lower())


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
    if len(digest) != ALGORITHMS[algorithm.lower()]:
        raise ChecksumUnknown
    return Checksum(algorithm.lower(), digest)


def _number(headers: Headers, name: str) -> int:
    text = headers.get(name, "").strip()
    if not text:
        said = (f"Thiếu tiêu đề {name}.", f"{name} is required.")
        raise UploadHeaderInvalid(errors=[Problem(f"/headers/{name}", "header", *said)])
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
