"""What bytes really are, read from their structure alone: nothing is decoded here, so nothing can be blown up.

A photo that ends early, or that carries something behind its end, is still evidence: it is kept and flagged. Refused
is what is no photo or video at all, what would unfold to more than 50 megapixels, and what has too many parts.
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from apps.evidence.errors import ImageTooComplex, ImageTooLarge, UnsupportedMedia

MEGAPIXELS = 50_000_000
JPEG_SEGMENTS = 4_096
PNG_CHUNKS = 20_000
WEBP_CHUNKS = 2_000
MP4_BOXES = 20_000

TRAILING = "trailing-data"
TRUNCATED = "truncated"

Content = bytes | mmap.mmap

_MP4_BRANDS = frozenset(
    {
        b"isom",
        b"iso2",
        b"iso3",
        b"iso4",
        b"iso5",
        b"iso6",
        b"mp41",
        b"mp42",
        b"avc1",
        b"M4V ",
        b"3gp4",
        b"3gp5",
        b"MSNV",
    }
)
# In scan data a 0xFF is followed by 0x00 or by a restart marker; anything else ends the scan.
# (Of fill bytes only the last 0xFF matters; a pattern that begins with one plain byte is searched ten times faster.)
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


@dataclass(frozen=True)
class Facts:
    """The true type, the size in pixels (0 × 0 for video) and what is odd about the bytes."""

    mime: str
    width: int = 0
    height: int = 0
    flags: tuple[str, ...] = ()


def examine(content: Content) -> Facts:
    """Read what the bytes are. Raises UnsupportedMedia, ImageTooLarge or ImageTooComplex."""
    head = bytes(content[:16])
    read = _reader(head)
    try:
        facts = read(content)
    except (struct.error, IndexError):
        raise UnsupportedMedia from None
    if facts.width * facts.height > MEGAPIXELS:
        raise ImageTooLarge
    if facts.mime.startswith("image/") and not (facts.width and facts.height):
        raise UnsupportedMedia
    return facts


def _reader(head: bytes) -> Callable[[Content], Facts]:
    if head[:3] == b"\xff\xd8\xff":
        return _jpeg
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return _png
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp
    if head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS:
        return _mp4
    raise UnsupportedMedia


def _jpeg(content: Content) -> Facts:
    size, at, width, height = len(content), 2, 0, 0
    for _ in range(JPEG_SEGMENTS):
        while at < size and content[at] == 0xFF and at + 1 < size and content[at + 1] == 0xFF:
            at += 1
        if at + 2 > size or content[at] != 0xFF:
            return Facts("image/jpeg", width, height, (TRUNCATED,))
        marker = content[at + 1]
        if marker == 0xD9:
            return Facts("image/jpeg", width, height, (TRAILING,) if at + 2 < size else ())
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        if at + 4 > size:
            return Facts("image/jpeg", width, height, (TRUNCATED,))
        (length,) = struct.unpack(">H", content[at + 2 : at + 4])
        if marker in _FRAMES:
            rows, columns = struct.unpack(">HH", content[at + 5 : at + 9])
            width, height = max(width, columns), max(height, rows)
        at += 2 + length
        if marker == 0xDA:
            end = _END_OF_SCAN.search(content, at)
            if end is None:
                return Facts("image/jpeg", width, height, (TRUNCATED,))
            at = end.end() - 2
    raise ImageTooComplex


def _png(content: Content) -> Facts:
    if content[12:16] != b"IHDR":
        raise UnsupportedMedia
    width, height = struct.unpack(">II", content[16:24])
    size, at = len(content), 8
    for _ in range(PNG_CHUNKS):
        if at + 12 > size:
            return Facts("image/png", width, height, (TRUNCATED,))
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind = content[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            return Facts("image/png", width, height, (TRAILING,) if at < size else ())
    raise ImageTooComplex


def _webp(content: Content) -> Facts:
    size = len(content)
    (inner,) = struct.unpack("<I", content[4:8])
    end, at, width, height = 8 + inner + (inner & 1), 12, 0, 0
    flags = (TRAILING,) if size > end else (TRUNCATED,) if size < 8 + inner else ()
    for _ in range(WEBP_CHUNKS):
        if at + 8 > min(size, end):
            return Facts("image/webp", width, height, flags)
        kind = bytes(content[at : at + 4])
        (length,) = struct.unpack("<I", content[at + 4 : at + 8])
        columns, rows = _webp_size(kind, bytes(content[at + 8 : at + 18]))
        width, height = max(width, columns), max(height, rows)
        at += 8 + length + (length & 1)
    raise ImageTooComplex


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        columns, rows = struct.unpack("<HH", body[6:10])
        return columns & 0x3FFF, rows & 0x3FFF
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _mp4(content: Content) -> Facts:
    size, at, kinds = len(content), 0, set()
    for _ in range(MP4_BOXES):
        if at == size:
            return Facts("video/mp4", flags=() if b"moov" in kinds else (TRUNCATED,))
        if at + 8 > size:
            return Facts("video/mp4", flags=(TRAILING if b"moov" in kinds else TRUNCATED,))
        (length,) = struct.unpack(">I", content[at : at + 4])
        kinds.add(bytes(content[at + 4 : at + 8]))
        if length == 1:
            (length,) = struct.unpack(">Q", content[at + 8 : at + 16])
        elif length == 0:
            length = size - at
        if length < 8 or at + length > size:
            return Facts("video/mp4", flags=(TRUNCATED,))
        at += length
    raise ImageTooComplex
