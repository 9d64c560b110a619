"""The product's settings for tests: a data directory per process, quick passwords, and a choice of database.

`HAIDANG_TEST_DB` is `sqlite` (the default) or `postgres`.

Loading this module in the first process of a test run starts the one PostgreSQL server of the run; xdist's workers
inherit its address. Everything else a test needs starts where it is needed (`tests/conftest.py`).
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile

from backend.bootstrap import keep_bytecode

_worker = os.environ.get("PYTEST_XDIST_WORKER", "")


def _prepare_environment() -> None:
    """Set `HAIDANG_*` so that nothing of the developer's own environment or data is touched."""
    first = "HAIDANG_TEST_RUN" not in os.environ
    if first:
        for name in [name for name in os.environ if name.startswith("HAIDANG_")]:
            if name not in {"HAIDANG_TEST_DB", "HAIDANG_TEST_BLANK"}:
                del os.environ[name]
        os.environ["HAIDANG_TEST_RUN"] = _new_run()
        if os.environ.get("HAIDANG_TEST_DB", "sqlite") == "postgres":
            _start_postgresql()
    os.environ |= {
        "HAIDANG_DATA_DIR": f"{os.environ['HAIDANG_TEST_RUN']}/{_worker or 'main'}",
        "HAIDANG_SECRET_KEY": "only-for-tests-" + "0" * 40,
        "HAIDANG_ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
        "HAIDANG_HTTPS": "0",
        "HAIDANG_LOG_LEVEL": "WARNING",
    }


def _new_run() -> str:
    if "pytest" not in sys.modules:  # the type checker reads the settings too; it writes nothing
        return f"{tempfile.gettempdir()}/haidang-tools"
    keep_bytecode()
    run = tempfile.mkdtemp(prefix="haidang-tests-")
    atexit.register(shutil.rmtree, run, ignore_errors=True)
    return run


def _start_postgresql() -> None:
    from tests.services import PostgreSQL

    server = PostgreSQL(fast=True).start()
    atexit.register(server.stop)
    os.environ["HAIDANG_DATABASE_URL"] = server.url


_prepare_environment()

from backend.settings import *

FIELD_APP_DIR = BASE_DIR / "tests" / "field" / "bundle"  # a small app that needs no building
if "pytest" in sys.modules:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: threads and processes of a test then meet the same locks as in production.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
# Each test client makes the whole stack of middleware: it must not list and stat every static file each time.
WHITENOISE_AUTOREFRESH = True
