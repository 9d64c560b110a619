"""Does a free text say who somebody is: numbers of citizens, passports, telephones as they are written here.

It finds patterns, not truth: a number may be invented, a name is never found. What it finds is for a person to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

# A citizen's number: province 001 to 096, century and sex, year, six digits. Declarations and waybills do not begin so.
_CITIZEN = re.compile(
    r"(?<![0-9A-Za-z])0(?:0[1-9]|[1-8][0-9]|9[0-6])[ .]?[0-3][0-9]{2}[ .]?[0-9]{3}[ .]?[0-9]{3}(?![0-9A-Za-z])"
)
_PASSPORT = re.compile(r"(?<![0-9A-Za-z])[A-Z][0-9]{7,8}(?![0-9A-Za-z])|P[A-Z<][A-Z]{3}[A-Z]+<<[A-Z<]+")
_PHONE = re.compile(r"(?<![0-9A-Za-z])(?:\+84|0084|0)[ .-]?[35789](?:[ .-]?[0-9]){8}(?![0-9A-Za-z])")
_KINDS = (("citizen_no", _CITIZEN), ("passport_no", _PASSPORT), ("phone", _PHONE))


def persons_in(text: str) -> Iterator[str]:
    """Give the kinds of personal numbers that a text seems to hold."""
    for kind, pattern in _KINDS:
        if pattern.search(text):
            yield kind


def says_who(texts: Iterable[object]) -> bool:
    """Tell whether any of several texts seems to hold a personal number."""
    return any(next(persons_in(text), None) for text in texts if isinstance(text, str))
