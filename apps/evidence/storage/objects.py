"""The depot on an object storage (S3): web machines share no disk, and objects cannot be appended to.

Each piece becomes an object of its own, durable before it counts; the row that `settle` writes makes it part of the
upload. At the end the pieces are copied through a temporary file, hashed by the caller, and stored under the content
address; then the pieces go.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, ClassVar
from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from apps.evidence.errors import StorageUnavailable
from apps.evidence.storage.base import Part, Shortened

log = structlog.get_logger(__name__)


class ObjectDepot:
    """`Depot` over any of Django's storages that stores and gives back whole objects."""

    has_parts: ClassVar[bool] = True

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def put(
        self,
        upload: UUID,
        offset: int,
        data: bytes,
        *,
        is_next: Callable[[], bool],
        settle: Callable[[str], bool],
    ) -> bool:
        """Store the piece under a name that no other connection can use; see `Depot.put`."""
        if not is_next():
            return False
        name = f"uploads/{upload}/{offset:012d}-{secrets.token_hex(6)}"
        with _told():
            self._storage.save(name, ContentFile(data))
        if settle(name):
            return True
        with _told():
            self._storage.delete(name)
        return False

    def durable(self, upload: UUID, recorded: int, parts: Sequence[Part]) -> int:
        """Count the pieces from the start on that are still listed."""
        if not recorded:
            return 0
        with _told():
            there = set(self._storage.listdir(f"uploads/{upload}")[1])
        end = 0
        for part in parts:
            if part.offset != end or Path(part.name).name not in there:
                break
            end += part.length
        return min(end, recorded)

    @contextlib.contextmanager
    def whole(self, upload: UUID, length: int, parts: Sequence[Part]) -> Iterator[Path]:
        """Copy the pieces one after another into a temporary file of this machine."""
        with tempfile.NamedTemporaryFile(prefix="haidang-whole-") as target:
            for part in parts:
                if part.offset != target.tell():
                    break
                self._fetch(part, target)
            target.flush()
            if target.tell() != length:
                raise Shortened(self.durable(upload, target.tell(), parts))
            yield Path(target.name)

    def _fetch(self, part: Part, target: IO[bytes]) -> None:
        try:
            with _told(), self._storage.open(part.name) as source:
                shutil.copyfileobj(source, target, 1024 * 1024)
        except FileNotFoundError:
            raise Shortened(part.offset) from None
        if target.tell() != part.offset + part.length:
            raise Shortened(part.offset)

    def keep(self, path: Path, name: str) -> None:
        """Store the file under its name unless an object of the same size is there."""
        with _told(), path.open("rb") as file:
            if self._storage.exists(name):
                if self._storage.size(name) == path.stat().st_size:
                    return
                log.error("original.damaged", name=name)
                raise StorageUnavailable
            self._storage.save(name, File(file))

    def write(self, name: str, data: bytes) -> None:
        """Store the object."""
        with _told():
            self._storage.save(name, ContentFile(data))

    def open(self, name: str) -> IO[bytes]:
        """Open the object."""
        with _told():
            return self._storage.open(name)

    def discard(self, upload: UUID, parts: Sequence[Part] | None = None) -> None:
        """Delete the named pieces, or every one, those that lost a race included."""
        folder = f"uploads/{upload}"
        with _told():
            if parts is None:
                names = [f"{folder}/{name}" for name in self._storage.listdir(folder)[1]]
            else:
                names = [part.name for part in parts]
            for name in names:
                self._storage.delete(name)

    def uploads(self) -> Iterator[UUID]:
        """List the folders of pieces."""
        with _told():
            folders = self._storage.listdir("uploads")[0]
        for folder in folders:
            with contextlib.suppress(ValueError):
                yield UUID(folder.strip("/"))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say in the house's words that the storage failed; a missing object is for the caller to judge."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        log.warning("storage.failed", error=type(error).__name__, detail=str(error)[:200])
        raise StorageUnavailable from error
