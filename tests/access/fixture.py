"""The records of the access matrix, for the tests that ask about them as everyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.access.records import Records, make_records
from tests.cast import Cast


@pytest.fixture
def records(cast: Cast, tmp_path: Path, settings: Any) -> Records:
    """Everything the matrix speaks of, with an evidence storage of its own."""
    place = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"evidence": place, "snapshots": place}
    settings.PUSH_PER_MINUTE = 100_000  # one phone sends hundreds of requests in some seconds
    return make_records(cast)
