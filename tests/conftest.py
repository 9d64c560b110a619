"""What every test may ask for: servers, and the rules by which tests are left out.

The database is chosen before Django loads, in `tests/settings.py`. Servers start when the first test asks for one and
end with the run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib import import_module

import hypothesis
import pytest
from django.apps import apps
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from apps.common.insert_only import InsertOnly, protecting, releasing
from tests.services import S3, Redis

pytest_plugins = [
    "tests.cast",
    "tests.deployment",
    "tests.work",
    "tests.near",
    "tests.sync.large",
    "tests.access.fixture",
    "tests.upload_stack",
    "tests.field.engine_page",
]

# All workers share the cores: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("haidang", deadline=None)
hypothesis.settings.load_profile("haidang")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _insert_only() -> list[str]:
    """Give the tables that refuse to be rewritten."""
    return [model._meta.db_table for model in apps.get_models() if issubclass(model, InsertOnly)]


def _free_the_tables() -> None:
    """Let everything be deleted, as the flush after a test with real transactions wants to."""
    with connection.cursor() as cursor:
        for table in _insert_only():
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            else:
                for statement in releasing(table, "sqlite"):
                    cursor.execute(statement)


def _has_real_transactions(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    names: tuple[str, ...] = getattr(item, "fixturenames", ())
    return bool(mark and mark.kwargs.get("transaction")) or "transactional_db" in names


@pytest.fixture(autouse=True)
def _flushable_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the flush after a test with real transactions empty the tables that refuse it otherwise."""
    if not _has_real_transactions(request.node):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    _free_the_tables()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Bring back after such a flush what only migrations write: the triggers and the first epoch."""
    yield
    if nextitem is None or not _has_real_transactions(item):
        return
    with item.config.stash[blocking_manager_key].unblock(), connection.cursor() as cursor:
        _free_the_tables()
        for table in _insert_only():
            if connection.vendor == "postgresql":
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            else:
                for statement in protecting(table, "sqlite"):
                    cursor.execute(statement)
        import_module("apps.sync.migrations.0002_first_epoch").begin(apps, None)


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what this database or this machine cannot run; under `CI=true` a missing browser is a failure."""
    if connection.vendor != "postgresql":
        _skip(items, "postgres", "asks for PostgreSQL; run with HAIDANG_TEST_DB=postgres")
    if find_chromium() is None and os.environ.get("CI") != "true":
        _skip(items, "browser", "NO CHROMIUM ON THIS MACHINE: the pages are not tested in a browser")


def _skip(items: list[pytest.Item], marker: str, reason: str) -> None:
    for item in items:
        if item.get_closest_marker(marker):
            item.add_marker(pytest.mark.skip(reason=reason))
