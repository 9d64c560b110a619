"""Is one answered value right for its step? One checker is built per step and then called for every report.

A checker takes the JSON value and gives the code of the first fault, or None. Whether the step had to be answered at
all is decided in `answers`.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from apps.checklists.expressions import DECIMAL_SHAPE, to_decimal
from apps.checklists.rules.patterns import compile_pattern

KINDS = ("bool", "choice", "multi", "number", "text", "photo", "scan", "measure", "sign")
UNITS = ("g", "kg", "ml", "l", "mm", "cm", "m", "count", "percent", "celsius", "minute")
SYMBOLOGIES = (
    "code_128",
    "code_39",
    "ean_13",
    "itf",
    "codabar",
    "qr",
    "data_matrix",
    "pdf417",
    "aztec",
    "mrz",
    "ocr",
    "manual",
)
"""What a scan may come from; `manual` (typed in by hand) is always taken."""

MAX_TEXT = 4000
MAX_RAW = 500
MAX_NAME = 200
MAX_REASON = 500

ValueChecker = Callable[[object], str | None]

# Control characters except tab and newline, bidirectional controls, lone surrogates, noncharacters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_INT64 = 2**63


def text_fault(value: object, longest: int = MAX_TEXT) -> str | None:
    """Give the fault of a free text: its type, its length in code points, or a character both databases refuse."""
    if not isinstance(value, str):
        return "wrong-type"
    if len(value) > longest:
        return "too-long"
    return "bad-character" if _UNWANTED.search(value) else None


def read_number(value: object) -> tuple[Decimal | None, str | None]:
    """Read a decimal string or a JSON number within 64 bits; give the number or the code of the fault."""
    if isinstance(value, str):
        if len(value) > 40 or not DECIMAL_SHAPE.fullmatch(value):
            return None, "bad-number"
        return Decimal(value), None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, "wrong-type"
    if isinstance(value, int):
        return (Decimal(value), None) if -_INT64 <= value < _INT64 else (None, "out-of-range")
    number = to_decimal(value)
    return (number, None) if number is not None else (None, "out-of-range")


def decimals_used(number: Decimal) -> int:
    """Count the decimal places that are not trailing zeros."""
    return len(format(number, "f").partition(".")[2].rstrip("0"))


def value_checker(step: Mapping[str, Any]) -> ValueChecker:
    """Build the checker for the values of a step of sound content."""
    return _BUILDERS[step["kind"]](step)


def _bool(_step: Mapping[str, Any]) -> ValueChecker:
    return lambda value: None if isinstance(value, bool) else "wrong-type"


def _choice(step: Mapping[str, Any]) -> ValueChecker:
    options = frozenset(option["value"] for option in step["options"])

    def check(value: object) -> str | None:
        if not isinstance(value, str):
            return "wrong-type"
        return None if value in options else "unknown-option"

    return check


def _multi(step: Mapping[str, Any]) -> ValueChecker:
    options = frozenset(option["value"] for option in step["options"])

    def check(value: object) -> str | None:
        if not isinstance(value, list):
            return "wrong-type"
        if len(value) > len(options):
            return "duplicate-option" if all(isinstance(item, str) for item in value) else "wrong-type"
        seen: set[str] = set()
        for item in value:
            if not isinstance(item, str):
                return "wrong-type"
            if item not in options:
                return "unknown-option"
            if item in seen:
                return "duplicate-option"
            seen.add(item)
        return None

    return check


def _number(step: Mapping[str, Any]) -> ValueChecker:
    decimals = step.get("decimals") or 0
    low, high = (None if step.get(end) is None else Decimal(str(step[end])) for end in ("min", "max"))

    def check(value: object) -> str | None:
        number, fault = read_number(value)
        if number is None:
            return fault
        if decimals_used(number) > decimals:
            return "too-many-decimals"
        if low is not None and number < low:
            return "below-minimum"
        if high is not None and number > high:
            return "above-maximum"
        return None

    return check


def _text(step: Mapping[str, Any]) -> ValueChecker:
    longest = step.get("max_length") or MAX_TEXT
    pattern = compile_pattern(step["pattern"]) if step.get("pattern") else None

    def check(value: object) -> str | None:
        fault = text_fault(value, longest)
        if fault is None and pattern is not None and isinstance(value, str) and value:
            return None if pattern.fullmatch(value) else "pattern-mismatch"
        return fault

    return check


def _scan(step: Mapping[str, Any]) -> ValueChecker:
    allowed = frozenset(step.get("symbology") or SYMBOLOGIES) | {"manual"}

    def check(value: object) -> str | None:
        if not isinstance(value, dict):
            return "wrong-type"
        if value.keys() - {"raw", "symbology"}:
            return "unknown-field"
        fault = text_fault(value.get("raw"), MAX_RAW)
        symbology = value.get("symbology")
        if fault is not None or not isinstance(symbology, str):
            return fault or "wrong-type"
        if symbology in allowed:
            return None
        return "symbology-not-allowed" if symbology in SYMBOLOGIES else "unknown-symbology"

    return check


def _sign(_step: Mapping[str, Any]) -> ValueChecker:
    def check(value: object) -> str | None:
        if not isinstance(value, dict):
            return "wrong-type"
        if value.keys() - {"name", "attachment"}:
            return "unknown-field"
        attachment = value.get("attachment")
        if attachment is not None and not (isinstance(attachment, str) and _UUID.fullmatch(attachment)):
            return "wrong-type"
        return text_fault(value.get("name"), MAX_NAME)

    return check


def _photo(_step: Mapping[str, Any]) -> ValueChecker:
    return lambda _value: "wrong-type"


_BUILDERS: dict[str, Callable[[Mapping[str, Any]], ValueChecker]] = {
    "bool": _bool,
    "choice": _choice,
    "multi": _multi,
    "number": _number,
    "measure": _number,
    "text": _text,
    "photo": _photo,
    "scan": _scan,
    "sign": _sign,
}


def is_empty(value: object) -> bool:
    """Say whether a value amounts to no answer: null, blank text, no option, a scan or signature without text."""
    if isinstance(value, dict):
        value = value.get("raw", value.get("name"))
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, list) and not value)
