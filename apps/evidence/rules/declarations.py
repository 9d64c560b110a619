"""What a phone may declare about a file before it sends the bytes, and the limits of each kind of file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NotRequired, TypedDict
from uuid import UUID

from apps.common.errors import InvalidFields, Problem
from apps.evidence.errors import FileTooLarge, UnsupportedMedia

PHOTO_BYTES = 25 * 1024 * 1024
VIDEO_BYTES = 500 * 1024 * 1024
LIMITS: Mapping[str, int] = {
    "image/jpeg": PHOTO_BYTES,
    "image/png": PHOTO_BYTES,
    "image/webp": PHOTO_BYTES,
    "video/mp4": VIDEO_BYTES,
}
PURPOSES = frozenset({"", "overview", "close_up", "scale", "xray", "seal", "document", "person"})
# Kind of record → photos that show who somebody is: others than who took them see them for a stated purpose alone.
NOMINAL: Mapping[str, frozenset[str]] = {"seizure": frozenset({"document", "person"})}
CAPTURE_MODES = frozenset({"in_app", "import"})
MANIFEST_CHARACTERS = 64 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OWNER_KIND = re.compile(r"[a-z][a-z_]{0,39}")


class FileClaims(TypedDict):
    """What a phone says about a file; every value is judged before it is used."""

    sha256: str
    size: int
    mime: str
    step_key: NotRequired[str]
    purpose: NotRequired[str]
    capture_mode: NotRequired[str]
    captured_on_device_at: NotRequired[datetime | str | None]
    manifest: NotRequired[str]
    signature: NotRequired[str]


class Declaration(FileClaims):
    """The fields of a declaration as they arrive: a file, and the record it belongs to."""

    owner_kind: str
    owner_id: UUID | str


@dataclass(frozen=True)
class Claim:
    """A declaration whose every field can be stored. The manifest and the signature are claims, kept verbatim."""

    owner_kind: str
    owner_id: UUID
    sha256: str
    size: int
    mime: str
    step_key: str
    purpose: str
    capture_mode: str
    captured_on_device_at: datetime | None
    manifest: str
    signature: str


def judge(fields: Mapping[str, object]) -> Claim:
    """Turn what a phone sent into a claim.

    Raises InvalidFields with a pointer to each fault, UnsupportedMedia for a type that is not taken (HEIC among
    them: the phone makes a JPEG of it), FileTooLarge with the limit.
    """
    faults: list[Problem] = []

    def text(
        name: str, longest: int, is_fit: Callable[[str], bool] = bool, default: str | None = None
    ) -> str:
        value = fields.get(name, default)
        if isinstance(value, str) and len(value) <= longest and is_storable(value) and is_fit(value):
            return value
        faults.append(_fault(name))
        return ""

    mime = text("mime", 60).lower()
    claim = Claim(
        owner_kind=text("owner_kind", 40, lambda v: bool(_OWNER_KIND.fullmatch(v))),
        owner_id=_uuid(fields.get("owner_id"), faults),
        sha256=text("sha256", 64, lambda v: bool(_SHA256.fullmatch(v.lower()))).lower(),
        size=_size(fields.get("size"), faults),
        mime=mime,
        step_key=text("step_key", 80, str.isprintable, ""),
        purpose=text("purpose", 12, PURPOSES.__contains__, ""),
        capture_mode=text("capture_mode", 10, CAPTURE_MODES.__contains__, "in_app"),
        captured_on_device_at=_moment(fields.get("captured_on_device_at"), faults),
        manifest=text("manifest", MANIFEST_CHARACTERS, _anything, ""),
        signature=text("signature", 400, _anything, ""),
    )
    if faults:
        raise InvalidFields(errors=faults)
    if mime not in LIMITS:
        raise UnsupportedMedia(errors=[_fault("mime", UnsupportedMedia.code)])
    if claim.size > LIMITS[mime]:
        raise FileTooLarge(
            errors=[_fault("size", FileTooLarge.code)], members={"limits": {"file_bytes": LIMITS[mime]}}
        )
    return claim


def is_storable(text: str) -> bool:
    """Tell whether both databases can hold the text: no NUL and no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _anything(_value: str) -> bool:
    return True


def _uuid(value: object, faults: list[Problem]) -> UUID:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        faults.append(_fault("owner_id"))
        return UUID(int=0)


def _size(value: object, faults: list[Problem]) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    faults.append(_fault("size"))
    return 0


def _moment(value: object, faults: list[Problem]) -> datetime | None:
    """Read what the phone's clock said, however wrong it may be; a time without an offset says nothing."""
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value)[:40])
        if moment.tzinfo is not None and 1900 <= moment.year < 3000:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    faults.append(_fault("captured_on_device_at"))
    return None


# What a phone calls these two in its mutation.
_AS_SENT: Mapping[str, str] = {"owner_id": "report", "step_key": "step"}
_WORDS: Mapping[str, tuple[str, str]] = {
    "owner_kind": ("Loại hồ sơ không hợp lệ.", "This is no kind of record."),
    "owner_id": ("Mã hồ sơ phải là UUID.", "The record's id must be a UUID."),
    "sha256": ("Mã băm phải gồm 64 ký tự thập lục phân.", "The hash must be 64 hexadecimal digits."),
    "size": ("Kích thước không hợp lệ.", "The size is not acceptable."),
    "mime": ("Định dạng tệp không được nhận.", "This type of file is not taken."),
    "captured_on_device_at": (
        "Thời điểm chụp phải có múi giờ.",
        "The time of capture must be a time with an offset.",
    ),
}


def _fault(name: str, code: str = "invalid") -> Problem:
    vi, en = _WORDS.get(name, ("Giá trị không hợp lệ.", "The value is not acceptable."))
    return Problem(f"/fields/{_AS_SENT.get(name, name)}", code, vi, en)
