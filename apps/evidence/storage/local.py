"""The depot on a local disk: one spool file per upload, one link to the content address at the end.

A spool file is written under an exclusive lock that lasts for one piece, so of two connections one is always first,
also across processes. Nothing counts before `fsync`. The last step is a hard link: it cannot overwrite, and a crash
leaves the spool file there, so that the same step can be taken again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, ClassVar
from uuid import UUID

import structlog

from apps.evidence.errors import StorageUnavailable
from apps.evidence.storage.base import Part, Shortened

log = structlog.get_logger(__name__)


class LocalDepot:
    """`Depot` below one directory; all of it must lie on one file system."""

    has_parts: ClassVar[bool] = False

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(
        self,
        upload: UUID,
        offset: int,
        data: bytes,
        *,
        is_next: Callable[[], bool],
        settle: Callable[[str], bool],
    ) -> bool:
        """Write the piece into the spool file under its lock; see `Depot.put`."""
        with _told():
            path = self._spool(upload)
            _make_directory(path.parent)
        with self._locked(path, os.O_RDWR | os.O_CREAT) as fd:
            if not is_next():
                return False
            with _told():
                _write_at(fd, offset, data)
                os.fsync(fd)
                if offset == 0:
                    _sync_directory(path.parent)
            return settle("")

    def durable(self, upload: UUID, recorded: int, _parts: Sequence[Part]) -> int:
        """Compare with the length of the spool file."""
        with _told():
            try:
                return min(recorded, self._spool(upload).stat().st_size)
            except FileNotFoundError:
                return 0

    @contextlib.contextmanager
    def whole(self, upload: UUID, length: int, parts: Sequence[Part]) -> Iterator[Path]:
        """Give the spool file itself, locked against writers."""
        path = self._spool(upload)
        if self.durable(upload, length, parts) < length:
            raise Shortened(self.durable(upload, length, parts))
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._locked(path, os.O_RDONLY))
            except FileNotFoundError:
                raise Shortened(0) from None
            yield path

    def keep(self, path: Path, name: str) -> None:
        """Link the file to its name. Damaged bytes found there are moved aside, never removed."""
        target = self._root / name
        with _told():
            _make_directory(target.parent)
            path.chmod(0o440)
            if target.exists() and not _is_same(path, target):
                aside = target.with_name(f"{target.name}.damaged-{int(time.time())}")
                log.error("original.damaged", name=name, moved_to=aside.name)
                target.rename(aside)
            with contextlib.suppress(FileExistsError):
                os.link(path, target)
            _sync_directory(target.parent)

    def write(self, name: str, data: bytes) -> None:
        """Write beside the name, then rename."""
        target = self._root / name
        with _told():
            _make_directory(target.parent)
            fd, made = tempfile.mkstemp(dir=target.parent, prefix=".making-")
            try:
                with os.fdopen(fd, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(made).replace(target)
            except BaseException:
                Path(made).unlink(missing_ok=True)
                raise
            _sync_directory(target.parent)

    def open(self, name: str) -> IO[bytes]:
        """Open the file."""
        return (self._root / name).open("rb")

    def discard(self, upload: UUID, _parts: Sequence[Part] | None = None) -> None:
        """Unlink the spool file; whoever holds its lock notices."""
        with _told():
            self._spool(upload).unlink(missing_ok=True)

    def uploads(self) -> Iterator[UUID]:
        """List the spool directory."""
        with contextlib.suppress(FileNotFoundError), os.scandir(self._root / "uploads") as entries:
            for entry in entries:
                with contextlib.suppress(ValueError):
                    yield UUID(entry.name)

    def _spool(self, upload: UUID) -> Path:
        return self._root / "uploads" / str(upload)

    @contextlib.contextmanager
    def _locked(self, path: Path, flags: int) -> Iterator[int]:
        """Open and lock the file; a file that was removed while waiting for the lock is opened anew."""
        while True:
            with _told():
                fd = os.open(path, flags, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if not _is_at(fd, path):
                    continue
                yield fd
                return
            finally:
                os.close(fd)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say in the house's words that the disk failed; a missing file is for the caller to judge."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        log.exception("storage.failed", error=error.strerror)
        raise StorageUnavailable from error


def _is_at(fd: int, path: Path) -> bool:
    """Tell whether the name still leads to the open file, which may have become an original meanwhile."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False


def _write_at(fd: int, offset: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, offset)
        view, offset = view[done:], offset + done


def _make_directory(path: Path) -> None:
    """Make a directory and make its name durable in the one above."""
    if path.is_dir():
        return
    _make_directory(path.parent)
    path.mkdir(exist_ok=True)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _is_same(one: Path, other: Path) -> bool:
    if one.samefile(other):
        return True
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        return hashlib.file_digest(a, "sha256").digest() == hashlib.file_digest(b, "sha256").digest()
