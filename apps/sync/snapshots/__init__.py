"""Snapshots of large streams: a manifest and immutable compressed parts, so that a first load costs the server little.

`rules` says how a stream is cut and when a snapshot is due, `reading` reads a stream at one moment, `storage` keeps the
parts, `building` makes and forgets them, `serving` gives them to who holds the stream.
"""

from apps.sync.snapshots.building import build_due, build_snapshot, collect_parts
from apps.sync.snapshots.serving import manifest_of, part_of, read_part, read_parts

__all__ = [
    "build_due",
    "build_snapshot",
    "collect_parts",
    "manifest_of",
    "part_of",
    "read_part",
    "read_parts",
]
