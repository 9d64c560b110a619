"""The expression language of `required_if` and `visible_if`: parse, render, list references, evaluate.

This package is pure and knows nothing of checklists beyond "an answer has a key": which keys exist and
whether a condition makes sense for the kind of a step is decided in `rules`. The language is defined in
`docs/expressions.md` and by `tests/vectors/expressions.json`, which the phone's TypeScript port runs too.
Change all three together.
"""

from apps.checklists.expressions.evaluation import Value, evaluate, holds, to_decimal
from apps.checklists.expressions.parser import MAX_DEPTH, parse
from apps.checklists.expressions.tokens import (
    DECIMAL_SHAPE,
    MAX_LENGTH,
    MAX_NAME_LENGTH,
    RESERVED,
    ExpressionError,
)
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
    references,
    render,
    report_fields,
    walk,
)

__all__ = [
    "DECIMAL_SHAPE",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_NAME_LENGTH",
    "RESERVED",
    "And",
    "Call",
    "Compare",
    "ExpressionError",
    "In",
    "Literal",
    "Node",
    "Not",
    "Or",
    "ReportField",
    "StepAnswer",
    "Value",
    "evaluate",
    "holds",
    "parse",
    "references",
    "render",
    "report_fields",
    "to_decimal",
    "walk",
]
