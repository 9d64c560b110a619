"""The records of the access matrix, for the tests that ask about them as everyone.

They are made once for a file of tests, in a transaction that ends with the file; each test works in a savepoint of it
and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from tests.access.records import Records, make_records
from tests.cast import Cast


@pytest.fixture(scope="module")
def _made(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Records]:
    """Everything the matrix speaks of, with everyone's phones and an evidence storage of its own."""
    location = {"location": str(tmp_path_factory.mktemp("evidence"))}
    place = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": location}
    changed = override_settings(
        STORAGES=settings.STORAGES | {"evidence": place, "snapshots": place},
        PUSH_PER_MINUTE=100_000,  # one phone sends hundreds of requests in some seconds
        ACCESS_TOKEN_LIFETIME=timedelta(
            days=1
        ),  # the same tokens serve the whole file, however slow the machine
    )
    with changed, django_db_blocker.unblock(), transaction.atomic():
        records = make_records(Cast())
        for member in records.cast.everyone().values():
            member.client()
        with django_db_blocker.block():  # until a test asks for the records
            yield records
        transaction.set_rollback(True)


@pytest.fixture
def records(_made: Records, db: None) -> Records:
    """The records, as if nobody had touched them before."""
    return _made
