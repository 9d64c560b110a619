"""Photos for tests: drawn ones, and hostile ones that no camera makes."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image


def jpeg(width: int = 64, height: int = 48, *, colour: str = "navy", exif: bytes = b"") -> bytes:
    """Draw a small plain JPEG."""
    return _encoded(Image.new("RGB", (width, height), colour), "JPEG", exif=exif)


def noisy_jpeg(size: int, *, seed: int = 1) -> bytes:
    """Make a valid JPEG of at least `size` bytes whose every stretch differs."""
    side = 64
    while True:
        data = noise(side, seed=seed)
        if len(data) >= size:
            return data
        side = int(side * 1.4)


def noise(side: int, *, seed: int = 1) -> bytes:
    """Make a square JPEG of noise."""
    return _encoded(Image.effect_noise((side, side), 80 + seed % 40).convert("RGB"), "JPEG", quality=95)


def png(width: int = 64, height: int = 48) -> bytes:
    """Draw a small PNG."""
    return _encoded(Image.new("RGB", (width, height), "green"), "PNG")


def webp(width: int = 64, height: int = 48, *, lossless: bool = False) -> bytes:
    """Draw a small WebP."""
    return _encoded(Image.new("RGB", (width, height), "red"), "WEBP", lossless=lossless)


def png_bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """Make a PNG of a few bytes that says it unfolds to 400 megapixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\x00" * 100_000, 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def jpeg_bomb() -> bytes:
    """Make a JPEG whose frame header says 65,500 × 65,500."""
    plain = jpeg()
    at = plain.index(b"\xff\xc0") + 5
    return plain[:at] + struct.pack(">HH", 65_500, 65_500) + plain[at + 4 :]


def segment_bomb() -> bytes:
    """Make a JPEG of 100,000 empty comments."""
    return b"\xff\xd8" + b"\xff\xfe\x00\x02" * 100_000 + jpeg()[2:]


def text_bomb() -> bytes:
    """Make a PNG whose compressed text unfolds to 200 MB."""
    text = b"Comment\x00\x00" + zlib.compress(b"a" * 200_000_000, 9)
    plain = png()
    return plain[:33] + _chunk(b"zTXt", text) + plain[33:]


def polyglot() -> bytes:
    """Make a valid JPEG with a page of HTML and a zip's end record behind it."""
    return jpeg() + b"<html><script>alert(1)</script></html>PK\x05\x06" + b"\x00" * 18


def mp4() -> bytes:
    """Make the smallest thing with the structure of an MP4."""
    return (
        _box(b"ftyp", b"isom\x00\x00\x02\x00isommp41")
        + _box(b"moov", b"\x00" * 32)
        + _box(b"mdat", b"\x00" * 64)
    )


def heic() -> bytes:
    """Make the head of a HEIC photo."""
    return _box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic") + _box(b"meta", b"\x00" * 64)


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body
