"""Comparing words as people type them: without case, marks and double blanks, so that `co my` finds `Cỏ Mỹ`."""

from __future__ import annotations

import unicodedata

# NFD leaves đ whole: its bar is no mark.
_WHOLE = str.maketrans({"đ": "d", "Đ": "d", "\u2019": "'"})


def fold(text: str) -> str:
    """Give the spelling under which texts are compared; the original is what is kept and shown."""
    if text.isascii():
        return " ".join(text.casefold().split())
    apart = unicodedata.normalize("NFD", text.casefold().translate(_WHOLE))
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())
