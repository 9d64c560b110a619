"""The depot on a local disk: one spool file per upload, one link to the content address at the end.

A spool file is written under an exclusive lock that lasts for one piece, so of two connections one is always first,
also across processes. Nothing counts before `fsync`. The last step is a hard link: it cannot overwrite, and a crash
leaves the spool file there, so that the same step can be taken again. A file that came in one piece is written under a
name of its own, synced once, linked, and its directory synced once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, ClassVar
from uuid import UUID

import structlog

from apps.evidence.errors import StorageUnavailable
from apps.evidence.storage.base import Part, Shortened, Spool

log = structlog.get_logger(__name__)

_DURABLE: set[Path] = set()  # no more than a few hundred: addresses share directories


class LocalDepot:
    """`Depot` below one directory; all of it must lie on one file system."""

    has_parts: ClassVar[bool] = False
    part_size = 0

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

    def durable(self, spool: Spool, recorded: int) -> int:
        """Compare with the length of the spool file."""
        with _told():
            try:
                return min(recorded, self._spool(spool.upload).stat().st_size)
            except FileNotFoundError:
                return 0

    @contextlib.contextmanager
    def whole(self, spool: Spool, length: int) -> Iterator[Path]:
        """Give the spool file itself, locked against writers."""
        path = self._spool(spool.upload)
        if (there := self.durable(spool, length)) < length:
            raise Shortened(there)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._locked(path, os.O_RDONLY))
            except FileNotFoundError:
                raise Shortened(0) from None
            yield path

    def keep(self, path: Path, name: str, _spool: Spool) -> None:
        """Link the file to its name. Damaged bytes found there are moved aside, never removed."""
        with _told():
            path.chmod(0o440)
            self._link(path, self._root / name)

    def store(self, upload: UUID, data: bytes, name: str) -> None:
        """Write the bytes beside the spool files, under a name that no other connection can use, and link them."""
        with _told():
            path = self._root / "uploads" / f"{upload}.{secrets.token_hex(6)}"
            try:
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
            except FileNotFoundError:
                _make_directory(path.parent)
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440)
            try:
                try:
                    _write_at(fd, 0, data)
                    os.fsync(fd)
                finally:
                    os.close(fd)
                self._link(path, self._root / name)
            finally:
                path.unlink()

    def _link(self, path: Path, target: Path) -> None:
        """Link a durable file to its name and make the name durable, and those of the directories above it."""
        try:
            os.link(path, target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.link(path, target)
        except FileExistsError:
            _put_damaged_aside(path, target)
        _sync_directory(target.parent)
        self._sync_above(target.parent)

    def _sync_above(self, directory: Path) -> None:
        """Make a directory's own name durable, once per process: whoever made it may not have come to that yet."""
        if directory == self._root or directory in _DURABLE:
            return
        _sync_directory(directory.parent)
        self._sync_above(directory.parent)
        _DURABLE.add(directory)

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

    def secure(self, name: str) -> None:
        """Sync the bytes, the name, and the names of the directories above it."""
        path = self._root / name
        with _told(), path.open("rb") as file:
            os.fsync(file.fileno())
            _sync_directory(path.parent)
            self._sync_above(path.parent)

    def discard(self, upload: UUID, _spool: Spool | None = None) -> None:
        """Unlink the spool file; whoever holds its lock notices."""
        with _told():
            self._spool(upload).unlink(missing_ok=True)

    def remove(self, name: str, *, is_wanted: Callable[[], bool]) -> bool:
        """Move the file out of reach first: who stores the same bytes from then on stores them anew."""
        path = self._root / name
        aside = self._root / "uploads" / f"removed.{secrets.token_hex(6)}"
        with _told():
            _make_directory(aside.parent)
            try:
                path.rename(aside)
            except FileNotFoundError:
                return False
            is_kept = is_wanted()
            if is_kept:
                with contextlib.suppress(FileExistsError):
                    os.link(aside, path)
            _sync_directory(path.parent)
            aside.unlink()
        return not is_kept

    def sweep(self, *, before: datetime) -> int:
        """Unlink files that came in one piece and whose writer died."""
        count = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(self._root / "uploads") as entries:
            for entry in entries:
                owner, dot, _ = entry.name.partition(".")
                with contextlib.suppress(FileNotFoundError):
                    if dot and owner != "removed" and entry.stat().st_mtime < before.timestamp():
                        Path(entry.path).unlink()
                        count += 1
        return count

    def begin(self, upload: UUID) -> str:
        """Give nothing: a disk can append."""
        return ""

    def join(self, spool: Spool, joined: Part, pieces: Sequence[Part]) -> None:
        """Do nothing: there are no pieces."""

    def abandon(self, spool: Spool) -> None:
        """Do nothing: there are no parts."""

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


def _put_damaged_aside(path: Path, target: Path) -> None:
    """Leave what lies at the name if it is the same; otherwise move it aside, never remove it."""
    if not _is_same(path, target):
        aside = target.with_name(f"{target.name}.damaged-{int(time.time())}")
        log.error("original.damaged", name=target.name, moved_to=aside.name)
        target.rename(aside)
        os.link(path, target)


def _is_same(one: Path, other: Path) -> bool:
    if one.samefile(other):
        return True
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        return hashlib.file_digest(a, "sha256").digest() == hashlib.file_digest(b, "sha256").digest()
