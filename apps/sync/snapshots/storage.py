"""Where parts lie: the `snapshots` storage of the settings, a local directory or S3, shared by all machines.

A part appears under its name whole or not at all. Behind S3 each machine keeps what it has served in its data
directory: a part is named by its hash and never changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages

_CACHE_SECONDS = 7 * 86400


def folder(stream: str) -> str:
    """Name the folder of a stream."""
    return hashlib.sha256(stream.encode()).hexdigest()[:32]


def put(name: str, data: bytes) -> None:
    """Store a part, durably and in one step."""
    storage = storages["snapshots"]
    if isinstance(storage, FileSystemStorage):
        _write(Path(storage.location) / name, data)
    else:
        storage.save(name, ContentFile(data))


def has(name: str) -> bool:
    """Tell whether a part is there."""
    return storages["snapshots"].exists(name)


def read(name: str) -> bytes:
    """Read a part. Raises FileNotFoundError."""
    storage = storages["snapshots"]
    if isinstance(storage, FileSystemStorage):
        return (Path(storage.location) / name).read_bytes()
    kept = settings.DATA_DIR / "snapshot-cache" / name
    with contextlib.suppress(FileNotFoundError):
        return kept.read_bytes()
    with storage.open(name) as source:
        data = bytes(source.read())
    _prune(kept.parent)
    _write(kept, data)
    return data


def remove(name: str) -> None:
    """Remove a part; no error when it is not there."""
    storages["snapshots"].delete(name)


def names(of: str) -> Iterator[tuple[str, datetime]]:
    """Give the names in a folder with the time of writing."""
    storage: Storage = storages["snapshots"]
    try:
        files = storage.listdir(of)[1]
    except FileNotFoundError:
        return
    for file in files:
        name = f"{of}/{file}"
        with contextlib.suppress(FileNotFoundError):
            yield name, storage.get_modified_time(name)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, made = tempfile.mkstemp(dir=path.parent, prefix=".making-")
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _prune(directory: Path) -> None:
    """Let go of what this machine has kept for more than a week; whoever asks for it again fetches it again."""
    oldest = time.time() - _CACHE_SECONDS
    with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.stat().st_mtime < oldest:
                    Path(entry.path).unlink()
