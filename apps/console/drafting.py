"""The plain form of a draft: what was typed into it, and its buttons that add, move and take out.

Fields are named by place: `s0.title.vi`, `s0.k2.text.en`, `s0.k2.o1.vi`; buttons say a verb and a place: `up s0.k2`.
What the form does not show (conditions, photo rules, limits) stays as it is.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from apps.checklists.rules.values import KINDS, UNITS
from apps.common.text import clean_text
from apps.console.paper import dicts

_DO = re.compile(r"(section|step|option|up|down|drop)(?: s(\d{1,3})(?:\.k(\d{1,3}))?)?")
_BLANK: Mapping[str, dict[str, Any]] = {
    "number": {"decimals": 0},
    "measure": {"unit": "g", "decimals": 2},
    "photo": {"photos": {"min": 1, "max": 3, "purpose": "overview", "original": False}},
}


def blank_content() -> dict[str, Any]:
    """Give a new checklist something to start from."""
    step = {
        "key": "reason_confirmed",
        "kind": "bool",
        "text": {
            "vi": "Đã xác nhận lý do lựa chọn kiểm tra?",
            "en": "Is the reason for selection confirmed?",
        },
        "required": True,
    }
    title = {"vi": "Trước khi kiểm tra", "en": "Before the inspection"}
    return {"sections": [{"key": "before", "title": title, "steps": [step]}]}


def edited(content: Mapping[str, Any], typed: QueryDict) -> dict[str, Any]:
    """Give a copy of the content with what the plain form says."""
    fresh: dict[str, Any] = copy.deepcopy(dict(content))
    for i, section in enumerate(dicts(fresh, "sections")):
        _put_texts(section, "title", f"s{i}.title", typed)
        for j, step in enumerate(dicts(section, "steps")):
            _put_step(step, f"s{i}.k{j}", typed)
    return fresh


def arranged(content: dict[str, Any], typed: QueryDict) -> str:
    """Do what a button says to the content; give the place where the page goes on. What makes no sense does nothing."""
    found = _DO.fullmatch(str(typed.get("do", "")))
    if not found:
        return ""
    verb, i, j = found.groups()
    sections = content["sections"] = list(dicts(content, "sections"))
    if i is None:
        if verb == "section":
            sections.append(_new_section(content))
        return f"s{len(sections) - 1}"
    if int(i) >= len(sections):
        return ""
    if j is None and verb != "step":
        return _arrange(sections, verb, int(i), "s")
    steps = sections[int(i)]["steps"] = list(dicts(sections[int(i)], "steps"))
    kind = str(typed.get(f"s{i}.kind"))
    if j is None and kind in KINDS:
        steps.append(_new_step(content, kind))
        return f"s{i}.k{len(steps) - 1}"
    return _change(steps, verb, int(j), f"s{i}") if j is not None and int(j) < len(steps) else ""


def _change(steps: list[dict[str, Any]], verb: str, at: int, section: str) -> str:
    """Give one step of a section another option, another place, or take it out."""
    if verb == "option" and steps[at].get("kind") in {"choice", "multi"}:
        steps[at]["options"] = [*dicts(steps[at], "options"), _new_option(steps[at])]
    return _arrange(steps, verb, at, f"{section}.k") or section


def _arrange(items: list[dict[str, Any]], verb: str, at: int, name: str) -> str:
    """Move or take out one item of a list; give the name of the place where it is now."""
    if verb == "drop":
        del items[at]
        return ""
    to = at + {"up": -1, "down": 1}.get(verb, 0)
    if 0 <= to < len(items):
        items[at], items[to] = items[to], items[at]
        return f"{name}{to}"
    return f"{name}{at}"


def _put_step(step: dict[str, Any], name: str, typed: QueryDict) -> None:
    _put_texts(step, "text", f"{name}.text", typed)
    is_required = f"{name}.required" in typed
    if f"{name}.here" in typed and is_required != (step.get("required") is True):
        step["required"] = is_required
    if isinstance(step.get("photos"), dict) and str(typed.get(f"{name}.photos", "")).isdecimal():
        step["photos"]["min"] = int(str(typed[f"{name}.photos"])[:4])
    if typed.get(f"{name}.unit") in UNITS:
        step["unit"] = typed[f"{name}.unit"]
    for k, option in enumerate(dicts(step, "options")):
        _put_texts(option, "label", f"{name}.o{k}", typed)
    if any(f"{name}.o{k}.drop" in typed for k, _ in enumerate(dicts(step, "options"))):
        kept = [o for k, o in enumerate(dicts(step, "options")) if f"{name}.o{k}.drop" not in typed]
        step["options"] = kept


def _new_section(content: object) -> dict[str, Any]:
    used = {section.get("key") for section in dicts(content, "sections")}
    return {"key": _unused("section", used), "title": {"vi": "", "en": ""}, "steps": []}


def _new_step(content: object, kind: str) -> dict[str, Any]:
    """Give a step of a kind. Its key names the kind: the same key may not stand for another kind in a later version."""
    used = {step.get("key") for section in dicts(content, "sections") for step in dicts(section, "steps")}
    step: dict[str, Any] = {
        "key": _unused(f"{kind}_step", used),
        "kind": kind,
        "text": {"vi": "", "en": ""},
        **copy.deepcopy(_BLANK.get(kind, {})),
    }
    if kind in {"choice", "multi"}:
        step["options"] = [_new_option(step)]
        step["options"].append(_new_option(step))
    return step


def _new_option(step: Mapping[str, Any]) -> dict[str, Any]:
    used = {option.get("value") for option in dicts(step, "options")}
    return {"value": _unused("option", used), "label": {"vi": "", "en": ""}}


def _unused(name: str, used: set[Any]) -> str:
    return next(key for n in range(1, len(used) + 2) if (key := f"{name}_{n}") not in used)


def _put_texts(owner: dict[str, Any], field: str, name: str, typed: QueryDict) -> None:
    words = owner.get(field) if isinstance(owner.get(field), dict) else {}
    for language in ("vi", "en"):
        if f"{name}.{language}" in typed:
            words = {**(words or {}), language: clean_text(str(typed[f"{name}.{language}"]))[:2000]}
    if words:
        owner[field] = words
