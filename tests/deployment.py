"""Running stacks for tests that need the product as it runs: embedded defaults, or PostgreSQL with Redis and S3."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.blank import new_postgresql_database
from tests.phone import Phone
from tests.services import S3, PostgreSQL, Redis
from tests.stack import Stack

_SEEDED = pytest.StashKey[bool]()


@dataclass
class Deployment:
    """A running stack and what its seed told."""

    stack: Stack
    told: dict[str, Any]
    kind: str
    phones: list[Phone] = field(default_factory=list)

    def phone(self, tmp_path: Path, number: int = 0) -> Phone:
        """Give an enrolled phone of one of the seeded officers."""
        phone = Phone(self.stack.url, tmp_path / f"phone-{number}.sqlite3", name=f"phone {number}")
        self.phones.append(phone)
        phone.enrol(self.told["codes"][number])
        return phone

    def scalar(self, query: str) -> Any:
        """Give one value from the database itself."""
        if self.kind == "postgresql":
            with psycopg.connect(self.stack.environment["HAIDANG_DATABASE_URL"]) as connection:
                row = connection.execute(query.encode()).fetchone()
        else:
            with contextlib.closing(
                sqlite3.connect(self.stack.data / "haidang.sqlite3", timeout=20)
            ) as connection:
                row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]

    def counted(self) -> int:
        """Give the number of inspections in the figures."""
        return int(self.scalar("SELECT coalesce(sum(inspections), 0) FROM reporting_rollup"))

    def close(self) -> None:
        """Switch the phones off and end the processes."""
        for phone in self.phones:
            phone.close()
        self.stack.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for stacks, apart from the one of Django's own test database."""
    with PostgreSQL(fast=True) as server:
        yield server


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """Give, by kind, the data directory of a stack that was seeded once, and what the seed told; to be copied."""
    made: dict[str, tuple[Path, dict[str, Any]]] = {}

    def template(kind: str, database_url: str = "") -> tuple[Path, dict[str, Any]]:
        if kind not in made:
            data = tmp_path_factory.mktemp(f"seeded-{kind}")
            made[kind] = data, Stack(data, database_url=database_url).seed()
        return made[kind]

    return template


@pytest.fixture(params=["sqlite", "postgresql"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path, seeded: Any) -> Iterator[Deployment]:
    """A seeded stack with a web server: embedded defaults, or PostgreSQL, Redis and S3 as in production."""
    kind = str(request.param)
    stack, told = _embedded(tmp_path, seeded) if kind == "sqlite" else _production(request, tmp_path, seeded)
    running = Deployment(stack, told, kind)
    try:
        stack.start_web()
        yield running
    finally:
        running.close()


def _embedded(tmp_path: Path, seeded: Any) -> tuple[Stack, dict[str, Any]]:
    template, told = seeded("sqlite")
    shutil.copytree(template, tmp_path / "data")
    return Stack(tmp_path / "data"), told


def _production(request: pytest.FixtureRequest, tmp_path: Path, seeded: Any) -> tuple[Stack, dict[str, Any]]:
    server: PostgreSQL = request.getfixturevalue("postgresql_server")
    redis: Redis = request.getfixturevalue("redis_server")
    s3: S3 = request.getfixturevalue("s3_server")
    template = server.url.rsplit("/", 1)[0] + "/seeded"
    if not request.config.stash.get(_SEEDED, False):
        new_postgresql_database(server.url, "seeded")
        request.config.stash[_SEEDED] = True
    data, told = seeded("postgresql", template)
    shutil.copytree(data, tmp_path / "data")
    url = new_postgresql_database(server.url, f"stack_{uuid.uuid4().hex[:12]}", template="seeded")
    return Stack(tmp_path / "data", database_url=url, broker_url=redis.url, storage=s3.settings), told
