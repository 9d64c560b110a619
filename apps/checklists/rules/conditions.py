"""Do the conditions of a content make sense? They parse, refer to what exists, compare like with like, have no cycle.

The language itself is in `expressions`; the shape of the content around the conditions was checked before.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from apps.checklists.expressions import (
    Call,
    Compare,
    ExpressionError,
    In,
    Literal,
    Node,
    ReportField,
    StepAnswer,
    parse,
    references,
    walk,
)
from apps.checklists.rules.words import content_problem, expression_problem
from apps.common.errors import Problem

REPORT_VALUES: dict[str, frozenset[str] | None] = {
    "type": None,
    "channel": None,
    "means_used": None,
    "mode": None,
    "place_type": None,
    "direction": frozenset(
        {"import", "export", "transit", "inward_passenger", "outward_passenger", "transshipment", "internal"}
    ),
    "selection_reason": frozenset(
        {
            "declared",
            "targeted",
            "suspicion_observed",
            "random",
            "alert_hit",
            "joint_request",
            "mandatory_100pct",
        }
    ),
    "outcome": frozenset(
        {"nothing_found", "released", "referred", "finding", "suspicion_open", "refused", "aborted"}
    ),
}
"""The header fields a condition may use, with their values where these are fixed (dictionary 3.7)."""

_WITHOUT_VALUE = frozenset({"photos", "na", "unavailable"})

Steps = dict[str, dict[str, Any]]


def check_conditions(placed: Sequence[tuple[str, dict[str, Any]]]) -> list[Problem]:
    """List the faults of all conditions of a content whose shape is sound; `placed` gives steps with pointers."""
    steps: Steps = {step["key"]: step for _pointer, step in placed}
    problems: list[Problem] = []
    shown_after: dict[str, tuple[str, ...]] = {}
    for pointer, step in placed:
        for place, text in _conditions(pointer, step):
            try:
                tree = parse(text)
            except ExpressionError as error:
                problems.append(expression_problem(place, error.code, error.position))
                continue
            codes = dict.fromkeys(
                _faults(tree, step, steps, own_photos=place.endswith("/photos/required_if"))
            )
            problems.extend(content_problem(place, code) for code in codes)
            if place.endswith("/visible_if"):
                shown_after[step["key"]] = references(tree)
    circular = _in_cycles(shown_after)
    problems.extend(
        content_problem(f"{pointer}/visible_if", "condition-cycle")
        for pointer, step in placed
        if step["key"] in circular
    )
    return problems


def _conditions(pointer: str, step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the pointer and text of each condition of a step; null means that there is none."""
    for field in ("required_if", "visible_if"):
        if step.get(field) is not None:
            yield f"{pointer}/{field}", step[field]
    rule = step.get("photos")
    if rule and rule.get("required_if") is not None:
        yield f"{pointer}/photos/required_if", rule["required_if"]


def _faults(tree: Node, step: dict[str, Any], steps: Steps, *, own_photos: bool) -> Iterator[str]:
    """Yield the code of each fault. Photos may depend on the answer of their own step; nothing else may."""
    if not own_photos and step["key"] in references(tree):
        yield "self-reference"
    valueless = {
        id(node.target) for node in walk(tree) if isinstance(node, Call) and node.name in _WITHOUT_VALUE
    }
    for node in walk(tree):
        if isinstance(node, StepAnswer):
            if node.key not in steps:
                yield "step-unknown"
            elif steps[node.key]["kind"] == "photo" and id(node) not in valueless:
                yield "reference-without-value"
        elif isinstance(node, ReportField):
            if node.field not in REPORT_VALUES:
                yield "report-field-unknown"
        elif isinstance(node, Call):
            yield from _call_faults(node, steps)
        elif isinstance(node, Compare | In):
            yield from _comparison_faults(node, steps)


def _comparison_faults(node: Compare | In, steps: Steps) -> Iterator[str]:
    if isinstance(node, Compare):
        yield from _pair_faults(node.left, node.right, steps)
        yield from _pair_faults(node.right, node.left, steps)
    else:
        for item in node.items:
            yield from _pair_faults(node.left, item, steps)


def _call_faults(node: Call, steps: Steps) -> Iterator[str]:
    if not isinstance(node.target, StepAnswer) or node.target.key not in steps:
        return
    target = steps[node.target.key]
    if node.name == "photos" and not target.get("photos"):
        yield "photos-not-asked"
    if node.name == "selected":
        if target["kind"] not in {"choice", "multi"}:
            yield "selected-not-choice"
        elif node.argument not in _options(target):
            yield "option-unknown"


def _pair_faults(side: Node, other: Node, steps: Steps) -> Iterator[str]:
    """Judge one side of a comparison, a step or header field, against the other when that is a literal."""
    if isinstance(side, ReportField):
        values = REPORT_VALUES.get(side.field)
        if values and isinstance(other, Literal) and other.value is not None and other.value not in values:
            yield "report-value-unknown"
    if not isinstance(side, StepAnswer) or side.key not in steps:
        return
    step = steps[side.key]
    if isinstance(other, Literal) and other.value is None:
        return
    if step["kind"] == "multi":
        yield "list-compared"
    elif isinstance(other, Literal):
        if not isinstance(other.value, _literal_type(step["kind"])):
            yield "comparison-never-true"
        elif step["kind"] == "choice" and other.value not in _options(step):
            yield "option-unknown"


def _literal_type(kind: str) -> type:
    if kind == "bool":
        return bool
    return Decimal if kind in {"number", "measure"} else str


def _options(step: dict[str, Any]) -> frozenset[str]:
    return frozenset(option["value"] for option in step["options"])


def _in_cycles(edges: dict[str, tuple[str, ...]]) -> frozenset[str]:
    """Find the keys that reach themselves, by removing again and again those that depend on none of the rest."""
    left = {key: set(targets) for key, targets in edges.items()}
    while True:
        free = [key for key, targets in left.items() if not targets & left.keys()]
        if not free:
            return frozenset(left)
        for key in free:
            del left[key]
