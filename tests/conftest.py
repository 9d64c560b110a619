"""What every test may ask for: servers, and the rules by which tests are left out.

The database is chosen before Django loads, in `tests/settings.py`. Servers start when the first test asks for one and
end with the run.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.db import connection
from django.test import SimpleTestCase

from tests import blank, emptying
from tests.services import S3, Redis

pytest_plugins = [
    "tests.cast",
    "tests.deployment",
    "tests.work",
    "tests.seizing",
    "tests.holding",
    "tests.near",
    "tests.sync.large",
    "tests.access.fixture",
    "tests.upload_stack",
    "tests.court",
]

# All workers share the cores: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("haidang", deadline=None)
hypothesis.settings.load_profile("haidang")
emptying.install()
# What Django and thousands of tests make stays to the end: looking through it again and again finds nothing to free.
gc.set_threshold(50_000, 20, 50)

DATABASE = frozenset({"db", "transactional_db", "django_db_setup"})
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """The database of this process, in the place of the one that pytest-django would migrate."""
    with django_db_blocker.unblock(), blank.of_the_tests():
        with django_db_blocker.block():
            yield


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A Redis server of this process; a test that crashes it starts it again."""
    with Redis() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    """An S3 server of this process with one bucket."""
    with S3() as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium that drives the pages."""
    path = find_chromium()
    assert path is not None, "a browser test runs only where Chromium is"
    return path


def find_chromium() -> str | None:
    """Find a Chromium on this machine."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what this database or this machine cannot run; under `CI=true` a missing browser is a failure.

    Also marks what cannot touch the database, because it has not asked pytest-django for it.
    """
    for item in items:
        if not _asks_for_database(item):
            item.add_marker("no_database")
    if connection.vendor != "postgresql":
        _skip(items, "postgres", "asks for PostgreSQL; run with HAIDANG_TEST_DB=postgres")
    if find_chromium() is None and os.environ.get("CI") != "true":
        _skip(items, "browser", "NO CHROMIUM ON THIS MACHINE: the pages are not tested in a browser")


def pytest_collection_finish() -> None:
    """Keep what stays to the end of the run out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()


def _asks_for_database(item: pytest.Item) -> bool:
    names: tuple[str, ...] = getattr(item, "fixturenames", ())
    is_case = (
        isinstance(item, pytest.Function) and item.cls is not None and issubclass(item.cls, SimpleTestCase)
    )
    return is_case or item.get_closest_marker("django_db") is not None or not DATABASE.isdisjoint(names)


def _skip(items: list[pytest.Item], marker: str, reason: str) -> None:
    for item in items:
        if item.get_closest_marker(marker):
            item.add_marker(pytest.mark.skip(reason=reason))
