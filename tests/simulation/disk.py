"""A disk that forgets at a power cut whatever was not synced: bytes of files, and names in directories."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path


class Disk:
    """Remembers what has been made durable below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._bytes: dict[int, bytes] = {}
        self._names: dict[str, dict[str, int]] = {}
        self._is_used = False

    def clear(self) -> None:
        """Begin with an empty disk."""
        if self._is_used or not self.root.exists():
            shutil.rmtree(self.root, ignore_errors=True)
            self.root.mkdir(parents=True)
        self._bytes, self._names, self._is_used = {}, {str(self.root): {}}, False

    def synced(self, fd: int) -> None:
        """Note what `fsync` on an open file or directory has made durable."""
        path = str(Path(f"/proc/self/fd/{fd}").readlink())
        if not path.startswith(str(self.root)):
            return
        self._is_used = True
        about = os.fstat(fd)
        if stat.S_ISDIR(about.st_mode):
            with os.scandir(path) as entries:
                self._names[path] = {entry.name: entry.inode() for entry in entries}
        else:
            self._bytes[about.st_ino] = os.pread(fd, about.st_size, 0)

    def lose_power(self) -> None:
        """Put the disk back to what was durable."""
        if not self._is_used:
            return
        kept: dict[str, bytes] = {}
        self._collect(str(self.root), kept)
        folders = [path for path in self._names if Path(path).exists()]
        shutil.rmtree(self.root)
        self.root.mkdir()
        for folder in sorted(folders):
            Path(folder).mkdir(parents=True, exist_ok=True)
        for path, content in kept.items():
            Path(path).write_bytes(content)
        self._bytes = {}
        self._names = {}
        for folder, _, files in os.walk(self.root):
            with os.scandir(folder) as entries:
                self._names[folder] = {entry.name: entry.inode() for entry in entries}
            for name in files:
                place = Path(folder) / name
                self._bytes[place.stat().st_ino] = place.read_bytes()

    def _collect(self, folder: str, kept: dict[str, bytes]) -> None:
        for name, inode in self._names.get(folder, {}).items():
            path = f"{folder}/{name}"
            if path in self._names:
                self._collect(path, kept)
            elif not Path(path).is_dir():
                kept[path] = self._bytes.get(inode, b"")
