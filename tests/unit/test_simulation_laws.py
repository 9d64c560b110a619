"""The simulator's law on overwriting notices what it is for, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.laws import _overwrites_nothing_unseen
from tests.simulation.world import Made

REPORT = "019cac0f-268a-7000-8000-000000000046"


def edit(phone: str, rev: int, base: int, word: int, *, seen: int | None = None) -> dict[str, Any]:
    """Give an applied edit of the remarks, made on `base` in sight of `seen`."""
    fields = {"remarks": f"word-{word}"}
    made = Made("inspection.save", REPORT, fields, base if seen is None else seen)
    told = {"type": "inspection.save", "fields": fields, "base_rev": base, "rev": rev}
    return {**told, "device": phone, "made": made}


CREATED = edit("one", 1, 1, 1)
SOUND = {
    "a chain of one phone": [CREATED, edit("one", 2, 1, 2), edit("one", 3, 1, 3)],
    "made in sight": [CREATED, edit("one", 2, 1, 2), edit("other", 3, 2, 3)],
    "the record has left the phone that saw it": [
        *(CREATED, edit("one", 3, 1, 2), edit("other", 4, 3, 3)),
        edit("other", 5, 3, 4, seen=0),
    ],
}
BROKEN = {
    "made on an older revision": [CREATED, edit("one", 2, 1, 2), edit("other", 3, 1, 3)],
    "names what nobody saw": [CREATED, edit("one", 2, 1, 2), edit("other", 3, 2, 3, seen=1)],
    "the record left before it was seen": [CREATED, edit("one", 3, 1, 2), edit("other", 4, 3, 3, seen=0)],
    "older words over newer ones of the same phone": [CREATED, edit("one", 2, 1, 5), edit("one", 3, 1, 4)],
}


@pytest.mark.parametrize("name", SOUND)
def test_what_was_seen_may_be_replaced(name: str) -> None:
    _overwrites_nothing_unseen(REPORT, SOUND[name], is_restored=False)


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_not_seen_or_is_newer_may_not(name: str) -> None:
    with pytest.raises(AssertionError, match="replaced"):
        _overwrites_nothing_unseen(REPORT, BROKEN[name], is_restored=False)
