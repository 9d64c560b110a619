"""The parent's side of image work: a child process that gets bytes and gives back a thumbnail and claims.

The child (`child.py`) holds no database, no files, no network and little memory; what a hostile photo may do there
ends with it.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHILD = Path(__file__).with_name("child.py")
SECONDS_PER_PHOTO = 20.0
PHOTOS_PER_CHILD = 200


@dataclass(frozen=True)
class Look:
    """What the child saw: claims from EXIF and a thumbnail, or why there is none."""

    thumbnail: bytes = b""
    claims: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class Imager:
    """One child process for a batch of photos, replaced when it dies or has seen many; use as a context manager."""

    def __init__(self, *, seconds: float = SECONDS_PER_PHOTO) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def look(self, photo: bytes) -> Look:
        """Have one photo looked at; never raises for what the photo does to the child."""
        if self._seen >= PHOTOS_PER_CHILD:
            self._end()
        child = self._child = self._child or _start()
        self._seen += 1
        alarm = threading.Timer(self._seconds, child.kill)
        alarm.start()
        try:
            return _ask(child, photo)
        except (OSError, EOFError, ValueError, struct.error):
            self._end()
            return Look(error="the imaging process was ended")
        finally:
            alarm.cancel()

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child, self._seen = None, 0


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  our own file, our own interpreter
        [sys.executable, "-I", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
        cwd="/",
    )


def _ask(child: subprocess.Popen[bytes], photo: bytes) -> Look:
    assert child.stdin is not None  # noqa: S101  it was asked for as a pipe
    child.stdin.write(struct.pack(">I", len(photo)))
    child.stdin.write(photo)
    child.stdin.flush()
    told, thumbnail = struct.unpack(">II", _read(child, 8))
    claims = json.loads(_read(child, told))
    return Look(_read(child, thumbnail), claims["claims"], claims["error"])


def _read(child: subprocess.Popen[bytes], size: int) -> bytes:
    assert child.stdout is not None  # noqa: S101  it was asked for as a pipe
    data = child.stdout.read(size) if size else b""
    if len(data) != size:
        raise EOFError
    return data
