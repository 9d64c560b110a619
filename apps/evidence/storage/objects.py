"""The depot on an object storage (S3): web machines share no disk, and objects cannot be appended to.

Each piece becomes an object of its own, durable before it counts; the row that `settle` writes makes it part of the
upload. Where the storage has multipart uploads, every 8 MiB of pieces become one part (`multipart.py`), so that a long
video is never a thousand objects and is put together by the storage itself. At the end all bytes are copied once
through a temporary file for the caller to hash, and stored under the content address; then the pieces go. A file that
came in one piece is stored under its content address at once.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, ClassVar
from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from apps.evidence.errors import StorageUnavailable
from apps.evidence.storage.base import Part, Shortened, Spool
from apps.evidence.storage.multipart import PART_SIZE, Bucket

log = structlog.get_logger(__name__)


class ObjectDepot:
    """`Depot` over any of Django's storages that stores and gives back whole objects; parts need a bucket."""

    has_parts: ClassVar[bool] = True

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        bucket = getattr(storage, "bucket", None)
        self._bucket = Bucket(bucket) if bucket is not None else None
        self.part_size = PART_SIZE if self._bucket else 0

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

    def durable(self, spool: Spool, recorded: int) -> int:
        """Count the pieces from the start on that are still listed, as objects or as parts."""
        if not recorded:
            return 0
        with _told():
            there = set(self._storage.listdir(f"uploads/{spool.upload}")[1])
            sizes = self._bucket.sizes(spool) if self._bucket and spool.multipart else {}
        end = 0
        for part in spool.parts:
            is_there = sizes.get(part.number) == part.length if part.number else Path(part.name).name in there
            if part.offset != end or not is_there:
                break
            end = part.end
        return min(end, recorded)

    @contextlib.contextmanager
    def whole(self, spool: Spool, length: int) -> Iterator[Path]:
        """Copy the pieces one after another into a temporary file of this machine."""
        with tempfile.NamedTemporaryFile(prefix="haidang-whole-") as target:
            if self._bucket and spool.multipart:
                with _told():
                    self._bucket.complete(spool, length)
                    self._bucket.fetch(spool, target)
            else:
                self._collect(spool.parts, target)
            target.flush()
            if target.tell() != length:
                raise Shortened(self.durable(spool, target.tell()))
            yield Path(target.name)

    def _collect(self, parts: Sequence[Part], target: IO[bytes]) -> None:
        begin = parts[0].offset if parts else 0
        for part in parts:
            if part.offset != begin + target.tell():
                break
            self._fetch(part, target, begin)

    def _fetch(self, part: Part, target: IO[bytes], begin: int) -> None:
        with _told():
            try:
                with self._storage.open(part.name) as source:
                    shutil.copyfileobj(source, target, 1024 * 1024)
            except FileNotFoundError:
                raise Shortened(part.offset) from None
            except (
                ClientError
            ) as error:  # it may have gone since it was opened: another has just ended the upload
                if not _is_missing(error):
                    raise
                raise Shortened(part.offset) from None
        if begin + target.tell() != part.end:
            raise Shortened(part.offset)

    def keep(self, path: Path, name: str, spool: Spool) -> None:
        """Store the file unless an object of the same size is there; a whole of parts is copied by the storage."""
        with _told(), path.open("rb") as file:
            if self._is_kept(name, path.stat().st_size):
                return
            if self._bucket and spool.multipart:
                self._bucket.copy(spool, name)
            else:
                self._storage.save(name, File(file))

    def store(self, upload: UUID, data: bytes, name: str) -> None:
        """Store the bytes under their name unless an object of the same size is there."""
        with _told():
            if not self._is_kept(name, len(data)):
                self._storage.save(name, ContentFile(data))

    def _is_kept(self, name: str, size: int) -> bool:
        try:
            there = self._storage.size(name)
        except FileNotFoundError:
            return False
        except ClientError as error:
            if _is_missing(error):
                return False
            raise
        if there != size:
            log.error("original.damaged", name=name)
            raise StorageUnavailable
        return True

    def write(self, name: str, data: bytes) -> None:
        """Store the object."""
        with _told():
            self._storage.save(name, ContentFile(data))

    def open(self, name: str) -> IO[bytes]:
        """Open the object."""
        with _told():
            return self._storage.open(name)

    def secure(self, name: str) -> None:
        """Do nothing: an object that can be read is durable."""

    def discard(self, upload: UUID, spool: Spool | None = None) -> None:
        """Delete the named pieces, or every one, those that lost a race included, and give up multipart uploads."""
        folder = f"uploads/{upload}"
        with _told():
            if spool is None:
                names = [f"{folder}/{name}" for name in self._storage.listdir(folder)[1]]
                if self._bucket:
                    self._bucket.abort_below(f"{folder}/")
            else:
                names = [part.name for part in spool.parts if part.name]
            for name in names:
                self._storage.delete(name)
        if spool is not None:
            self.abandon(spool)

    def remove(self, name: str, *, is_wanted: Callable[[], bool]) -> bool:
        """Delete the object, and put it back if it is wanted after all: it stays under another name meanwhile."""
        aside = f"uploads/removed-{secrets.token_hex(6)}"
        with _told():
            try:
                with self._storage.open(name) as file:
                    self._storage.save(aside, file)
            except FileNotFoundError:
                return False
            self._storage.delete(name)
            is_kept = is_wanted()
            if is_kept and not self._storage.exists(name):
                with self._storage.open(aside) as file:
                    self._storage.save(name, file)
            self._storage.delete(aside)
        return not is_kept

    def uploads(self) -> Iterator[UUID]:
        """List the folders of pieces, and those of which there are only parts."""
        with _told():
            folders = set(self._storage.listdir("uploads")[0])
            if self._bucket:
                folders |= {key.split("/")[1] for key, _ in self._bucket.begun("uploads/")}
        for folder in folders:
            with contextlib.suppress(ValueError):
                yield UUID(folder.strip("/"))

    def sweep(self, *, before: datetime) -> int:
        """Give up what was begun before that moment to store one large object, and never ended."""
        with _told():
            return self._bucket.abort_elsewhere("uploads/", before) if self._bucket else 0

    def begin(self, upload: UUID) -> str:
        """Open a multipart upload."""
        if self._bucket is None:
            return ""
        with _told():
            return self._bucket.begin(upload)

    def join(self, spool: Spool, joined: Part, pieces: Sequence[Part]) -> None:
        """Copy the pieces through a temporary file into one part, and delete them."""
        assert self._bucket is not None  # noqa: S101  `part_size` has said so
        with tempfile.TemporaryFile(prefix="haidang-part-") as file:
            self._collect(pieces, file)
            if file.tell() != joined.length:
                raise Shortened(joined.offset)
            file.seek(0)
            with _told():
                self._bucket.put_part(spool, joined, file)

    def abandon(self, spool: Spool) -> None:
        """Abort the multipart upload."""
        if self._bucket and spool.multipart:
            with _told():
                self._bucket.abort(spool)


def _is_missing(error: ClientError) -> bool:
    return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 404)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Say in the house's words that the storage failed; a missing object is for the caller to judge."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        log.warning("storage.failed", error=type(error).__name__, detail=str(error)[:200])
        raise StorageUnavailable from error
