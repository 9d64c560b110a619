"""Every setting stands in docs/operations.md with its default, is read by the product, and nothing else is."""

from __future__ import annotations

import ast
import re

from apps.accounts.models import Officer, Role
from apps.accounts.queries import actor_for
from backend.env import Environment
from tests.architecture.source import ROOT, modules, name, tree

PAGE = ROOT / "docs" / "operations.md"
_ROW = re.compile(r"^\| `HAIDANG_([A-Z0-9_]+)` \| (.+?) \| .+ \|$", re.MULTILINE)
# Whose default the page says in words.
IN_WORDS = {"data_dir"}


def test_the_page_has_a_row_for_every_setting_and_for_nothing_else() -> None:
    rows = [row.group(1).lower() for row in _ROW.finditer(PAGE.read_text(encoding="utf-8"))]
    assert sorted(rows) == sorted(Environment.model_fields)


def test_the_page_gives_the_true_defaults() -> None:
    shown = {row.group(1).lower(): row.group(2) for row in _ROW.finditer(PAGE.read_text(encoding="utf-8"))}
    for setting, field in Environment.model_fields.items():
        default = field.default
        plain = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        words = {True: "`1`", False: "`0`", "": "–", None: "–"}.get(plain, f"`{plain}`")
        assert setting in IN_WORDS or shown[setting] == words, f"HAIDANG_{setting.upper()}: {words}"


def test_every_setting_is_read() -> None:
    read = {
        node.attr
        for path in modules("backend")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
    }
    assert not set(Environment.model_fields) - read


def test_the_first_start_on_the_page_makes_an_administrator(db: None) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(program, str(PAGE), "exec"), {})
    person = Officer.objects.get()
    assert actor_for(person).roles == {Role.ADMINISTRATOR}
    assert person.check_password("a long password for the first day")


def test_nothing_else_reads_the_environment() -> None:
    """Programs that start before Django speak to processes and may; entrances name Django's settings."""
    may = {"backend/env.py", "backend/bootstrap.py", "backend/demo.py", "backend/verify.py"}
    found = [
        f"{name(path)}: {line.strip()}"
        for path in modules()
        if name(path) not in may
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(environ|getenv)\b", line) and 'setdefault("DJANGO_SETTINGS_MODULE"' not in line
    ]
    assert not found
