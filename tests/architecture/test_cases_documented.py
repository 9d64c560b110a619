"""docs/sync.md lists the 57 cases that server and phone survive, each with a link to a test that bears its number."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "sync.md"
CASES = range(1, 58)
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_LINK = re.compile(r"\]\(\.\./(tests/[^)]+)\)")
_NAME = re.compile(r"test_case_(\d\d)_")


def named_tests(path: Path) -> dict[int, list[ast.FunctionDef]]:
    """Give the tests of a file by the case in their name."""
    found: dict[int, list[ast.FunctionDef]] = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and (named := _NAME.match(node.name)):
            found.setdefault(int(named[1]), []).append(node)
    return found


def rows() -> dict[int, tuple[str, str, list[str]]]:
    """Give what the page says of each case: what happens, the expected answer, the linked files."""
    found = _ROW.findall(PAGE.read_text())
    assert len(found) == len({number for number, *_ in found}), "a case has two rows"
    return {int(n): (what.strip(), answer.strip(), _LINK.findall(links)) for n, what, answer, links in found}


@pytest.mark.parametrize("case", CASES)
def test_each_case_has_a_row_and_every_link_leads_to_its_test(case: int) -> None:
    what, answer, links = rows()[case]
    assert what
    assert answer
    assert links, "no test is linked"
    for link in links:
        path = ROOT / link
        assert path.is_file(), f"{link} is not there"
        assert named_tests(path).get(case), f"no test of {link} is named test_case_{case:02}_…"


def test_each_test_of_a_case_says_what_is_expected() -> None:
    """In its own docstring, or in that of a file that holds one case."""
    silent = [
        f"{path.name}::{test.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        if "Expected: " not in (ast.get_docstring(ast.parse(path.read_text())) or "")
        for tests in named_tests(path).values()
        for test in tests
        if not ast.get_docstring(test)
    ]
    assert silent == []
