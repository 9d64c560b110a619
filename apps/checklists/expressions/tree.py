"""The parsed form of an expression: its nodes, how to write them back as text, and what they refer to.

Nodes are immutable values. They hold no behaviour: evaluation is in `evaluation`, parsing in `parser`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a quoted string, true, false or null."""

    value: Decimal | str | bool | None


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """The answer to the step with this key."""

    key: str


@dataclass(frozen=True, slots=True)
class ReportField:
    """A header field of the report: `report.outcome`."""

    field: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one answer or header field; `argument` is the option of `selected`."""

    name: str
    target: StepAnswer | ReportField
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands and one of = != < <= > >=."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class In:
    """Membership of a list of literals; `negated` for `not in`."""

    left: "Node"
    items: tuple[Literal, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """Logical negation."""

    item: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction of two or more."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction of two or more."""

    items: tuple["Node", ...]


Node = Literal | StepAnswer | ReportField | Call | Compare | In | Not | And | Or


def walk(tree: Node) -> Iterator[Node]:
    """Yield the node and everything below it, left to right."""
    yield tree
    match tree:
        case And(items) | Or(items):
            children: tuple[Node, ...] = items
        case Not(item):
            children = (item,)
        case Compare(_, left, right):
            children = (left, right)
        case In(left, items, _):
            children = (left, *items)
        case Call(_, target, _):
            children = (target,)
        case _:
            children = ()
    for child in children:
        yield from walk(child)


def references(tree: Node) -> tuple[str, ...]:
    """List the step keys the expression uses, each once, in order of first use."""
    return tuple(dict.fromkeys(node.key for node in walk(tree) if isinstance(node, StepAnswer)))


def report_fields(tree: Node) -> tuple[str, ...]:
    """List the header fields of the report the expression uses, each once, in order of first use."""
    return tuple(dict.fromkeys(node.field for node in walk(tree) if isinstance(node, ReportField)))


def render(tree: Node) -> str:
    """Write the expression as text that parses to an equal tree, with only the parentheses it needs."""
    match tree:
        case Or(items):
            return " or ".join(_wrapped(item, (Or,)) for item in items)
        case And(items):
            return " and ".join(_wrapped(item, (Or, And)) for item in items)
        case Not(item):
            return f"not {_wrapped(item, (Or, And))}"
        case Compare(operator, left, right):
            return f"{_operand(left)} {operator} {_operand(right)}"
        case In(left, literals, negated):
            listed = ", ".join(_literal(item) for item in literals)
            return f"{_operand(left)} {'not in' if negated else 'in'} [{listed}]"
    return _atom(tree)


def _wrapped(node: Node, kinds: tuple[type, ...]) -> str:
    text = render(node)
    return f"({text})" if isinstance(node, kinds) else text


def _operand(node: Node) -> str:
    return _wrapped(node, (Or, And, Not, Compare, In))


def _atom(node: Node) -> str:
    match node:
        case StepAnswer(key):
            return key
        case ReportField(field):
            return f"report.{field}"
        case Call(name, target, argument):
            inside = _atom(target) if argument is None else f"{_atom(target)}, {_quoted(argument)}"
            return f"{name}({inside})"
        case Literal():
            return _literal(node)
    raise AssertionError(node)  # pragma: no cover - render() handles every other node


def _literal(node: Literal) -> str:
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
