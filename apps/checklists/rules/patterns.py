r"""The small, safe pattern language of text steps: a subset of regular expressions with bounded work.

Literal characters, `\d`, escaped punctuation and ASCII classes, each with an optional `?`, `{n}` or `{m,n}`. No
groups, alternation or unbounded repeats: no text can make matching slow, and Python and JavaScript agree.
"""

import re

MAX_PATTERN = 200
"""Longest pattern, in characters."""

MAX_PATTERN_TEXT = 200
"""Longest text a pattern is applied to: a text step with a pattern has at most this `max_length`."""

_MAX_REPEAT = 64
_MAX_WAYS = 10_000
_IN_CLASS = r"(?:[A-Za-z0-9 _/:.,<]|[A-Z]-[A-Z]|[a-z]-[a-z]|[0-9]-[0-9]|\\d)"
_ATOM = rf"(?:[A-Za-z0-9 _/:,<@#-]|\\d|\\[.()\[\]{{}}+*?^$|\\/-]|\[{_IN_CLASS}+\])"
_ITEM = re.compile(_ATOM + r"(?P<repeat>\?|\{(?P<low>[0-9]{1,2})(?:,(?P<high>[0-9]{1,2}))?\})?")


def compile_pattern(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern to be used with `fullmatch`; None when it is outside the subset or too complex."""
    if not 0 < len(pattern) <= MAX_PATTERN:
        return None
    position, ways = 0, 1
    while position < len(pattern):
        item = _ITEM.match(pattern, position)
        if item is None:
            return None
        position = item.end()
        low, high = _repeat(item)
        if not low <= high <= _MAX_REPEAT:
            return None
        ways *= high - low + 1
        if ways > _MAX_WAYS:
            return None
    try:
        return re.compile(pattern, re.ASCII)
    except re.error:
        return None


def _repeat(item: re.Match[str]) -> tuple[int, int]:
    if item["repeat"] is None:
        return 1, 1
    if item["repeat"] == "?":
        return 0, 1
    low = int(item["low"])
    return low, low if item["high"] is None else int(item["high"])
