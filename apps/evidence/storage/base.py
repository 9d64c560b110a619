"""What a depot can do, whatever lies beneath it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, ClassVar, Protocol
from uuid import UUID


class Shortened(Exception):
    """The storage holds fewer bytes of an upload than the database says: `durable` from the start on."""

    def __init__(self, durable: int) -> None:
        super().__init__(durable)
        self.durable = durable


@dataclass(frozen=True)
class Part:
    """A piece of an upload: an object of its own, or, with a `number`, a part of the upload's multipart upload."""

    offset: int
    length: int
    name: str = ""
    number: int = 0

    @property
    def end(self) -> int:
        """The offset behind its last byte."""
        return self.offset + self.length


@dataclass(frozen=True)
class Spool:
    """An upload as the storage knows it: its id, its pieces in order (none on a disk), its multipart upload if any."""

    upload: UUID
    parts: Sequence[Part] = ()
    multipart: str = ""


class Depot(Protocol):
    """Bytes on their way in, and originals. Every method raises StorageUnavailable when the storage fails.

    `has_parts` tells whether pieces are objects of their own, so that the caller must remember them; `part_size` is
    how many bytes of them are worth one part of a multipart upload (0: there are no such uploads here).
    """

    has_parts: ClassVar[bool]
    part_size: int

    def put(
        self,
        upload: UUID,
        offset: int,
        data: bytes,
        *,
        is_next: Callable[[], bool],
        settle: Callable[[str], bool],
    ) -> bool:
        """Make a piece durable at its absolute offset, then let `settle` advance the upload (it gets the name).

        Writes nothing when `is_next` denies that the upload stands at this offset. Gives what `settle` gave: False
        means that another connection was first, and the upload's bytes are as that one left them.
        """
        ...

    def durable(self, spool: Spool, recorded: int) -> int:
        """Give how many bytes from the start are really there, at most as many as recorded."""
        ...

    def whole(self, spool: Spool, length: int) -> AbstractContextManager[Path]:
        """Give all bytes of an upload as one local file that nobody else changes meanwhile. Raises Shortened."""
        ...

    def keep(self, path: Path, name: str, spool: Spool) -> None:
        """Put the file that `whole` gave at its name, durably; bytes that are already there stay as they are."""
        ...

    def store(self, upload: UUID, data: bytes, name: str) -> None:
        """Put bytes that came in one piece at their name, durably; bytes that are already there stay as they are."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put small derived data at its name, durably and in one step."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open what lies at a name for reading. Raises FileNotFoundError."""
        ...

    def secure(self, name: str) -> None:
        """Make durable what was found at a name, for whoever put it there may have died before that."""
        ...

    def discard(self, upload: UUID, spool: Spool | None = None) -> None:
        """Remove the bytes of an upload (of these pieces alone, when named); no error when there are none."""
        ...

    def remove(self, name: str, *, is_wanted: Callable[[], bool]) -> bool:
        """Remove what lies at a name unless `is_wanted`, asked when nobody can come to rely on it any more, says so."""
        ...

    def uploads(self) -> Iterable[UUID]:
        """Give the uploads of which bytes are here."""
        ...

    def sweep(self, *, before: datetime) -> int:
        """Remove what a crash left half-made before that moment and no row can name. Gives how much."""
        ...

    def begin(self, upload: UUID) -> str:
        """Open a multipart upload for an upload; gives its name."""
        ...

    def join(self, spool: Spool, joined: Part, pieces: Sequence[Part]) -> None:
        """Make pieces that are objects of their own one part of the multipart upload. Raises Shortened."""
        ...

    def abandon(self, spool: Spool) -> None:
        """Give up the multipart upload and the parts in it."""
        ...
