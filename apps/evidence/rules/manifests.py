"""What a phone signed at capture: reading the bytes and the signature as they came, and comparing with the declaration.

The manifest is JSON, but only its bytes count; what can be read of it is a claim. docs/evidence.md has the form.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from uuid import UUID

SIGNED, UNSIGNED, INVALID = "signed", "unsigned", "invalid"
SIGNATURE_INVALID = "signature-invalid"
MANIFEST_DIFFERS = "manifest-differs"
MOST_SEQ = 2**62
# Metres; no two places on earth lie further apart.
FARTHEST = 20_100_000

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_TO_URL = str.maketrans("+/", "-_")


def manifest_bytes(sent: str) -> bytes:
    """Give the manifest's bytes, sent as base64url; text that is no base64url stands for its own bytes."""
    if _BASE64URL.fullmatch(sent):
        decoded = _decoded(sent)
        if decoded is not None:
            return decoded
    return sent.encode()


def signature_bytes(sent: str) -> bytes:
    """Give the signature's bytes, sent as base64url or base64; what is neither stands for its own bytes."""
    decoded = _decoded(sent.translate(_TO_URL))
    return sent.encode() if decoded is None else decoded


def seq_of(manifest: bytes) -> int | None:
    """Give the manifest's number on its device, from 1 on; None for one without."""
    seq = _read(manifest).get("device_seq")
    return seq if type(seq) is int and 0 < seq <= MOST_SEQ else None


def agrees(manifest: bytes, *, owner_id: UUID, device_id: UUID | None, sha256: str, size: int) -> bool:
    """Tell whether the manifest names this record, this device, and a photo of this hash and length."""
    said = _read(manifest)
    photos = said.get("photos")
    named = [photo for photo in photos if isinstance(photo, dict)] if isinstance(photos, list) else []
    return (
        said.get("report") == str(owner_id)
        and said.get("device") == str(device_id)
        and any(photo.get("sha256") == sha256 and photo.get("bytes") == size for photo in named)
    )


def position_of(manifest: bytes) -> tuple[float, float, float] | None:
    """Give where the phone says it was: latitude, longitude, accuracy in metres; None when it says nothing sound."""
    said = _read(manifest).get("position")
    if not isinstance(said, dict):
        return None
    found = [said.get(name) for name in ("latitude", "longitude", "accuracy_m")]
    numbers = [value for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) != len(found):
        return None
    latitude, longitude, accuracy = numbers
    is_sound = -90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 <= accuracy <= FARTHEST
    return (float(latitude), float(longitude), float(accuracy)) if is_sound else None


def _read(manifest: bytes) -> dict[str, Any]:
    try:
        said = json.loads(manifest)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
