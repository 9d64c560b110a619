"""The tree of the ledger against public vectors of RFC 6962, and against the definition in its plainest words."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.audit.rules import trees

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "rfc6962"


def load(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())
    return cases


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("case", load("inclusion"), ids=lambda case: case["name"])
def test_inclusion_proofs_are_judged_as_elsewhere(case: dict[str, Any]) -> None:
    path = [raw(step) for step in case["proof"] or []]
    fits = trees.is_included(
        raw(case["leafHash"]), case["leafIdx"], case["treeSize"], path, raw(case["root"])
    )
    assert fits is not case["wantErr"]


@pytest.mark.parametrize("case", load("consistency"), ids=lambda case: case["name"])
def test_consistency_proofs_are_judged_as_elsewhere(case: dict[str, Any]) -> None:
    path = [raw(step) for step in case["proof"] or []]
    fits = trees.is_consistent(case["size1"], case["size2"], raw(case["root1"]), raw(case["root2"]), path)
    assert fits is not case["wantErr"]


def leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(b"\0" + str(i).encode()).digest() for i in range(count)]


def defined(row: Sequence[bytes]) -> bytes:
    """Say it as section 2.1.1 of the RFC does."""
    if not row:
        return hashlib.sha256(b"").digest()
    if len(row) == 1:
        return row[0]
    k = 1
    while k * 2 < len(row):
        k *= 2
    return hashlib.sha256(b"\1" + defined(row[:k]) + defined(row[k:])).digest()


class Shelf:
    """Hashes of a tree as the tables hold them: leaves and complete tiles, and nothing else."""

    def __init__(self, row: Sequence[bytes]) -> None:
        self.hashes = {(0, i): leaf for i, leaf in enumerate(row)}
        self.growing = trees.Growing(self._tell)
        self.roots = [self.growing.root()]
        for leaf in row:
            self.growing.add(leaf)
            self.roots.append(self.growing.root())

    def _tell(self, level: int, index: int, found: bytes) -> None:
        self.hashes[level, index] = found

    def read(self, level: int, start: int, count: int) -> list[bytes]:
        return [self.hashes[level, i] for i in range(start, start + count)]


ROW = leaves(70_000)
SHELF = Shelf(ROW)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 255, 256, 257, 512, 513, 65_535, 65_536, 65_537, 70_000])
def test_roots_are_those_of_the_definition(size: int) -> None:
    assert SHELF.roots[size] == defined(ROW[:size]) == trees.root_of(SHELF.read, size)


@pytest.mark.parametrize("size", [1, 255, 256, 300, 65_536, 69_999])
def test_a_tree_goes_on_from_where_another_stood(size: int) -> None:
    growing = trees.Growing(lambda level, index, found: None)
    growing.start(SHELF.read, size)
    assert growing.root() == SHELF.roots[size]
    growing.add(ROW[size])
    assert growing.root() == SHELF.roots[size + 1]


def test_there_is_a_tile_for_each_256_and_no_other() -> None:
    tiles = {key for key in SHELF.hashes if key[0]}
    assert tiles == {(1, i) for i in range(70_000 // 256)} | {(2, 0)}
    assert SHELF.hashes[2, 0] == defined(ROW[:65_536])


@given(st.integers(1, 70_000), st.data())
def test_proofs_made_are_proofs_that_fit(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = trees.inclusion_proof(SHELF.read, index, size)
    root = SHELF.roots[size]
    assert trees.is_included(ROW[index], index, size, path, root)
    assert not trees.is_included(ROW[index - 1], index, size, path, root) or size == 1
    old = data.draw(st.integers(1, size))
    path = trees.consistency_proof(SHELF.read, old, size)
    assert trees.is_consistent(old, size, SHELF.roots[old], root, path)
    assert old == size or not trees.is_consistent(old, size, SHELF.roots[old - 1], root, path)
