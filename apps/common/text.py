"""Bilingual text: both languages stand side by side in the code, so neither can be missing.

`say` gives a lazy string for labels and choices; `clean_text` is the one gate for free text that people typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import get_language


def pick(vi: str, en: str) -> str:
    """Choose the text for the active language: English when it is English, Vietnamese otherwise."""
    return en if (get_language() or "vi").startswith("en") else vi


_say = lazy(pick, str)

# Control characters except newline and tab, bidirectional overrides, and the noncharacters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)

MAX_TEXT = 4000


def say(vi: str, en: str) -> str:
    """Give a lazy string that reads as Vietnamese or English by the language of the request."""
    return _say(vi, en)


def clean_text(text: str) -> str:
    """Normalise what a person typed: NFC, no control or bidirectional characters, no outer white space."""
    return _UNWANTED.sub("", unicodedata.normalize("NFC", text)).strip()


def clean_values(value: Any) -> Any:
    """Normalise every text in what a phone sent, however deep it stands."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [clean_values(item) for item in value]
    return {key: clean_values(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def is_storable(text: str) -> bool:
    """Tell whether both databases can hold the text: no NUL and no lone surrogate."""
    if "\x00" in text:
        return False
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
