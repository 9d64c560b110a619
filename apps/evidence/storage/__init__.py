"""Where bytes lie: one interface, `Depot`, and an adapter for each kind of storage that settings may name.

Names in the storage: `uploads/…` bytes still arriving, `sha256/ab/<hash>` originals, `thumbnails/…`, and
`quarantine/…` for what turned out to be no photo. An original, once there, is never written again. Nothing here reads
or writes the database: callers hand in what decides whether a piece counts.
"""

from __future__ import annotations

from pathlib import Path

from django.core.files.storage import FileSystemStorage, storages

from apps.evidence.storage.base import Depot, Part, Shortened, Spool
from apps.evidence.storage.local import LocalDepot
from apps.evidence.storage.multipart import number_at
from apps.evidence.storage.objects import ObjectDepot

__all__ = [
    "Depot",
    "Part",
    "Shortened",
    "Spool",
    "depot",
    "number_at",
    "original_name",
    "quarantine_name",
    "thumbnail_name",
]


def depot() -> Depot:
    """Give the depot over the `evidence` storage of the settings."""
    storage = storages["evidence"]
    if isinstance(storage, FileSystemStorage):
        return LocalDepot(Path(storage.location))
    return ObjectDepot(storage)


def original_name(sha256: str) -> str:
    """Name the place of an original: its content address."""
    return f"sha256/{sha256[:2]}/{sha256}"


def quarantine_name(sha256: str) -> str:
    """Name the place of bytes that were refused: kept, and served to nobody."""
    return f"quarantine/{sha256[:2]}/{sha256}"


def thumbnail_name(sha256: str) -> str:
    """Name the place of an original's thumbnail."""
    return f"thumbnails/{sha256[:2]}/{sha256}.webp"
