"""Is the content of a checklist version sound? Shape, keys, languages, limits, photo rules, and its hash.

Content is plain JSON: `{"sections": [{"key", "title", "steps": [...]}]}`. Conditions are judged in `conditions`, once
the shape is right. Nothing here raises on any JSON, however hostile.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeGuard

from apps.checklists.expressions import DECIMAL_SHAPE, RESERVED
from apps.checklists.rules.conditions import check_conditions
from apps.checklists.rules.patterns import MAX_PATTERN_TEXT, compile_pattern
from apps.checklists.rules.values import KINDS, MAX_TEXT, SYMBOLOGIES, UNITS, text_fault
from apps.checklists.rules.words import content_problem
from apps.common.errors import Problem

PHOTO_PURPOSES = ("overview", "close_up", "scale", "xray", "seal", "document", "person")
MAX_SECTIONS = 50
MAX_STEPS = 300
MAX_OPTIONS = 100
MAX_WORDING = 2000
MAX_PHOTOS = 50
MAX_DECIMALS = 6
MAX_PROBLEMS = 200

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OPTION = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
_LANGUAGES = ("vi", "en")
_SECTION_FIELDS = frozenset({"key", "title", "steps"})
_PHOTO_FIELDS = frozenset({"min", "max", "purpose", "original", "required_if"})
_OPTION_FIELDS = frozenset({"value", "label"})
_STEP_FIELDS = frozenset(
    {"key", "kind", "text", "required", "required_if", "visible_if", "photos"}
    | {"allow_na", "help", "safety_note", "legal_ref", "scored"}
)
_NUMBER_FIELDS = frozenset({"min", "max", "decimals", "unit"})
_FIELDS_BY_KIND: dict[str, frozenset[str]] = {
    "choice": frozenset({"options"}),
    "multi": frozenset({"options"}),
    "number": _NUMBER_FIELDS,
    "measure": _NUMBER_FIELDS,
    "text": frozenset({"max_length", "pattern", "single_use"}),
    "scan": frozenset({"symbology", "single_use"}),
}
_KIND_FIELDS = frozenset().union(*_FIELDS_BY_KIND.values())


def check_content(content: object) -> list[Problem]:
    """List the faults of a content, with pointers into it; an empty list means that it may go to review."""
    check = _ContentCheck()
    check.content(content)
    if not check.problems and isinstance(content, Mapping):
        check.problems.extend(check_conditions(list(placed_steps(content))))
    return check.problems[:MAX_PROBLEMS]


def check_succession(previous: Mapping[str, Any], content: Mapping[str, Any]) -> list[Problem]:
    """List the steps whose key stood for another kind in an earlier version; both contents are sound."""
    kinds = {step["key"]: step["kind"] for step in steps_of(previous)}
    return [
        content_problem(f"{pointer}/kind", "step-kind-changed")
        for pointer, step in placed_steps(content)
        if kinds.get(step["key"], step["kind"]) != step["kind"]
    ]


def content_hash(content: Mapping[str, Any]) -> str:
    """Give the SHA-256, in hex, of the canonical JSON of a sound content: sorted keys, compact, UTF-8."""
    canonical = json.dumps(
        content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def steps_of(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the steps of a sound content in order."""
    return (step for _pointer, step in placed_steps(content))


def placed_steps(content: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the steps of a sound content in order, each with its JSON pointer."""
    for number, section in enumerate(content["sections"]):
        for index, step in enumerate(section["steps"]):
            yield f"/sections/{number}/steps/{index}", step


class _ContentCheck:
    """Collects the problems of one content while walking down through it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._sections: set[str] = set()
        self._steps: set[str] = set()

    def add(self, pointer: str, code: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(content_problem(pointer, code))

    def content(self, content: object) -> None:
        if not isinstance(content, dict):
            self.add("", "wrong-type")
            return
        self._known_fields("", content, frozenset({"sections"}))
        for pointer, section in self._items("/sections", content.get("sections"), MAX_SECTIONS):
            self._section(pointer, section)
        if len(self._steps) > MAX_STEPS:
            self.add("/sections", "too-many")

    def _section(self, pointer: str, section: dict[str, Any]) -> None:
        self._known_fields(pointer, section, _SECTION_FIELDS)
        self._key(f"{pointer}/key", section.get("key"), self._sections)
        self._wording(f"{pointer}/title", section.get("title"))
        for place, step in self._items(f"{pointer}/steps", section.get("steps"), MAX_STEPS):
            self._step(place, step)

    def _step(self, pointer: str, step: dict[str, Any]) -> None:
        self._key(f"{pointer}/key", step.get("key"), self._steps)
        self._wording(f"{pointer}/text", step.get("text"))
        for field in ("help", "safety_note"):
            if step.get(field) is not None:
                self._wording(f"{pointer}/{field}", step[field])
        for field in ("required", "allow_na", "scored", "single_use"):
            if step.get(field) is not None and not isinstance(step[field], bool):
                self.add(f"{pointer}/{field}", "wrong-type")
        for field in ("required_if", "visible_if", "legal_ref"):
            self._optional_text(f"{pointer}/{field}", step.get(field))
        if step.get("required") is True and step.get("required_if"):
            self.add(f"{pointer}/required_if", "required-twice")
        kind = step.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            self.add(f"{pointer}/kind", "unknown-kind")
            return
        self._fields_of_kind(pointer, step, kind)
        self._photo_rule(pointer, step, kind)

    def _fields_of_kind(self, pointer: str, step: dict[str, Any], kind: str) -> None:
        own = _FIELDS_BY_KIND.get(kind, frozenset())
        self._known_fields(pointer, step, _STEP_FIELDS | _KIND_FIELDS)
        for field in sorted(_KIND_FIELDS - own):
            if step.get(field) is not None:
                self.add(f"{pointer}/{field}", "field-not-for-kind")
        if kind in {"choice", "multi"}:
            self._options(f"{pointer}/options", step.get("options"))
        elif kind in {"number", "measure"}:
            self._limits(pointer, step)
        elif kind == "text":
            self._text_limits(pointer, step)
        elif kind == "scan":
            self._symbology(f"{pointer}/symbology", step.get("symbology"))

    def _options(self, pointer: str, options: object) -> None:
        if options is None:
            self.add(pointer, "options-missing")
            return
        seen: set[str] = set()
        for place, option in self._items(pointer, options, MAX_OPTIONS):
            self._known_fields(place, option, _OPTION_FIELDS)
            self._wording(f"{place}/label", option.get("label"))
            value = option.get("value")
            if not isinstance(value, str) or not _OPTION.fullmatch(value):
                self.add(f"{place}/value", "bad-key")
            elif value in seen:
                self.add(f"{place}/value", "duplicate-option")
            else:
                seen.add(value)

    def _limits(self, pointer: str, step: dict[str, Any]) -> None:
        decimals = step.get("decimals")
        if decimals is None and step["kind"] == "measure":
            self.add(f"{pointer}/decimals", "missing")
        elif decimals is not None and not _is_count(decimals, MAX_DECIMALS):
            self.add(f"{pointer}/decimals", "bad-limit")
        unit = step.get("unit")
        if unit is None and step["kind"] == "measure":
            self.add(f"{pointer}/unit", "missing")
        elif unit is not None and unit not in UNITS:
            self.add(f"{pointer}/unit", "unknown-unit")
        ends: list[Decimal] = []
        for field in ("min", "max"):
            if step.get(field) is not None:
                end = _limit(step[field])
                if end is None:
                    self.add(f"{pointer}/{field}", "bad-limit")
                else:
                    ends.append(end)
        if len(ends) == 2 and ends[0] > ends[1]:
            self.add(f"{pointer}/min", "limits-crossed")

    def _text_limits(self, pointer: str, step: dict[str, Any]) -> None:
        longest, pattern = step.get("max_length"), step.get("pattern")
        most = MAX_TEXT if pattern is None else MAX_PATTERN_TEXT
        unlimited = longest is None and pattern is None
        if not unlimited and not (_is_count(longest, most) and longest > 0):
            self.add(f"{pointer}/max_length", "bad-limit")
        if pattern is not None and (not isinstance(pattern, str) or compile_pattern(pattern) is None):
            self.add(f"{pointer}/pattern", "bad-pattern")

    def _symbology(self, pointer: str, allowed: object) -> None:
        if allowed is None:
            return
        if not isinstance(allowed, list) or not allowed:
            self.add(pointer, "wrong-type")
        elif any(name not in SYMBOLOGIES for name in allowed):
            self.add(pointer, "unknown-symbology")

    def _photo_rule(self, pointer: str, step: dict[str, Any], kind: str) -> None:
        rule, pointer = step.get("photos"), f"{pointer}/photos"
        if rule is None:
            if kind == "photo":
                self.add(pointer, "missing")
            return
        if not isinstance(rule, dict):
            self.add(pointer, "wrong-type")
            return
        self._known_fields(pointer, rule, _PHOTO_FIELDS)
        low, high = rule.get("min"), rule.get("max")
        if not _is_count(low, MAX_PHOTOS) or (kind == "photo" and low == 0):
            self.add(f"{pointer}/min", "bad-photo-rule")
        elif not _is_count(high, MAX_PHOTOS) or high == 0:
            self.add(f"{pointer}/max", "bad-photo-rule")
        elif low > high:
            self.add(f"{pointer}/min", "limits-crossed")
        if rule.get("purpose") not in PHOTO_PURPOSES:
            self.add(f"{pointer}/purpose", "bad-photo-rule")
        if not isinstance(rule.get("original"), bool):
            self.add(f"{pointer}/original", "wrong-type")
        self._optional_text(f"{pointer}/required_if", rule.get("required_if"))

    def _items(self, pointer: str, items: object, most: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the objects of a non-empty list, noting what else is in it."""
        if not isinstance(items, list) or not items:
            self.add(pointer, "missing" if items in (None, []) else "wrong-type")
            return
        if len(items) > most:
            self.add(pointer, "too-many")
            return
        for index, item in enumerate(items):
            if isinstance(item, dict):
                yield f"{pointer}/{index}", item
            else:
                self.add(f"{pointer}/{index}", "wrong-type")

    def _known_fields(self, pointer: str, item: Mapping[str, Any], known: frozenset[str]) -> None:
        if not item.keys() <= known:
            self.add(pointer, "unknown-field")

    def _key(self, pointer: str, key: object, used: set[str]) -> None:
        if not isinstance(key, str) or not _KEY.fullmatch(key) or key in RESERVED:
            self.add(pointer, "bad-key")
        elif key in used:
            self.add(pointer, "duplicate-key")
        else:
            used.add(key)

    def _wording(self, pointer: str, words: object) -> None:
        if not isinstance(words, dict):
            self.add(pointer, "language-missing" if words is None else "wrong-type")
            return
        self._known_fields(pointer, words, frozenset(_LANGUAGES))
        for language in _LANGUAGES:
            text = words.get(language)
            if text is None or (isinstance(text, str) and not text.strip()):
                self.add(f"{pointer}/{language}", "language-missing")
            else:
                self._optional_text(f"{pointer}/{language}", text)

    def _optional_text(self, pointer: str, text: object) -> None:
        if text is None:
            return
        if fault := text_fault(text, MAX_WORDING):
            self.add(pointer, fault)
        elif isinstance(text, str) and not unicodedata.is_normalized("NFC", text):
            self.add(pointer, "text-not-nfc")


def _is_count(value: object, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _limit(value: object) -> Decimal | None:
    """Read a limit: an integer or a decimal string; a JSON fraction would hash differently in other languages."""
    if isinstance(value, str):
        return Decimal(value) if DECIMAL_SHAPE.fullmatch(value) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return Decimal(value)
    return None
