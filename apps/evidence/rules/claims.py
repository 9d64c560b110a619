"""What a photo says of itself (EXIF), held against what the phone said: a disagreement is a flag, no refusal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

TIME_DIFFERS = "exif-time-differs"
PLACE_DIFFERS = "exif-place-differs"
TOLERANCE = timedelta(minutes=10)
# Indoors a phone may place itself by a mast some way off; what is further apart is another place.
METRES, EARTH_RADIUS = 2_000, 6_371_000
# Without an offset the photo's clock may be in any zone on earth: -12:00 to +14:00.
_EARLIEST, _LATEST = timedelta(hours=-14), timedelta(hours=12)


def flags_of(
    claims: Mapping[str, object],
    captured_on_device_at: datetime | None,
    position: tuple[float, float, float] | None = None,
) -> tuple[str, ...]:
    """Give the flags that the EXIF claims earn, against the phone's time and its latitude, longitude and accuracy.

    `exif-time-differs` when both told times cannot mean one moment, `exif-place-differs` when the places lie more than
    two kilometres and the accuracy apart.
    """
    return (*_time_flags(claims, captured_on_device_at), *_place_flags(claims, position))


def _place_flags(
    claims: Mapping[str, object], position: tuple[float, float, float] | None
) -> tuple[str, ...]:
    place = claims.get("position")
    if position is None or not isinstance(place, Mapping):
        return ()
    latitude, longitude, accuracy = position
    apart = _metres((float(place["latitude"]), float(place["longitude"])), (latitude, longitude))
    return (PLACE_DIFFERS,) if apart > METRES + accuracy else ()


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Give the way over the globe between two places in degrees (haversine)."""
    (north, east), (north_2, east_2) = ((math.radians(a), math.radians(b)) for a, b in (one, other))
    half = math.sin((north_2 - north) / 2) ** 2
    half += math.cos(north) * math.cos(north_2) * math.sin((east_2 - east) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(min(1.0, math.sqrt(half)))


def _time_flags(claims: Mapping[str, object], captured_on_device_at: datetime | None) -> tuple[str, ...]:
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
