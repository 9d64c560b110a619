"""The child that decodes photos: started by file name, without Django, limited before it sees the first byte.

It reads `length, photo` on standard input and answers `length, length, JSON, thumbnail` on standard output, until the
input ends. Limits: 1 GiB of address space, 10 s of processor time per photo, no files beyond the pipes, no new
processes, and no network where the kernel allows to leave it.
"""

from __future__ import annotations

import ctypes
import io
import json
import math
import resource
import struct
import sys
import warnings
from typing import Any

from PIL import Image, ImageFile, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

EDGE = 512
PIXELS = 50_000_000
MEMORY = 1024 * 1024 * 1024
SECONDS_PER_PHOTO = 10
LONGEST_TEXT = 80

# Named so that they are loaded before the limits forbid opening files.
PLUGINS = (JpegImagePlugin, PngImagePlugin, WebPImagePlugin)
FORMATS = ("JPEG", "PNG", "WEBP")

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_TEXTS = {
    "make": (0, 0x010F),
    "model": (0, 0x0110),
    "taken": (_EXIF_IFD, 0x9003),
    "offset": (_EXIF_IFD, 0x9011),
}


def main() -> None:
    """Answer photo after photo until standard input ends."""
    _confine()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(4):
        _grant_time()
        claims: dict[str, Any] = {}
        thumbnail, error = b"", ""
        try:
            photo = source.read(struct.unpack(">I", head)[0])
            with Image.open(io.BytesIO(photo), formats=FORMATS) as image:
                if image.width * image.height > PIXELS:
                    raise ValueError("too many pixels")  # noqa: TRY301  answered like any other failure
                claims = _claims(image)
                thumbnail = _thumbnail(image)
        except Exception as failure:  # noqa: BLE001  whatever a hostile photo provokes is an answer
            error = type(failure).__name__
        told = json.dumps({"claims": claims, "error": error}).encode()
        target.write(struct.pack(">II", len(told), len(thumbnail)) + told + thumbnail)
        target.flush()


def _confine() -> None:
    """Give up what decoding does not need."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    Image.MAX_IMAGE_PIXELS = None  # our own limit comes first
    warnings.simplefilter("ignore")
    _warm_up()
    new_user_and_network = 0x10000000 | 0x40000000
    ctypes.CDLL(None).unshare(
        new_user_and_network
    )  # refused in some containers: then the other limits remain
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))


def _warm_up() -> None:
    """Do all the work once, so that what Pillow imports on the way is there before files can no longer be opened."""
    tags = Image.Exif()
    tags[0x0112] = 6
    tags.get_ifd(_GPS_IFD).update({1: "N", 2: (1.0, 2.0, 3.0)})
    for kind in FORMATS:
        photo = io.BytesIO()
        Image.new("RGB", (8, 8)).save(photo, kind, exif=tags.tobytes())
        with Image.open(photo, formats=FORMATS) as image:
            _claims(image)
            _thumbnail(image)


def _grant_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime) + SECONDS_PER_PHOTO
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _thumbnail(image: Image.Image) -> bytes:
    """Make a small WebP that holds pixels only: turned upright, no EXIF, no colour profile."""
    image.thumbnail((EDGE, EDGE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    upright = ImageOps.exif_transpose(image)
    if upright.mode not in {"RGB", "RGBA", "L"}:
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    out = io.BytesIO()
    upright.save(out, "WEBP", quality=70, method=1, exif=b"", icc_profile=b"", xmp=b"")
    return out.getvalue()


def _claims(image: Image.Image) -> dict[str, Any]:
    """Read what the photo says of itself; broken EXIF says nothing."""
    try:
        exif = image.getexif()
        found = {
            name: _text((exif.get_ifd(ifd) if ifd else exif).get(tag)) for name, (ifd, tag) in _TEXTS.items()
        }
        claims: dict[str, Any] = {name: text for name, text in found.items() if text}
        place = _place(exif.get_ifd(_GPS_IFD))
    except Exception:  # noqa: BLE001  a claim that cannot be read is no claim
        return {}
    return {**claims, "position": place} if place else claims


def _text(value: object) -> str:
    text = (
        value.decode("utf-8", "replace")
        if isinstance(value, bytes)
        else value
        if isinstance(value, str)
        else ""
    )
    return "".join(c for c in text[:LONGEST_TEXT] if c.isprintable()).strip()


def _place(gps: dict[int, Any]) -> dict[str, float] | None:
    try:
        latitude = _degrees(gps[2]) * (-1 if _text(gps[1]) == "S" else 1)
        longitude = _degrees(gps[4]) * (-1 if _text(gps[3]) == "W" else 1)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return {"latitude": round(latitude, 6), "longitude": round(longitude, 6)}


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(p) for p in parts)
    return degrees + minutes / 60 + seconds / 3600


if __name__ == "__main__":
    main()
