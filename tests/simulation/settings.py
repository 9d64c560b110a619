"""Settings of a simulated server: the product's own, with a database in memory and files on the fastest disk there is.

`manage.py simulate` names this module; `HAIDANG_TEST_RUN` and, for PostgreSQL, `HAIDANG_DATABASE_URL` stand in the
environment by then (`tests/simulation/command.py`).
"""

from __future__ import annotations

import structlog

from tests.settings import *

_is_sqlite = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if _is_sqlite:
    DATABASES["default"]["NAME"] = ":memory:"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA foreign_keys=ON;",
    }
else:
    # One connection, opened anew after each crash; a pool would keep those of the dead.
    DATABASES["default"]["OPTIONS"] = {}
    DATABASES["default"]["CONN_MAX_AGE"] = None
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PUSH_PER_MINUTE = 10**9
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# The story tells what happens; the product's own log would drown it.
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
