"""docs/errors.md lists every code that the product can answer with, and nothing else."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import apps
import mobile_api
from apps.common.errors import DomainError
from mobile_api.problems import status_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (\d{3}|verdict) \| (.+) \| (.+) \|$", re.MULTILINE)
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def all_errors() -> list[type[DomainError]]:
    """Load every `errors` module of the product and give its error classes."""
    for package in (apps, mobile_api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "errors" in module.name.split("."):
                importlib.import_module(module.name)
    ours: list[type[DomainError]] = [DomainError, *_descendants(DomainError)]
    return [error for error in ours if error.__module__.startswith(("apps.", "mobile_api."))]


def _descendants(error: type[DomainError]) -> Iterator[type[DomainError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall(PAGE.read_text(encoding="utf-8"))


def test_every_code_has_its_row_and_every_row_its_code() -> None:
    documented = {code for code, *_ in rows()}
    used = {error.code for error in all_errors()}
    assert used - documented == set(), "codes without a row in docs/errors.md"
    assert documented - used == set(), "rows of docs/errors.md without a code"


def test_no_code_stands_twice() -> None:
    assert [code for code, times in Counter(code for code, *_ in rows()).items() if times > 1] == []


def test_rows_tell_the_status() -> None:
    statuses: dict[str, set[str]] = {}
    for error in all_errors():
        statuses.setdefault(error.code, set()).add(str(status_of(error)))
    wrong = [
        (code, status) for code, status, *_ in rows() if status != "verdict" and status not in statuses[code]
    ]
    assert wrong == []


def test_every_error_has_a_code_and_a_title_in_both_languages() -> None:
    for error in all_errors():
        vi, en = error.titles()
        assert KEBAB.fullmatch(error.code), error
        assert "code" in vars(error), f"{error} borrows the code of its kind"
        assert "vi" in vars(error), f"{error} borrows the Vietnamese title of its kind"
        assert error.__doc__, error
        assert vi.endswith("."), error
        assert en.endswith("."), error
