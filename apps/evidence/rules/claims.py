"""What a photo says of itself (EXIF), held against what the phone said: a disagreement is a flag, no refusal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

TIME_DIFFERS = "exif-time-differs"
TOLERANCE = timedelta(minutes=10)
# Without an offset the photo's clock may be in any zone on earth: -12:00 to +14:00.
_EARLIEST, _LATEST = timedelta(hours=-14), timedelta(hours=12)


def flags_of(claims: Mapping[str, object], captured_on_device_at: datetime | None) -> tuple[str, ...]:
    """Give the flags that the EXIF claims earn: `exif-time-differs` when both told times cannot mean one moment."""
    taken = claims.get("taken")
    if captured_on_device_at is None or not isinstance(taken, str):
        return ()
    offset = claims.get("offset")
    try:
        local = datetime.strptime(taken, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        zone = _zone(offset) if isinstance(offset, str) else None
    except (ValueError, OverflowError):
        return ()
    early, late = (-zone, -zone) if zone is not None else (_EARLIEST, _LATEST)
    apart = captured_on_device_at - local
    return () if early - TOLERANCE <= apart <= late + TOLERANCE else (TIME_DIFFERS,)


def _zone(offset: str) -> timedelta | None:
    if len(offset) != 6 or offset[0] not in "+-" or offset[3] != ":":
        return None
    size = timedelta(hours=int(offset[1:3]), minutes=int(offset[4:6]))
    return size if offset[0] == "+" else -size
