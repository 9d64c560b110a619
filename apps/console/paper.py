"""A checklist version laid out as on paper, and the comparison of two.

A draft may hold any JSON, so nothing here trusts its shape: what is missing reads as nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.checklists.rules import check_content
from apps.common.errors import Problem
from apps.common.text import is_storable, pick, say
from apps.console.templatetags.labels import kind, purpose, unit_sign

FIELDS: Mapping[str, str] = {
    "title": say("tên phần", "title"),
    "title/vi": say("tên phần tiếng Việt", "Vietnamese title"),
    "title/en": say("tên phần tiếng Anh", "English title"),
    "steps": say("danh sách bước", "steps"),
    "text": say("nội dung", "text"),
    "text/vi": say("nội dung tiếng Việt", "Vietnamese text"),
    "text/en": say("nội dung tiếng Anh", "English text"),
    "kind": say("loại bước", "kind"),
    "key": say("mã", "key"),
    "required": say("bắt buộc", "required"),
    "required_if": say("bắt buộc khi", "required if"),
    "visible_if": say("hiện khi", "shown if"),
    "options": say("lựa chọn", "options"),
    "photos": say("quy định về ảnh", "photo rule"),
    "photos/min": say("số ảnh ít nhất", "photos at least"),
    "photos/max": say("số ảnh nhiều nhất", "photos at most"),
    "help": say("hướng dẫn", "help"),
    "safety_note": say("lưu ý an toàn", "safety note"),
    "legal_ref": say("căn cứ pháp lý", "legal basis"),
    "allow_na": say("được ghi không áp dụng", "not applicable allowed"),
    "unit": say("đơn vị", "unit"),
    "single_use": say("số chỉ dùng một lần", "single-use number"),
}
MAX_JSON = 1_000_000
_OPTION = re.compile(r"options/(\d+)(?:/(?:label/)?(\w+))?$")
_PLACE = re.compile(r"^/sections/(\d+)(?:/steps/(\d+))?(?:/(.*))?$")


@dataclass(frozen=True)
class PaperStep:
    """One step: its number, texts in both languages, and its rules in words."""

    no: int
    name: str
    key: str
    kind: str
    vi: str
    en: str
    rules: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    help: tuple[str, str]
    safety: tuple[str, str]
    is_required: bool
    photo_min: int | None
    unit: str

    @property
    def own(self) -> str:
        """The text in the language of the page."""
        return pick(self.vi, self.en)


@dataclass(frozen=True)
class PaperSection:
    """One section with its steps; `name` is the prefix of its form fields."""

    name: str
    vi: str
    en: str
    steps: tuple[PaperStep, ...]

    @property
    def own(self) -> str:
        """The title in the language of the page."""
        return pick(self.vi, self.en)


@dataclass(frozen=True)
class Difference:
    """How one step differs between two versions."""

    key: str
    what: str
    before: PaperStep | None
    after: PaperStep | None
    details: tuple[tuple[str, str, str], ...] = ()


def paper(content: object) -> tuple[PaperSection, ...]:
    """Lay a content out."""
    sections, no = [], 0
    for i, section in enumerate(dicts(content, "sections")):
        steps = []
        for j, step in enumerate(dicts(section, "steps")):
            no += 1
            steps.append(_step(no, f"s{i}.k{j}", step))
        vi, en = _texts(section.get("title"))
        sections.append(PaperSection(f"s{i}", vi, en, tuple(steps)))
    return tuple(sections)


def faults(content: object) -> list[tuple[str, str]]:
    """List what stands in the way of a review: place and words."""
    return [(place(p.pointer), pick(p.vi, p.en) or p.code) for p in check_content(content)]


def place(pointer: str) -> str:
    """Name a place in a content as people count: section 1, step 4, field."""
    found = _PLACE.match(pointer)
    if not found:
        return pointer or pick("Toàn bộ", "Whole")
    section, step, rest = found.groups()
    words = [pick(f"Phần {int(section) + 1}", f"Section {int(section) + 1}")]
    if step is not None:
        words.append(pick(f"bước {int(step) + 1}", f"step {int(step) + 1}"))
    if rest:
        words.append(field_name(rest))
    return ", ".join(words)


def field_name(path: str) -> str:
    """Name a field of a content; conditions and rare fields keep the name they have in the JSON."""
    known = FIELDS.get(path)
    if known:
        return str(known)
    option = _OPTION.match(path)
    if option:
        language = {"vi": pick(", tiếng Việt", ", Vietnamese"), "en": pick(", tiếng Anh", ", English")}
        return pick("lựa chọn ", "option ") + str(int(option[1]) + 1) + language.get(option[2] or "", "")
    return path


def compare(before: object, after: object) -> list[Difference]:
    """List the steps that were added, taken away or changed, in the order of the newer version."""
    old = {step.key: (step, raw) for step, raw in _keyed(before)}
    new = {step.key: (step, raw) for step, raw in _keyed(after)}
    found = []
    for key, (step, raw) in new.items():
        if key not in old:
            found.append(Difference(key, "added", None, step))
        elif old[key][1] != raw:
            found.append(Difference(key, "altered", old[key][0], step, tuple(_details(old[key][1], raw))))
    found += [Difference(key, "removed", step, None) for key, (step, _) in old.items() if key not in new]
    return found


def read_json(text: str) -> tuple[dict[str, Any] | None, Problem | None]:
    """Read a content typed as JSON; give it, or what is wrong with the text."""
    if len(text) > MAX_JSON:
        return None, Problem("", "too-long", "Nội dung quá dài.", "The content is too long.")
    try:
        content = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = (error.lineno, error.colno)
        return None, Problem(
            "",
            "not-json",
            f"Không đọc được JSON: dòng {where[0]}, cột {where[1]}.",
            f"Not JSON: line {where[0]}, column {where[1]}.",
        )
    except (ValueError, RecursionError):
        return None, Problem("", "not-json", "Không đọc được JSON.", "Not JSON.")
    if not isinstance(content, dict):
        return None, Problem("", "wrong-type", "Nội dung phải là một đối tượng JSON.", "Give a JSON object.")
    if not is_storable(json.dumps(content, ensure_ascii=False)) or "\\u0000" in json.dumps(content):
        return None, Problem(
            "", "bad-character", "Có ký tự không được phép.", "Contains a forbidden character."
        )
    return content, None


def as_json(content: object) -> str:
    """Write a content for the advanced editor."""
    return json.dumps(content, ensure_ascii=False, indent=2)


def next_semver(used: Sequence[str]) -> str:
    """Suggest the number of the next version: one minor step above the highest."""
    numbers = [
        tuple(int(n) for n in text.split(".")) for text in used if re.fullmatch(r"\d+\.\d+\.\d+", text)
    ]
    if not numbers:
        return "1.0.0"
    top = max(numbers)
    return f"{top[0]}.{top[1] + 1}.0"


def _no_constant(name: str) -> None:
    raise ValueError(name)


def dicts(owner: object, name: str) -> Iterator[dict[str, Any]]:
    """Give the objects of a list of a content, whatever else is there."""
    items = owner.get(name) if isinstance(owner, dict) else None
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else iter(())


def _texts(words: object) -> tuple[str, str]:
    if not isinstance(words, dict):
        return "", ""
    return str(words.get("vi") or ""), str(words.get("en") or "")


def _step(no: int, name: str, step: Mapping[str, Any]) -> PaperStep:
    vi, en = _texts(step.get("text"))
    photos = step.get("photos")
    return PaperStep(
        no=no,
        name=name,
        key=str(step.get("key", "")),
        kind=str(step.get("kind", "")),
        vi=vi,
        en=en,
        rules=tuple(_rules(step)),
        options=tuple(_texts(option.get("label")) for option in dicts(step, "options")),
        help=_texts(step.get("help")),
        safety=_texts(step.get("safety_note")),
        is_required=step.get("required") is True,
        photo_min=photos.get("min")
        if isinstance(photos, dict) and isinstance(photos.get("min"), int)
        else None,
        unit=str(step.get("unit") or ""),
    )


def _rules(step: Mapping[str, Any]) -> Iterator[str]:
    yield kind(str(step.get("kind", "")))
    if step.get("required"):
        yield pick("bắt buộc", "required")
    for field, vi, en in (
        ("required_if", "bắt buộc khi", "required if"),
        ("visible_if", "hiện khi", "shown if"),
    ):
        if step.get(field):
            yield f"{pick(vi, en)} {step[field]}"
    if step.get("allow_na"):
        yield pick("được ghi “không áp dụng” kèm lý do", "“not applicable” with a reason allowed")
    if step.get("single_use"):
        yield pick("số chỉ dùng một lần (niêm phong…)", "single-use number (seal …)")
    yield from _limits(step)
    if step.get("legal_ref"):
        yield pick(f"căn cứ: {step['legal_ref']}", f"legal basis: {step['legal_ref']}")


def _limits(step: Mapping[str, Any]) -> Iterator[str]:
    photos = step.get("photos")
    if isinstance(photos, dict):
        low, high, what = photos.get("min"), photos.get("max"), purpose(str(photos.get("purpose", "")))
        yield pick(f"ảnh {low}–{high}: {what}", f"photos {low}–{high}: {what}")
        if photos.get("required_if"):
            yield f"{pick('ảnh bắt buộc khi', 'photos required if')} {photos['required_if']}"
    if step.get("unit"):
        yield pick(f"đơn vị: {unit_sign(str(step['unit']))}", f"unit: {unit_sign(str(step['unit']))}")
    if step.get("min") is not None or step.get("max") is not None:
        yield f"{step.get('min', '…')} – {step.get('max', '…')}"


def _keyed(content: object) -> Iterator[tuple[PaperStep, dict[str, Any]]]:
    raw = [step for section in dicts(content, "sections") for step in dicts(section, "steps")]
    laid = [step for section in paper(content) for step in section.steps]
    return zip(laid, raw, strict=True)


def _details(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for field in sorted({*before, *after}):
        if before.get(field) != after.get(field):
            yield field_name(field), _short(before.get(field)), _short(after.get(field))


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() <= {"vi", "en"}:
        return f"{value.get('vi', '')} / {value.get('en', '')}"
    return "" if value is None else json.dumps(value, ensure_ascii=False)
