"""The empty database that tests begin with: complete, made once however many ask, and never one of other code."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import blank


@pytest.mark.django_db
def test_nothing_is_left_to_migrate() -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    assert executor.loader.applied_migrations.keys() == executor.loader.graph.nodes.keys()


@pytest.mark.parametrize(
    "changed", ["apps/audit/migrations/0001_initial.py", "apps/common/insert_only.py", "backend/settings.py"]
)
def test_other_code_has_another_name(tmp_path: Path, changed: str) -> None:
    path = tmp_path / changed
    path.parent.mkdir(parents=True)
    names = []
    for content in ("a = 1\n", "a = 2\n", "a = 1\n"):
        path.write_text(content)
        names.append(blank.digest(tmp_path))
    path.unlink()
    assert names[0] == names[2]
    assert len({*names, blank.digest(tmp_path)}) == 3


def test_it_is_made_once_and_a_failure_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blank, "_place", lambda: tmp_path / "made" / "of-this-code")
    together, made = threading.Barrier(4), []

    def make(place: Path) -> None:
        made.append(place)
        place.write_text("half")
        if len(made) == 1:
            raise OSError("the first one's disk is full")
        place.write_text("whole")

    def ask(_: int) -> str:
        together.wait()
        try:
            return blank._kept("kind", make).read_text()
        except OSError:
            return "failed"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(ask, range(4)))
    assert (answers, len(made)) == (["failed", "whole", "whole", "whole"], 2)
