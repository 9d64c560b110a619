"""docs/records.md names every field that a phone may write, with what it may hold, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from apps.checklists.rules.values import KINDS
from apps.custody.rules import forms
from apps.evidence.rules.declarations import CAPTURE_MODES, LIMITS, PURPOSES
from apps.inspections import rules as inspections
from apps.reference.rules.vocabularies import codes
from apps.seizures.rules import fields as seizures
from apps.seizures.rules.checks import missing_at
from apps.seizures.rules.stages import FLASH
from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (.+?) \|", re.MULTILINE)


def rows(title: str) -> dict[str, str]:
    """Give the table below a heading: field and what it may hold."""
    _, _, rest = PAGE.partition(f"\n### {title}\n")
    assert rest, f"no heading {title}"
    found = ROW.findall(re.split(r"\n#+ ", rest)[0])
    assert len(dict(found)) == len(found), f"{title}: a field stands twice"
    return dict(found)


def in_words(spec: str) -> str:
    """Say what a specification says, as the page says it."""
    kind, _, rest = spec.partition(" ")
    if kind == "among":
        return " ".join(f"`{value}`" for value in rest.split())
    words = {
        "text": f"text, {rest}",
        "texts": f"list of texts, {rest}",
        "code": f"code of `{rest}`",
        "codes": f"list of codes of `{rest}`",
        "decimal": f"amount, {rest} decimals",
        "int": "whole number",
        "uuid": "id",
        "uuids": "list of ids",
        "countries": "list of countries",
    }
    return words.get(kind, kind)


def test_the_page_names_every_field_of_seizures_and_of_their_parts() -> None:
    tables: dict[str, Mapping[str, str]] = {
        "Seizure": seizures.HEADER,
        **{title.capitalize(): columns for title, columns in seizures.PARTS.items()},
        "Exhibit": forms.EXHIBIT,
        "Step": forms.EVENT,
        "Sample": forms.SAMPLE,
        "Receiver": forms.RECEIVER,
    }
    for title, columns in tables.items():
        assert rows(title) == {name: in_words(spec) for name, spec in columns.items()}, title


def test_the_page_names_every_field_of_inspections() -> None:
    told = rows("Inspection")
    assert told.keys() == inspections.HEADER_FIELDS | inspections.FIXED_FIELDS | set(inspections.BY_STEP)
    for name, longest in inspections.TEXT_FIELDS.items():
        assert told[name] == in_words(f"text {longest}"), name
    for name in inspections.CHOICE_FIELDS:
        assert told[name] == in_words(f"code {name}"), name
    for name in inspections.TIME_FIELDS:
        assert told[name] == "time", name


def test_the_page_names_every_kind_of_step_and_every_purpose_of_a_photo() -> None:
    assert rows("Answers").keys() == set(KINDS)
    photo = {name: set(re.findall(r"`([a-z_/0-9]+)`", holds)) for name, holds in rows("Photo").items()}
    assert photo["purpose"] == PURPOSES - {""}
    assert photo["capture_mode"] == CAPTURE_MODES
    assert all(f"`{mime}`" in PAGE for mime in LIMITS)


def test_every_vocabulary_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"codes? of `([a-z_]+)`", PAGE))
    assert named
    assert all(codes(name) for name in named)


def test_the_smallest_flash_of_the_page_is_sound() -> None:
    [text] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    flash = json.loads(text)
    _, problems = seizures.check_patch(flash)
    assert not problems
    assert not missing_at(FLASH, flash)
