"""The expression language against its shared vectors, and its laws on arbitrary input."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.checklists import expressions as ex

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "expressions.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = VECTORS["cases"]


def as_json(value: ex.Value) -> object:
    """Write a value as the vectors do: numbers as {"number": "…"}."""
    if isinstance(value, Decimal):
        return {"number": format(value, "f")}
    return list(value) if isinstance(value, tuple) else value


def same(given_value: object, expected: object) -> bool:
    """Compare two vector values; numbers by value."""
    if isinstance(expected, dict):
        return isinstance(given_value, dict) and Decimal(given_value["number"]) == Decimal(expected["number"])
    return type(given_value) is type(expected) and given_value == expected


@pytest.mark.parametrize("case", [c for c in CASES if "expected" in c], ids=lambda c: c["name"])
def test_vector_value(case: dict[str, Any]) -> None:
    tree = ex.parse(case["expression"])
    scope = (case.get("answers", {}), case.get("report", {}), case.get("photos", {}))
    value = as_json(ex.evaluate(tree, *scope))
    assert same(value, case["expected"]), value
    assert ex.holds(tree, *scope) is (value is True)
    assert ex.parse(ex.render(tree)) == tree


@pytest.mark.parametrize("case", [c for c in CASES if "error" in c], ids=lambda c: c["name"])
def test_vector_error(case: dict[str, Any]) -> None:
    with pytest.raises(ex.ExpressionError) as caught:
        ex.parse(case["expression"])
    found = {"code": caught.value.code, "position": caught.value.position}
    assert found == case["error"]


def test_there_are_enough_vectors_with_unique_names() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) >= 120
    assert len(set(names)) == len(names)


def test_every_error_code_has_a_vector_and_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "expressions.md").read_text(encoding="utf-8")
    codes = {case["error"]["code"] for case in CASES if "error" in case}
    assert codes == {
        "bad-argument", "bad-escape", "bad-name", "bad-number", "bad-string", "empty", "too-deep", "too-long",
        "unexpected-character", "unexpected-end", "unexpected-token", "unknown-function", "unknown-namespace",
        "unterminated-string",
    }  # fmt: skip
    assert all(f"`{code}`" in page for code in codes)


def test_references_are_listed_once_in_order() -> None:
    tree = ex.parse(
        "b = 1 or selected(a, 'x') and not b in [2] or report.outcome = 'finding' and photos(c) > 0"
    )
    assert ex.references(tree) == ("b", "a", "c")
    assert ex.report_fields(tree) == ("outcome",)


def test_render_keeps_the_grouping_that_matters() -> None:
    assert ex.render(ex.parse("((a) or (b and c))")) == "a or b and c"
    assert ex.render(ex.parse("not(a or b)and(c=(d<1))")) == "not (a or b) and c = (d < 1)"
    assert ex.render(ex.parse(r"a='it\'s \\'")) == r"a = 'it\'s \\'"


keys = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda key: key not in ex.RESERVED)
strings = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("'\\"),
    max_size=6,
)
decimals = st.from_regex(ex.DECIMAL_SHAPE, fullmatch=True).filter(str.isascii).map(Decimal)
scalars = (decimals | strings | st.booleans()).map(ex.Literal)
steps = keys.map(ex.StepAnswer)
targets = steps | keys.map(ex.ReportField)
calls = (
    st.builds(ex.Call, st.sampled_from(["answered", "count"]), targets)
    | st.builds(ex.Call, st.sampled_from(["na", "unavailable", "photos"]), steps)
    | st.builds(ex.Call, st.just("selected"), targets, strings)
)
operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return (
        st.builds(ex.Compare, operators, inner, inner)
        | st.builds(ex.In, inner, st.lists(scalars, min_size=1, max_size=3).map(tuple), st.booleans())
        | st.builds(ex.Not, inner)
        | several.map(ex.And)
        | several.map(ex.Or)
    )


trees = st.recursive(scalars | st.just(ex.Literal(None)) | targets | calls, _grown, max_leaves=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
answers_of_any_shape = st.dictionaries(
    keys,
    json_values
    | json_values.map(lambda value: {"value": value})
    | json_values.map(lambda value: {"na": value})
    | json_values.map(lambda value: {"value": {"raw": value}}),
    max_size=4,
)
keywords = "and or not in null true report answered selected count"
words = f"{keywords} ( ) [ ] , . = != < <= ' \\ - 0 1.5 outcome a b 'x' É 😀"
pieces = st.lists(st.sampled_from([*words.split(), "\x00"]), max_size=30)


@given(st.text() | pieces.map(" ".join) | pieces.map("".join))
def test_any_text_parses_or_gives_a_placed_error(text: str) -> None:
    try:
        tree = ex.parse(text)
    except ex.ExpressionError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - the error is one of two lawful outcomes
    else:
        assert ex.parse(ex.render(tree)) == tree
        assert isinstance(ex.holds(tree, {}, {}), bool)


@given(trees)
def test_render_then_parse_gives_the_same_tree(tree: ex.Node) -> None:
    text = ex.render(tree)
    assume(len(text) <= ex.MAX_LENGTH)
    again = ex.parse(text)
    assert again == tree
    assert ex.render(again) == text


@given(trees, answers_of_any_shape, st.dictionaries(keys, json_values, max_size=3))
def test_evaluation_is_total_and_repeatable(
    tree: ex.Node, answers: dict[str, object], report: dict[str, object]
) -> None:
    value = ex.evaluate(tree, answers, report)
    assert value is None or isinstance(value, bool | Decimal | str | tuple)
    assert ex.evaluate(tree, answers, report) == value


@given(trees, answers_of_any_shape)
def test_double_negation_and_de_morgan(tree: ex.Node, answers: dict[str, object]) -> None:
    def value(node: ex.Node) -> ex.Value:
        return ex.evaluate(node, answers, {})

    other = ex.StepAnswer("a")
    assert value(ex.Not(ex.And((tree, other)))) == value(ex.Or((ex.Not(tree), ex.Not(other))))
    assert value(ex.Not(ex.Not(ex.Not(tree)))) == value(ex.Not(tree))


def test_deep_and_long_text_is_refused_quickly() -> None:
    for hostile in ("(" * 10**6, "not " * 10**6, "a or " * 10**6, "'" * 10**6):
        with pytest.raises(ex.ExpressionError, match="too-long"):
            ex.parse(hostile)
