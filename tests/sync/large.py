"""Large streams in small: a reference list of some hundred rows for which snapshots are built all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.common.actor import SYSTEM
from apps.reference.actions import Imported, import_list
from apps.sync import snapshots
from apps.sync.snapshots import rules

STREAM = "list:ports"
ROWS = 600


class Ports:
    """A list of ports: keys with a label each."""

    def __init__(self, count: int = ROWS) -> None:
        self.rows = {f"P{number:05}": "one" for number in range(count)}

    def load(self) -> Imported:
        """Import the list as it stands here."""
        return import_list(actor=SYSTEM, slug="ports", lines=self.lines(), names=("Cảng", "Ports"))

    def lines(self) -> Iterator[bytes]:
        """Give the file."""
        yield b"key,label_vi,label_en\n"
        for key, label in self.rows.items():
            yield f"{key},Cảng {label},Port {label}\n".encode()

    def change(self, keys: Iterable[str], label: str) -> None:
        """Give these ports another label."""
        self.rows |= dict.fromkeys(keys, label)

    def labels(self) -> dict[str, str]:
        """Give what a phone should hold: labels by key."""
        return {key: f"Port {label}" for key, label in self.rows.items()}


def labels_of(phone: Any) -> dict[str, str]:
    """Give what a phone does hold: labels by key."""
    return {body["key"]: body["label"]["en"] for body in phone.rows("reference_entry").values()}


def build() -> None:
    """Build the list's snapshot."""
    assert snapshots.build_snapshot(STREAM)


def fetched(phone: Any) -> list[str]:
    """Give the parts a phone has asked for so far, from its wire."""
    asked = [line.partition("/parts?names=")[2] for line in phone.wire.faults.log]
    return [name for names in asked if names for name in names.split(",")]


def kept(phone: Any) -> set[str]:
    """Give the parts of loads under way that are on the phone."""
    return {name for (name,) in phone.store.execute("SELECT sha256 FROM snapshot_part")}


@pytest.fixture
def ports(db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Ports:
    """A list that counts as large, imported, with a storage for its parts."""
    place = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(tmp_path / "parts")},
    }
    settings.STORAGES = settings.STORAGES | {"snapshots": place}
    monkeypatch.setattr(rules, "THRESHOLD", 100)
    monkeypatch.setattr(rules, "TOO_SMALL", 50)
    made = Ports()
    made.load()
    return made
