"""What a depot can do, whatever lies beneath it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
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
    """A piece of an upload that lies in the storage as an object of its own."""

    offset: int
    length: int
    name: str


class Depot(Protocol):
    """Bytes on their way in, and originals. Every method raises StorageUnavailable when the storage fails.

    `has_parts` tells whether pieces are objects of their own, so that the caller must remember them.
    """

    has_parts: ClassVar[bool]

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

    def durable(self, upload: UUID, recorded: int, parts: Sequence[Part]) -> int:
        """Give how many bytes from the start are really there, at most as many as recorded."""
        ...

    def whole(self, upload: UUID, length: int, parts: Sequence[Part]) -> AbstractContextManager[Path]:
        """Give all bytes of an upload as one local file that nobody else changes meanwhile. Raises Shortened."""
        ...

    def keep(self, path: Path, name: str) -> None:
        """Put the file at its name, durably; bytes that are already there stay as they are."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put small derived data at its name, durably and in one step."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open what lies at a name for reading. Raises FileNotFoundError."""
        ...

    def discard(self, upload: UUID, parts: Sequence[Part] | None = None) -> None:
        """Remove the bytes of an upload (of these pieces alone, when named); no error when there are none."""
        ...

    def uploads(self) -> Iterable[UUID]:
        """Give the uploads of which bytes are here."""
        ...
