"""The empty database, migrated once and copied wherever tests begin with nothing: a file, or the text of PostgreSQL.

`migrate` renders the states of every model after every step, which takes longer than most tests; so one process does it
and the others wait for what it made. What is kept says in its name which code and packages it was made with, all that
a migration could call, so that none is used with others. `verify` keeps its own: each run migrates both kinds of
database once in truth.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection

from tests.services import postgresql_program

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("apps/**/*.py", "backend/*.py", "requirements*.txt", "tests/blank.py", "tests/services.py")
# Older ones are left when the code changes; these few are enough to go back and forth between two branches.
KEPT = 6


def lay_sqlite(target: Path) -> None:
    """Put an empty database where there is none."""
    made = _kept("sqlite3", _migrated_file)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made, target)


def lay_postgresql(url: str) -> None:
    """Fill a database that has just been created."""
    server = url.rsplit("/", 1)[0] + "/postgres"
    text = _kept("sql", lambda place: _migrated_text(place, server)).read_bytes()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text)


def lay(data: Path, database_url: str = "") -> None:
    """Give a deployment its empty database."""
    if database_url:
        lay_postgresql(database_url)
    else:
        lay_sqlite(data / "haidang.sqlite3")


@contextlib.contextmanager
def of_the_tests() -> Iterator[None]:
    """Let Django work on an empty database of this process, in the place of the one its settings name."""
    creation, usual = connection.creation, str(connection.settings_dict["NAME"])
    connection.close()
    name = creation._get_test_db_name()  # type: ignore[attr-defined]  # the stubs leave it out
    if connection.vendor == "sqlite":
        lay_sqlite(Path(name))
    else:
        lay_postgresql(new_postgresql_database(os.environ["HAIDANG_DATABASE_URL"], name))
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
    yield
    creation.destroy_test_db(usual, verbosity=0)


def lay_connected() -> None:
    """Fill the empty database that Django is connected to; the epoch begins by this process's clock."""
    if connection.vendor == "sqlite":
        made = _kept("sqlite3", _migrated_file)
        with contextlib.closing(sqlite3.connect(made)) as source:
            source.backup(connection.connection)
    else:
        lay_postgresql(os.environ["HAIDANG_DATABASE_URL"])
    epochs = apps.get_model("sync", "Epoch").objects
    epochs.all().delete()
    import_module("apps.sync.migrations.0002_first_epoch").begin(apps, None)


def new_postgresql_database(server_url: str, name: str, *, template: str = "template1") -> str:
    """Create a database beside the one the URL names, empty or as a copy of another; gives its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return server_url.rsplit("/", 1)[0] + "/" + name


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time through, whichever asked first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(root: Path = ROOT) -> str:
    """Name the code and the packages, by what every file of theirs is called and holds."""
    said = hashlib.sha256(sys.version.encode())
    for path in sorted(path for pattern in SOURCES for path in root.glob(pattern)):
        content = path.read_bytes()
        said.update(f"{path.relative_to(root)} {len(content)}\n".encode() + content)
    return said.hexdigest()[:24]


@cache
def _place() -> Path:
    """Give the directory of those kept for this code: a run's own, or one that later runs find again."""
    around = os.environ.get("HAIDANG_TEST_BLANK") or str(ROOT / ".venv" / "blank")
    return Path(around) / digest()


def _kept(kind: str, make: Callable[[Path], None]) -> Path:
    """Give the one of a kind; made if it is missing, while others wait."""
    place = _place()
    made = place / f"blank.{kind}"
    if made.exists():
        return made
    with locked(place / f"{kind}.lock"):
        if not made.exists():
            unfinished = place / f"unfinished.{kind}"
            make(unfinished)
            unfinished.rename(made)
            _let_old_go(place)
    return made


def _let_old_go(place: Path) -> None:
    others = sorted(place.parent.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in others[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _migrated_file(place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="haidang-blank-") as data:
        _migrate(data)
        made = Path(data) / "haidang.sqlite3"
        with contextlib.closing(sqlite3.connect(made)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(made, place)


def _migrated_text(place: Path, server: str) -> None:
    name = f"blank_{uuid4().hex}"
    url = new_postgresql_database(server, name)
    dump = [postgresql_program("pg_dump"), "--no-owner", "--inserts", "--rows-per-insert=200", url]
    with tempfile.TemporaryDirectory(prefix="haidang-blank-") as data:
        _migrate(data, url)
    said = subprocess.run(dump, check=True, stdout=subprocess.PIPE).stdout
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}"')
    # Lines that begin so are for `psql` alone.
    place.write_bytes(b"".join(line for line in said.splitlines(keepends=True) if line[:1] != b"\\"))


def _migrate(data: str, database_url: str = "") -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HAIDANG_", "DJANGO_", "PYTEST_"))}
    wanted = {
        "DJANGO_SETTINGS_MODULE": "backend.settings",
        "HAIDANG_DEBUG": "1",
        "HAIDANG_LOG_LEVEL": "ERROR",
        "HAIDANG_DATA_DIR": data,
        **({"HAIDANG_DATABASE_URL": database_url} if database_url else {}),
    }
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=kept | wanted, check=True)
