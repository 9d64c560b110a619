"""The built phone app in memory: a few hundred kilobytes, read once per process, found by exact name."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

INDEX = "index.html"
WORKER = "sw.js"
HASHED = "assets/"
_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_PACKED = (".png", ".woff2")  # compressed already


@dataclass(frozen=True)
class File:
    """One file of the app, ready to be sent; `packed` is the same in gzip, or None where that saves nothing."""

    body: bytes
    packed: bytes | None
    content_type: str
    etag: str


@lru_cache(maxsize=2)
def load(directory: Path) -> Mapping[str, File]:
    """Read the app; empty when it has not been built. What is no part of an app (no known type) is left out."""
    found = (path for path in sorted(directory.rglob("*")) if path.is_file() and path.suffix in _TYPES)
    shown = (
        path for path in found if not any(part.startswith(".") for part in path.relative_to(directory).parts)
    )
    return {path.relative_to(directory).as_posix(): _file(path) for path in shown}


def _file(path: Path) -> File:
    body = path.read_bytes()
    packed = None if path.suffix in _PACKED else gzip.compress(body, 9, mtime=0)
    if packed is not None and len(packed) >= len(body):
        packed = None
    return File(body, packed, _TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
