"""The project's own source, parsed: what the tests of this directory look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("backend", "apps", "mobile_api")
DELIVERY = ("mobile_api", "apps/console", "apps/field")


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(*places: str) -> list[Path]:
    """Give the modules below some places, without generated migrations."""
    found = (path for place in places or PRODUCT for path in sorted((ROOT / place).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


def name(path: Path) -> str:
    """Give a path as it is written in the project."""
    return str(path.relative_to(ROOT))


def parents(module: ast.Module) -> dict[ast.AST, ast.AST]:
    """Give the node above each node."""
    return {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function and method."""
    return (n for n in ast.walk(module) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


def calls(module: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Give every call with the last part of the called name."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute):
                yield called.attr, node
            elif isinstance(called, ast.Name):
                yield called.id, node
