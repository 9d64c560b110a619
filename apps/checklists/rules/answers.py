"""Are the answers of a report in order? A content is compiled once, then checks hundreds of reports a second.

Draft checks judge only what is there; final checks also what is missing. What one value may be is in `values`; what a
condition means is in `expressions`. Nothing here raises on any JSON, however hostile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from apps.checklists.errors import ContentNotValid
from apps.checklists.expressions import Node, evaluate, parse, references
from apps.checklists.rules.content import check_content, steps_of
from apps.checklists.rules.values import MAX_REASON, ValueChecker, is_empty, text_fault, value_checker

WARNING_CODES = frozenset({"answer-not-visible"})
"""Findings that are told to the officer and do not stand against the report."""

MAX_FINDINGS = 200
"""A check stops counting here."""

_ANSWER_FIELDS = frozenset({"value", "na", "unavailable", "reason", "note"})
_MAX_NAMED = 64


class Finding(NamedTuple):
    """One fault or warning: a JSON pointer below the report, and a code with words in `words.ANSWER_WORDS`."""

    pointer: str
    code: str

    @property
    def is_warning(self) -> bool:
        """Whether it leaves the report acceptable."""
        return self.code in WARNING_CODES


class Progress(NamedTuple):
    """How many steps must be answered now, and how many of those are."""

    required: int
    answered: int


@dataclass(frozen=True, slots=True)
class _PhotoRule:
    low: int
    high: int
    condition: Node | None


@dataclass(frozen=True, slots=True)
class _Step:
    key: str
    kind: str
    check_value: ValueChecker
    allow_na: bool
    required: bool
    required_if: Node | None
    photos: _PhotoRule | None

    @property
    def may_demand(self) -> bool:
        """Whether the step can ever ask for an answer or a photo."""
        return self.required or self.required_if is not None or self.photos is not None


@dataclass(frozen=True, slots=True)
class _View:
    """What counts in one check: the answers and photo counts of visible steps, and the header."""

    answers: Mapping[str, Any]
    report: Mapping[str, Any]
    photos: Mapping[str, int]
    hidden: frozenset[str]

    def holds(self, condition: Node) -> bool:
        return evaluate(condition, self.answers, self.report, self.photos) is True


def compile_answers(content: Mapping[str, Any]) -> CompiledChecklist:
    """Compile a content into its checker, to be kept per content hash. Raises ContentNotValid."""
    problems = check_content(content)
    if problems:
        raise ContentNotValid(errors=problems)
    return CompiledChecklist(content)


class CompiledChecklist:
    """The checker of one content; immutable, safe to share between threads."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        steps = list(steps_of(content))
        self._steps = {step["key"]: _compile_step(step) for step in steps}
        self._demanding = tuple(step for step in self._steps.values() if step.may_demand)
        self._visible_if = _in_dependency_order(
            {step["key"]: parse(step["visible_if"]) for step in steps if step.get("visible_if")}
        )

    @property
    def keys(self) -> tuple[str, ...]:
        """The step keys in the order of the checklist."""
        return tuple(self._steps)

    def check(
        self,
        answers: object,
        report: Mapping[str, Any],
        photos_by_step: Mapping[str, int],
        *,
        final: bool,
    ) -> list[Finding]:
        """Check the answers of a draft, or of a report about to be submitted (`final`).

        Pointers are below the report: `/answers/<step>`, `/answers/<step>/value`, `/photos/<step>`. Findings with
        `is_warning` leave the report acceptable. At most MAX_FINDINGS are given.
        """
        if not isinstance(answers, Mapping):
            return [Finding("/answers", "wrong-type")]
        found: list[Finding] = []
        for key, answer in answers.items():
            step = self._steps.get(key)
            if step is None:
                found.append(Finding(f"/answers/{_token(key)}", "unknown-step"))
            else:
                _check_answer(step, answer, found)
            if len(found) >= MAX_FINDINGS:
                return found
        view = self._view(answers, report, photos_by_step)
        found.extend(
            Finding(f"/answers/{key}", "answer-not-visible")
            for key in self._steps
            if key in view.hidden and key in answers and _is_given(answers[key])
        )
        self._check_photos(photos_by_step, found)
        if final:
            for step in self._demanding:
                _check_complete(step, view, found)
        return found[:MAX_FINDINGS]

    def visible_steps(
        self, answers: Mapping[str, Any], report: Mapping[str, Any], photos_by_step: Mapping[str, int]
    ) -> tuple[str, ...]:
        """List the keys of the steps shown for these answers, in the order of the checklist."""
        hidden = self._view(answers, report, photos_by_step).hidden
        return tuple(key for key in self._steps if key not in hidden)

    def progress(
        self, answers: Mapping[str, Any], report: Mapping[str, Any], photos_by_step: Mapping[str, int]
    ) -> Progress:
        """Count the steps that must be answered now and those of them that are, NA and unavailable included."""
        view = self._view(answers, report, photos_by_step)
        required = [step for step in self._demanding if _is_required(step, view)]
        return Progress(len(required), sum(_is_done(step, view) for step in required))

    def _view(
        self, answers: Mapping[str, Any], report: Mapping[str, Any], photos: Mapping[str, int]
    ) -> _View:
        """Hide steps in dependency order, so that a hidden step counts as unanswered for those that follow."""
        shown, counts = dict(answers), dict(photos)
        hidden: set[str] = set()
        for key, condition in self._visible_if:
            if evaluate(condition, shown, report, counts) is not True:
                hidden.add(key)
                shown.pop(key, None)
                counts.pop(key, None)
        return _View(shown, report, counts, frozenset(hidden))

    def _check_photos(self, photos: Mapping[str, int], found: list[Finding]) -> None:
        for key, taken in photos.items():
            step = self._steps.get(key)
            if step is None:
                found.append(Finding(f"/photos/{_token(key)}", "unknown-step"))
            elif step.photos is not None and taken > step.photos.high:
                found.append(Finding(f"/photos/{key}", "too-many-photos"))


def _compile_step(step: Mapping[str, Any]) -> _Step:
    rule = step.get("photos")
    return _Step(
        key=step["key"],
        kind=step["kind"],
        check_value=value_checker(step),
        allow_na=step.get("allow_na") is True,
        required=step.get("required") is True,
        required_if=_condition(step),
        photos=_PhotoRule(rule["min"], rule["max"], _condition(rule)) if rule else None,
    )


def _condition(owner: Mapping[str, Any]) -> Node | None:
    return parse(owner["required_if"]) if owner.get("required_if") else None


def _in_dependency_order(conditions: dict[str, Node]) -> tuple[tuple[str, Node], ...]:
    """Sort conditions so that each comes after those of the steps it refers to; sound content has no cycle."""
    ordered: dict[str, Node] = {}

    def place(key: str) -> None:
        if key in conditions and key not in ordered:
            for needed in references(conditions[key]):
                place(needed)
            ordered[key] = conditions[key]

    for key in conditions:
        place(key)
    return tuple(ordered.items())


def _token(key: object) -> str:
    """Write an unknown key as a JSON pointer token that is safe to send back."""
    text = str(key)[:_MAX_NAMED].encode("ascii", "backslashreplace").decode("ascii")
    return text.replace("~", "~0").replace("/", "~1")


def _is_excused(answer: object) -> bool:
    return isinstance(answer, dict) and (answer.get("na") is True or answer.get("unavailable") is True)


def _is_given(answer: object) -> bool:
    return isinstance(answer, dict) and (_is_excused(answer) or not is_empty(answer.get("value")))


def _check_answer(step: _Step, answer: object, found: list[Finding]) -> None:
    if (
        isinstance(answer, dict) and len(answer) == 1 and "value" in answer
    ):  # what nearly every answer looks like
        value = answer["value"]
        if value is not None and (fault := step.check_value(value)):
            found.append(Finding(f"/answers/{step.key}/value", fault))
        return
    pointer = f"/answers/{step.key}"
    if not isinstance(answer, dict):
        found.append(Finding(pointer, "answer-shape"))
        return
    if not answer.keys() <= _ANSWER_FIELDS:
        found.append(Finding(pointer, "unknown-field"))
    note = answer.get("note")
    if note is not None and (fault := text_fault(note)):
        found.append(Finding(f"{pointer}/note", fault))
    ways = [way for way in ("value", "na", "unavailable") if way in answer]
    if len(ways) > 1 or ("reason" in answer and ways == ["value"]):
        found.append(Finding(pointer, "answer-shape"))
    elif ways == ["value"]:
        value = answer["value"]
        if value is not None and (fault := step.check_value(value)):
            found.append(Finding(f"{pointer}/value", fault))
    elif ways:
        _check_excuse(step, answer, ways[0], found)


def _check_excuse(step: _Step, answer: Mapping[str, Any], way: str, found: list[Finding]) -> None:
    pointer = f"/answers/{step.key}"
    if answer[way] is not True:
        found.append(Finding(pointer, "answer-shape"))
    elif way == "na" and not step.allow_na:
        found.append(Finding(pointer, "na-not-allowed"))
    elif way == "unavailable" and step.kind == "sign":
        found.append(Finding(pointer, "unavailable-not-allowed"))
    reason = answer.get("reason")
    if reason is None or (isinstance(reason, str) and not reason.strip()):
        found.append(Finding(f"{pointer}/reason", "reason-missing"))
    elif fault := text_fault(reason, MAX_REASON):
        found.append(Finding(f"{pointer}/reason", fault))


def _is_required(step: _Step, view: _View) -> bool:
    if step.key in view.hidden:
        return False
    return step.required or (step.required_if is not None and view.holds(step.required_if))


def _is_done(step: _Step, view: _View) -> bool:
    answer = view.answers.get(step.key)
    if step.kind == "photo":
        return _is_excused(answer) or view.photos.get(step.key, 0) > 0
    return _is_given(answer)


def _check_complete(step: _Step, view: _View, found: list[Finding]) -> None:
    """Find what is missing at one step: its answer when required, its photos when the photo rule asks for them.

    Without a condition of its own, the photo rule follows the step: photos are due once the step is required, answered
    or has a photo. "Not applicable" and "equipment unavailable" excuse the answer and the photos.
    """
    if step.key in view.hidden or _is_excused(view.answers.get(step.key)):
        return
    required, done = _is_required(step, view), _is_done(step, view)
    if required and not done and step.kind != "photo":
        found.append(Finding(f"/answers/{step.key}", "required"))
    rule = step.photos
    if rule is None:
        return
    taken = view.photos.get(step.key, 0)
    due = view.holds(rule.condition) if rule.condition is not None else required or done or taken > 0
    due = due or (step.kind == "photo" and (required or taken > 0))
    if due and taken < rule.low:
        found.append(Finding(f"/photos/{step.key}", "photos-missing"))
