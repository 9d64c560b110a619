"""The build of the phone app: what counts as the first screen, what is kept, and when it has to be built again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from backend import phone_app


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built app of three scripts, one of which is loaded later."""
    (tmp_path / ".vite").mkdir()
    (tmp_path / "assets").mkdir()
    sizes = {"assets/index-a.js": 4000, "assets/shared-b.js": 3000, "assets/later-c.js": 9000}
    for number, (name, size) in enumerate(sizes.items()):
        (tmp_path / name).write_bytes(bytes((i * 7 + number * i // 3) % 251 for i in range(size)))
    (tmp_path / "index.html").write_text("<!doctype html>")
    manifest = {
        "index.html": {
            "file": "assets/index-a.js",
            "isEntry": True,
            "imports": ["_b"],
            "dynamicImports": ["c"],
        },
        "_b": {"file": "assets/shared-b.js", "imports": ["index.html"]},
        "c": {"file": "assets/later-c.js", "isDynamicEntry": True},
    }
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / ".vite" / "precache.json").write_text(json.dumps([*sizes, "index.html"]))
    return tmp_path


def test_the_first_screen_is_the_entry_and_what_it_imports_at_once(built: Path) -> None:
    sizes = phone_app.first_screen(built)
    assert set(sizes) == {"assets/index-a.js", "assets/shared-b.js"}
    assert sizes["assets/index-a.js"] == len(gzip.compress((built / "assets/index-a.js").read_bytes(), 9))


def test_everything_kept_counts_as_it_lies_there(built: Path) -> None:
    assert sum(phone_app.precache(built).values()) == 4000 + 3000 + 9000 + len("<!doctype html>")


@pytest.mark.parametrize(("first", "kept", "code"), [(10**6, 10**6, 0), (10, 10**6, 1), (10**6, 10, 1)])
def test_an_app_that_has_grown_too_large_fails(
    built: Path, monkeypatch: pytest.MonkeyPatch, first: int, kept: int, code: int
) -> None:
    monkeypatch.setattr(phone_app, "BUILT", built)
    monkeypatch.setattr(phone_app, "FIRST_SCREEN_BYTES", first)
    monkeypatch.setattr(phone_app, "PRECACHE_BYTES", kept)
    assert phone_app.check_budget() == code


def test_a_changed_source_is_built_again_and_a_changed_test_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_app, "CLIENT", tmp_path)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "a.ts").write_text("1")
    before = phone_app._identity()
    (tmp_path / "a.test.ts").write_text("1")
    (tmp_path / "node_modules" / "b.js").write_text("1")
    assert phone_app._identity() == before
    (tmp_path / "a.ts").write_text("2")
    assert phone_app._identity() != before


@pytest.mark.parametrize(
    ("version", "fit"),
    [("v18.20.0", False), ("v20.18.9", False), ("v20.19.0", True), ("v21.7.0", False), ("v22.11.0", False),
     ("v22.12.0", True), ("v24.1.0", True), ("nonsense", False)],
)  # fmt: skip
def test_node_must_be_new_enough(tmp_path: Path, version: str, fit: bool) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    assert phone_app._is_fit(str(node)) is fit
