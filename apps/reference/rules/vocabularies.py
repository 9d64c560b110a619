"""The closed vocabularies of the service: codes that are stored, with the words that are shown.

One file, `lists/vocabularies.csv`, feeds phones (as a reference list), the checks of what phones send, and the pages.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

LISTS = Path(__file__).parents[1] / "lists"
SLUG = "vocabularies"


@lru_cache(maxsize=1)
def vocabularies() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Give all vocabularies: name → code → (Vietnamese, English), in the order in which codes are offered."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with (LISTS / f"{SLUG}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["vocabulary"], {})[row["code"]] = (row["label_vi"], row["label_en"])
    return found


def codes(name: str) -> frozenset[str]:
    """Give the codes of a vocabulary."""
    return frozenset(vocabularies()[name])


def words(name: str, code: str) -> tuple[str, str]:
    """Give what a code is called in both languages; a code of a newer vocabulary is shown as it is."""
    return vocabularies()[name].get(code, (code, code))
