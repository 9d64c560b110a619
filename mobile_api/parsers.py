"""JSON bodies, read strictly and in bounded memory: size, inflation and depth are judged before parsing.

What both databases cannot hold (NUL, lone surrogates) or what is no JSON number of 64 bits (NaN, 1e400, 2**64) is
refused as `invalid-field` with a pointer to the place. Of repeated keys in one object the last counts, everywhere:
all later work sees the parsed value alone.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from apps.common.errors import InvalidFields, Problem, TooLarge
from apps.common.text import is_storable
from mobile_api.errors import Malformed, MediaTypeUnsupported
from mobile_api.problems import token

MAX_DEPTH = 32
MAX_FAULTS = 20
_CHUNK = 64 * 1024

_KEEP = b'"[]{}'
_DROP = bytes(set(range(256)) - set(_KEEP))
_SQUARE = bytes.maketrans(b"{}", b"[]")
_STRINGS = re.compile(rb'"[^"]*+"?')
# A body without any of these needs no walk: no NUL, and no number near 64 bits (a UUID's "4e12" is none).
_SUSPECT = re.compile(rb"\\u0000|[0-9]{19}|[:,\[\s]-?[0-9.]+[eE]")


@dataclass(frozen=True)
class BodyLimits:
    """How many bytes a body may have when compressed, and when plain or inflated."""

    compressed: int
    inflated: int

    def refusal(self) -> TooLarge:
        """Make the 413 that tells the limits."""
        limits = {"compressed_bytes": self.compressed, "inflated_bytes": self.inflated, "depth": MAX_DEPTH}
        return TooLarge(members={"limits": limits})


SMALL = BodyLimits(compressed=64 * 1024, inflated=256 * 1024)
PUSH = BodyLimits(compressed=1024 * 1024, inflated=8 * 1024 * 1024)


class StrictJSONParser(BaseParser):
    """`application/json`, plain or gzip; a view may state `body_limits`."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read and judge the body of the request."""
        context = parser_context or {}
        limits = getattr(context.get("view"), "body_limits", SMALL)
        return read_json(stream, context["request"].headers if "request" in context else {}, limits)


def read_json(stream: IO[bytes], headers: Mapping[str, str], limits: BodyLimits) -> Any:
    """Read one JSON value from a request's stream.

    Raises Malformed (400), InvalidFields (422, with pointers), TooLarge (413, with the limits) or
    MediaTypeUnsupported (415).
    """
    return loads(read_bytes(stream, headers, limits), limits)


def read_bytes(stream: IO[bytes], headers: Mapping[str, str], limits: BodyLimits) -> bytes:
    """Read a body, inflated, within the limits. Raises Malformed, TooLarge or MediaTypeUnsupported."""
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip"}:
        raise MediaTypeUnsupported
    length = headers.get("Content-Length", "")
    is_packed = encoding == "gzip"
    chunks = _chunks(stream, limits.compressed if is_packed else limits.inflated, length, limits)
    return _inflate(chunks, limits) if is_packed else b"".join(chunks)


def loads(data: bytes, limits: BodyLimits = PUSH) -> Any:
    """Parse bytes that were read within the limits, as strictly as `read_json`."""
    value, is_suspect = parse(data, limits)
    faults = list(islice(find_faults(value), MAX_FAULTS)) if is_suspect else []
    if faults:
        raise InvalidFields(errors=faults)
    return value


def parse(data: bytes, limits: BodyLimits = PUSH) -> tuple[Any, bool]:
    """Parse bytes that were read within the limits; tell whether the value has faults for `find_faults` to name."""
    if is_too_deep(data):
        raise limits.refusal()
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        value = _lenient(data)
        if next(find_faults(value), None) is None:
            raise Malformed from error
        return value, True
    return value, bool(_SUSPECT.search(data))


def is_too_deep(data: bytes) -> bool:
    """Tell whether arrays and objects nest deeper than 32, by counting brackets outside strings.

    Escaped characters go first, then all but quotes and brackets, then strings; then each pass removes one level.
    Text that is no JSON may be misjudged; the parser refuses it in either case.
    """
    bare = data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_SQUARE, _DROP)
    bare = _STRINGS.sub(b"", bare)
    for _ in range(MAX_DEPTH):
        rest = bare.replace(b"[]", b"")
        if len(rest) == len(bare):
            return rest.count(b"[") > MAX_DEPTH
        bare = rest
    return b"[" in bare


def find_faults(value: Any, pointer: str = "") -> Iterator[Problem]:
    """Give a fault for each string, key or number that may not be stored."""
    if isinstance(value, str):
        if not is_storable(value):
            yield Problem(pointer, "text", "Văn bản chứa ký tự không lưu được.", "The text cannot be stored.")
    elif isinstance(value, dict):
        for key, item in value.items():
            here = f"{pointer}/{token(key)}"
            if not is_storable(key):
                yield Problem(
                    here, "key", "Tên trường chứa ký tự không lưu được.", "The name cannot be stored."
                )
            yield from find_faults(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from find_faults(item, f"{pointer}/{index}")
    elif isinstance(value, (int, float)) and not _fits(value):
        yield Problem(pointer, "number", "Số nằm ngoài phạm vi 64 bit.", "The number does not fit 64 bits.")


def _fits(number: float) -> bool:
    """Tell whether 64 bits hold the number; -2**63 as a float may be an integer that the parser rounded."""
    return -(2**63) <= number < 2**63 and not (isinstance(number, float) and number == -(2**63))


def _chunks(stream: IO[bytes], cap: int, length: str, limits: BodyLimits) -> Iterator[bytes]:
    if length.isascii() and length.isdigit() and int(length[:18]) > cap:
        raise limits.refusal()
    total = 0
    while chunk := stream.read(min(_CHUNK, cap + 1 - total)):
        total += len(chunk)
        if total > cap:
            raise limits.refusal()
        yield chunk
    if length.isascii() and length.isdigit() and total != int(length[:18]):
        raise Malformed


def _inflate(chunks: Iterator[bytes], limits: BodyLimits) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    room = limits.inflated + 1
    try:
        for chunk in chunks:
            part = inflater.decompress(chunk, room)
            room -= len(part)
            if room <= 0:
                raise limits.refusal()
            parts.append(part)
            if inflater.unused_data:
                raise Malformed
    except zlib.error as error:
        raise Malformed from error
    if not inflater.eof:
        raise Malformed
    return b"".join(parts)


def _lenient(data: bytes) -> Any:
    """Read what the strict parser refused, so that the fault can be named by its place; or raise Malformed."""
    try:
        return json.loads(data.decode("utf-8"), parse_int=_bounded_int)
    except (ValueError, RecursionError) as error:
        raise Malformed from error


def _bounded_int(digits: str) -> int:
    """Keep a hostile run of digits from being computed: anything long is as far out of range as 2**64."""
    return int(digits) if len(digits) <= 20 else 2**64
