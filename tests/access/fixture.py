"""The records of the access matrix, for the tests that ask about them as everyone.

They are made once for a file of tests and taken away after it; each test works in a transaction of its own and leaves
no trace. (In one transaction around the file SQLite would read its whole schema again after each request that is
undone, for the import of a list has made a table in it.)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from tests.access.records import Records, make_records
from tests.cast import Cast
from tests.emptying import committed, empty_database


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
    with changed:
        with django_db_blocker.unblock(), committed():
            records = make_records(Cast())
            for member in records.cast.everyone().values():
                member.client()
        yield records
        with django_db_blocker.unblock():
            empty_database()


@pytest.fixture
def records(_made: Records, db: None) -> Records:
    """The records, as if nobody had touched them before."""
    return _made
