"""The body of a chunk as a stream of pieces, read from the server's own stream as the bytes arrive.

A connection that breaks ends the stream: what came before is given out, so that it can be kept.
"""

from __future__ import annotations

import hashlib
import hmac
import tempfile
from collections.abc import Iterator
from io import BytesIO
from typing import IO, cast

from django.db import connection
from rest_framework.request import Request

from mobile_api.errors import LengthRequired
from mobile_api.uploads.errors import ChecksumMismatch
from mobile_api.uploads.headers import Checksum

PIECE = 512 * 1024
DRAINED = 1024 * 1024
_UNREAD = "haidang.unread"


def pieces(request: Request, promised: Checksum | None) -> Iterator[bytes]:
    """Give the body in pieces of at most 512 KiB; nothing is read before the first is asked for.

    A chunk with a checksum is received whole and checked before its first piece is given out, since nothing of it may
    be kept otherwise. Raises ChecksumMismatch.
    """
    stream = _received(request)
    return stream if promised is None else _checked(stream, promised)


def content_length(request: Request) -> int:
    """Read the stated length of the body. Raises LengthRequired."""
    text = request.META.get("CONTENT_LENGTH") or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise LengthRequired
    return int(text)


def drain(request: Request) -> None:
    """Read up to 1 MiB of what a refusal left unread: a client that is still sending would not see the answer."""
    room = DRAINED
    while room and (piece := _next(request, min(PIECE, room))):
        room -= len(piece)


def _received(request: Request) -> Iterator[bytes]:
    while piece := _next(request, PIECE):
        yield piece


def _next(request: Request, most: int) -> bytes:
    """Read on in the body; b"" at its end, or where the connection broke."""
    left = request.META.get(_UNREAD)
    if left is None:
        left = content_length(request) if request.META.get("CONTENT_LENGTH") else 0
    if not left:
        return b""
    source = cast("IO[bytes]", request.META["wsgi.input"])
    if not isinstance(source, BytesIO):  # then it has arrived
        _release()
    try:
        piece = source.read(min(most, left))
    except OSError:
        piece = b""
    request.META[_UNREAD] = left - len(piece) if piece else 0  # nothing more comes from a broken connection
    return piece


def _release() -> None:
    """Give the database connection back to the pool while the network is waited for: slow phones are many."""
    if connection.vendor == "postgresql" and not connection.in_atomic_block:
        connection.close()


def _checked(stream: Iterator[bytes], promised: Checksum) -> Iterator[bytes]:
    seen = hashlib.new(promised.algorithm, usedforsecurity=False)
    with tempfile.SpooledTemporaryFile(max_size=2 * PIECE) as kept:
        for piece in stream:
            seen.update(piece)
            kept.write(piece)
        if not hmac.compare_digest(seen.digest(), promised.digest):
            raise ChecksumMismatch
        kept.seek(0)
        while piece := kept.read(PIECE):
            yield piece
