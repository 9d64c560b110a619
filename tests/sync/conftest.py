"""Stacks for tests that need the product as it runs: on SQLite with files, and on PostgreSQL with Redis and S3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.phone import Phone
from tests.services import S3, PostgreSQL, Redis
from tests.stack import Stack, new_postgresql_database


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


@pytest.fixture(params=["sqlite", "postgresql"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """A seeded stack with a web server and a worker: embedded defaults, or production's services."""
    kind = str(request.param)
    if kind == "sqlite":
        stack = Stack(tmp_path / "data")
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql_server")
        redis: Redis = request.getfixturevalue("redis_server")
        s3: S3 = request.getfixturevalue("s3_server")
        url = new_postgresql_database(server.url, f"stack_{abs(hash(tmp_path)) % 10**9}")
        stack = Stack(tmp_path / "data", database_url=url, broker_url=redis.url, storage=s3.settings)
    running = Deployment(stack, stack.seed(), kind)
    try:
        stack.start_web()
        yield running
    finally:
        running.close()
