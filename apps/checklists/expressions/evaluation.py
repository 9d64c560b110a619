"""What an expression means: values, null rules, comparison. Evaluation is total: it never raises.

Three-valued logic: null stands for "not known (yet)". The rules are written out in `docs/expressions.md`; the
vectors in `tests/vectors/expressions.json` pin them for every implementation.
"""

from collections.abc import Mapping
from decimal import Decimal

from apps.checklists.expressions.tokens import DECIMAL_SHAPE
from apps.checklists.expressions.tree import (
    And,
    Call,
    Compare,
    In,
    Literal,
    Node,
    Not,
    Or,
    ReportField,
    StepAnswer,
)

Value = bool | Decimal | str | tuple[str, ...] | None
"""What an expression can give: null, a boolean, a number, a string, or the chosen options of a multi step."""

_SAFE_INTEGER = 2**53 - 1
_FRACTION_DIGITS = 18


def to_decimal(number: float) -> Decimal | None:
    """Read a JSON number as its shortest exact decimal; None when a phone could not hold it exactly.

    Magnitudes above 2^53 - 1, more than 18 fractional digits, NaN and infinities give None.
    """
    if not -_SAFE_INTEGER <= number <= _SAFE_INTEGER:
        return None
    if isinstance(number, int):
        return Decimal(number)
    exact = Decimal(repr(number))
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_FRACTION_DIGITS:
        return None
    return exact


def evaluate(
    tree: Node,
    answers: Mapping[str, object],
    report: Mapping[str, object],
    photos: Mapping[str, int] | None = None,
) -> Value:
    """Evaluate over the answers of a report, its header fields and its photo counts by step. Never raises."""
    return _Evaluation(answers, report, photos or {}).value(tree)


def holds(
    tree: Node,
    answers: Mapping[str, object],
    report: Mapping[str, object],
    photos: Mapping[str, int] | None = None,
) -> bool:
    """Say whether the condition is true; false and null both mean that it does not hold."""
    return evaluate(tree, answers, report, photos) is True


def _plain(raw: object) -> Value:
    """Turn a JSON value into a Value; empty strings and lists, and shapes without a meaning, are null."""
    if isinstance(raw, str):
        return raw or None
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, int | float):
        return to_decimal(raw)
    if isinstance(raw, list | tuple):
        chosen = tuple(item for item in raw if isinstance(item, str))
        return chosen if chosen and len(chosen) == len(raw) else None
    if isinstance(raw, dict):
        named = raw.get("raw", raw.get("name"))
        return named if isinstance(named, str) and named else None
    return None


def _number(value: Value, node: Node) -> Decimal | None:
    """Read as a number: numbers, and unquoted strings of decimal shape (an answer's "12.50")."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and not isinstance(node, Literal) and DECIMAL_SHAPE.fullmatch(value):
        return Decimal(value)
    return None


def _negated(value: Value) -> bool | None:
    return not value if isinstance(value, bool) else None


class _Evaluation:
    """One evaluation: the data and the walk over the tree."""

    __slots__ = ("_answers", "_photos", "_report")

    def __init__(
        self, answers: Mapping[str, object], report: Mapping[str, object], photos: Mapping[str, int]
    ) -> None:
        self._answers = answers
        self._report = report
        self._photos = photos

    def value(self, node: Node) -> Value:
        if isinstance(node, StepAnswer | ReportField):
            return self._reference(node)
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Call):
            return self._call(node)
        return self._truth(node)

    def _truth(self, node: Compare | In | Not | And | Or) -> bool | None:
        match node:
            case Compare():
                return self._compare(node)
            case In(left, items, negated):
                found = self._member(left, items)
                return _negated(found) if negated else found
            case Not(item):
                return _negated(self.value(item))
            case And(items):
                return self._all(items)
            case Or(items):
                return self._any(items)

    def _reference(self, node: StepAnswer | ReportField) -> Value:
        if isinstance(node, ReportField):
            return _plain(self._report.get(node.field))
        answer = self._answers.get(node.key)
        if not isinstance(answer, dict) or answer.get("na") is True or answer.get("unavailable") is True:
            return None
        return _plain(answer.get("value"))

    def _all(self, items: tuple[Node, ...]) -> bool | None:
        unknown = False
        for item in items:
            value = self.value(item)
            if value is False:
                return False
            unknown = unknown or value is not True
        return None if unknown else True

    def _any(self, items: tuple[Node, ...]) -> bool | None:
        unknown = False
        for item in items:
            value = self.value(item)
            if value is True:
                return True
            unknown = unknown or value is not False
        return None if unknown else False

    def _call(self, node: Call) -> Value:
        target = node.target
        if isinstance(target, StepAnswer):
            if node.name == "photos":
                return self._photo_count(target.key)
            if node.name in {"na", "unavailable"}:
                answer = self._answers.get(target.key)
                return isinstance(answer, dict) and answer.get(node.name) is True
        value = self._reference(target)
        if node.name == "answered":
            return value is not None
        if node.name == "count":
            return Decimal(0 if value is None else len(value) if isinstance(value, tuple) else 1)
        if value is None:
            return None
        return node.argument in value if isinstance(value, tuple) else node.argument == value

    def _photo_count(self, key: str) -> Decimal:
        taken = self._photos.get(key, 0)
        counted = isinstance(taken, int) and not isinstance(taken, bool) and taken > 0
        return Decimal(min(taken, _SAFE_INTEGER) if counted else 0)

    def _compare(self, node: Compare) -> bool | None:
        left, right = self.value(node.left), self.value(node.right)
        if node.operator == "=":
            return self._same(node.left, left, node.right, right)
        if node.operator == "!=":
            return _negated(self._same(node.left, left, node.right, right))
        return self._ordered(node, left, right)

    def _same(self, left_node: Node, left: Value, right_node: Node, right: Value) -> bool | None:
        if left_node == Literal(None) or right_node == Literal(None):
            return left is None and right is None
        if left is None or right is None or isinstance(left, tuple) or isinstance(right, tuple):
            return None
        left_number, right_number = _number(left, left_node), _number(right, right_node)
        if left_number is not None and right_number is not None:
            return left_number == right_number
        return type(left) is type(right) and left == right

    def _ordered(self, node: Compare, left: Value, right: Value) -> bool | None:
        left_number, right_number = _number(left, node.left), _number(right, node.right)
        if left_number is not None and right_number is not None:
            order = (left_number > right_number) - (left_number < right_number)
        elif isinstance(left, str) and isinstance(right, str):
            order = (left > right) - (left < right)
        else:
            return None
        match node.operator:
            case "<":
                return order < 0
            case "<=":
                return order <= 0
            case ">":
                return order > 0
        return order >= 0

    def _member(self, left_node: Node, items: tuple[Literal, ...]) -> bool | None:
        left = self.value(left_node)
        if left is None or isinstance(left, tuple):
            return None
        return any(self._same(left_node, left, item, item.value) is True for item in items)
