"""Where the deployment says its database is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from backend.env import Environment


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the test run itself says about its database."""
    for name in [name for name in os.environ if name.startswith("HAIDANG_")]:
        monkeypatch.delenv(name)


def database(**said: Any) -> dict[str, Any]:
    return dict(Environment(debug=True, **said).database())


@pytest.mark.parametrize("name", ["var", "./var", "dữ liệu", "a#b", "a?b", "a%20b"])
def test_a_data_directory_of_any_name_holds_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert database(data_dir=name)["NAME"] == str((tmp_path / name).resolve() / "haidang.sqlite3")


def test_databases_are_named_by_address() -> None:
    assert database(database_url="sqlite:////srv/a%20b.sqlite3")["NAME"] == "/srv/a b.sqlite3"
    there = database(database_url="postgresql://me:p%40ss@db:5433/haidang")
    assert [there[k] for k in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "haidang",
        "me",
        "p@ss",
        "db",
        "5433",
    ]


def test_secrets_do_not_show_in_what_is_printed() -> None:
    shown = repr(
        Environment(debug=True, secret_key="s3cr3t", s3_secret_key="s3cr3t", oidc_client_secret="s3cr3t")
    )
    assert "s3cr3t" not in shown
