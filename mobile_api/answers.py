"""Answers as bytes: JSON, compressed when it is worth it and wanted; and immutable bytes, whole or in ranges.

Compression tells nobody anything here: answers are given to a token in a header, which no foreign page can send, and
hold no secret beside what a caller put in.
"""

from __future__ import annotations

import re
import zlib

import orjson
from django.http import HttpResponse
from rest_framework.request import Request

from apps.sync.errors import RangeNotSatisfiable

SMALL = 1024
LEVEL = 1
_GZIP = re.compile(r"(?:^|[,\s])(?:gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+))?\s*(?:,|$)", re.IGNORECASE)
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def json_answer(request: Request, data: object) -> HttpResponse:
    """Give a value as JSON, or bytes that are JSON already; gzip from 1 KB on when the phone takes it."""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    response = HttpResponse(content_type="application/json", headers={"Vary": "Accept-Encoding"})
    if len(body) > SMALL and takes_gzip(request.headers.get("Accept-Encoding", "")):
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        response.headers["Content-Encoding"] = "gzip"
    response.content = body
    return response


def takes_gzip(accepted: str) -> bool:
    """Tell whether an `Accept-Encoding` allows gzip."""
    found = _GZIP.search(accepted)
    return found is not None and (found.group(1) or "1").strip("0.") != ""


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the phone holds this very thing already (`If-None-Match`)."""
    given = request.headers.get("If-None-Match", "")
    return given.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in given.split(",")}


def range_of(request: Request, etag: str, length: int) -> tuple[int, int] | None:
    """Give the first and last byte asked for; None for the whole. Raises RangeNotSatisfiable.

    Several ranges, other units and what is no range are answered with the whole, and so is an `If-Range` that is not
    about these bytes.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if (
        asked is None
        or request.headers.get("If-Range", etag) != etag
        or asked.group(1) == asked.group(2) == ""
    ):
        return None
    first, last = asked.groups()
    if not first:
        begin, end = max(0, length - int(last)), length - 1
    else:
        begin, end = int(first), min(int(last) if last else length - 1, length - 1)
        if last and int(last) < begin:
            return None
    if begin >= length or end < begin:
        raise RangeNotSatisfiable(members={"length": length})
    return begin, end
