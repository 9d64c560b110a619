"""Each code that `verify_evidence` can give is explained in docs/evidence.md, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from apps.audit.rules.findings import CODES, Finding

PAGE = Path(__file__).resolve().parents[2] / "docs" / "evidence.md"


def test_the_page_has_every_code() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Checking")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([a-z-]+)`", " ".join(rows))) == sorted(CODES)


def test_a_code_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Finding("nonsense", "here")
