"""The house style that no linter knows: sizes, opening paragraphs, where Celery may appear, paths of one machine."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import PRODUCT, ROOT, functions, modules, name, tree

LONGEST_FILE = 600
LONGEST_FUNCTION = 50
# `file: function` → why it may be longer.
EXCUSED: dict[str, str] = {}
_NO_CODE = frozenset(
    (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
)
# Absolute paths of some machine, which a checkout elsewhere cannot have.
_PLACES = re.compile(r"(?<![\w.~-])/(?:work|farm|home|root|Users|shared)/|\.\./shared\b")


@pytest.mark.parametrize("path", modules(*PRODUCT, "tests"), ids=name)
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    assert (ast.get_docstring(tree(path)) or "").strip(), "a module opens with a paragraph"


def test_files_are_short() -> None:
    long = {
        name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*PRODUCT, "tests")
    }
    assert not {path: lines for path, lines in long.items() if lines > LONGEST_FILE}


def test_functions_are_short() -> None:
    """Counted are the lines that hold code, below the docstring."""
    long = {
        f"{name(path)}: {function.name}": _length(path, function)
        for path in modules()
        for function in functions(tree(path))
    }
    assert {place for place, lines in long.items() if lines > LONGEST_FUNCTION} == set(EXCUSED)


def _length(path: Path, function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return len(_code_lines(path).intersection(range(body[0].lineno, (function.end_lineno or 0) + 1)))


@cache
def _code_lines(path: Path) -> frozenset[int]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return frozenset(
        line
        for token in tokens
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    )


def test_celery_appears_in_tasks_and_backend_alone() -> None:
    """import-linter says so too; this also sees an import inside a function or by name."""
    found = [
        name(path)
        for path in modules("apps", "mobile_api")
        if path.stem != "tasks" and path.parent.name != "tasks" and _imports(path) & {"celery", "kombu"}
    ]
    assert not found


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found |= {str(a.value).partition(".")[0] for a in node.args if isinstance(a, ast.Constant)}
    return found


def test_no_file_names_a_place_of_one_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    found = []
    for path in filter(None, listed.decode().split("\0")):
        file = ROOT / path
        if file.is_file() and file != Path(__file__).resolve():
            text = file.read_bytes().decode("utf-8", "replace")
            found += [f"{path}: {match.group()}" for match in _PLACES.finditer(text)]
    assert not found
