"""Answers against a compiled checklist: each kind of step, conditions, photos, NA, and hostile input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.checklists import errors, rules
from apps.checklists.demo import load_checklists
from apps.checklists.rules.content import steps_of
from apps.checklists.rules.words import ANSWER_WORDS
from tests.unit.test_checklist_rules import content, step

VERSIONS = [
    pytest.param(version["content"], id=f"{checklist['code']}-{version['semver']}")
    for checklist in load_checklists()
    for version in checklist["versions"]
]
COMPILED = [
    rules.compile_answers(version["content"])
    for checklist in load_checklists()
    for version in checklist["versions"]
]
FIELDS = st.sampled_from(["value", "na", "unavailable", "reason", "note", "raw", "symbology", "name"])
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=6,
)
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "answers.json").read_text(encoding="utf-8"))


def check(
    steps: list[dict[str, Any]],
    answers: object,
    photos: dict[str, int] | None = None,
    *,
    final: bool = True,
    **report: Any,
) -> list[tuple[str, str]]:
    compiled = rules.compile_answers(content(*steps))
    return [
        (found.pointer, found.code) for found in compiled.check(answers, report, photos or {}, final=final)
    ]


def value(given_value: object) -> dict[str, Any]:
    return {"a": {"value": given_value}}


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_vector(case: dict[str, Any]) -> None:
    """Values, shapes, excuses, conditions, completeness and photos: one case each, shared with the phone."""
    judge(rules.compile_answers(content(*case["steps"])), case)


@pytest.mark.parametrize("walk", VECTORS["walks"], ids=lambda walk: walk["name"])
def test_vector_walk(walk: dict[str, Any]) -> None:
    versions = {
        (checklist["code"], version["semver"]): version["content"]
        for checklist in load_checklists()
        for version in checklist["versions"]
    }
    judge(rules.compile_answers(versions[walk["checklist"], walk["semver"]]), walk)


def judge(compiled: rules.CompiledChecklist, case: dict[str, Any]) -> None:
    """Compare everything a vector expects."""
    answers, report, photos = case["answers"], case.get("report", {}), case.get("photos", {})
    found = compiled.check(answers, report, photos, final=not case.get("draft", False))
    assert [[one.pointer, one.code] for one in found] == case["found"]
    if "visible" in case:
        assert list(compiled.visible_steps(answers, report, photos)) == case["visible"]
        assert list(compiled.progress(answers, report, photos)) == case["progress"]


def test_the_vectors_cover_every_code() -> None:
    names = [case["name"] for case in VECTORS["cases"]]
    assert len(set(names)) == len(names)
    assert {code for case in VECTORS["cases"] for _pointer, code in case["found"]} == ANSWER_WORDS.keys()
    assert rules.Finding("/answers/b", "answer-not-visible").is_warning
    assert not rules.Finding("/answers/b", "required").is_warning


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (2**63 - 1, None), (-(2**63), None), (2**63, "out-of-range"), (-(2**63) - 1, "out-of-range"),
        (float("nan"), "out-of-range"), (float("inf"), "out-of-range"), (1e300, "out-of-range"),
        (10**400, "out-of-range"), ("1" * 10**6, "bad-number"),
    ],
)  # fmt: skip
def test_numbers_that_no_phone_can_write(made: object, found: str | None) -> None:
    expected = [("/answers/a/value", found)] if found else []
    assert check([step("a", "number")], value(made), final=False) == expected


def test_the_longest_text() -> None:
    assert check([step("a", "text")], value("x" * 4000)) == []
    assert check([step("a", "text")], value("x" * 4001)) == [("/answers/a/value", "too-long")]


class TestHostile:
    @pytest.mark.parametrize("answers", [None, [], "x", 5, [["a", {"value": True}]]])
    def test_answers_that_are_no_object(self, answers: object) -> None:
        assert check([step("a")], answers) == [("/answers", "wrong-type")]

    def test_unknown_steps_are_named_safely(self) -> None:
        found = check([step("a")], {"b/c~d": {}, "\ud800\x00": {}, "x" * 999: {}})
        assert [code for _pointer, code in found] == ["unknown-step"] * 3
        assert found[0][0] == "/answers/b~1c~0d"
        assert all(len(pointer) < 100 and pointer.isascii() for pointer, _code in found)

    def test_findings_are_bounded(self) -> None:
        assert len(check([step("a")], {f"k{number}": {} for number in range(5000)})) == 200

    def test_deep_nesting_is_no_trouble(self) -> None:
        deep: Any = "x"
        for _ in range(100_000):
            deep = {"raw": deep}
        assert check([step("a", "scan", required=True)], value(deep))
        for _ in range(100_000):
            deep = deep["raw"]

    def test_unsound_content_is_not_compiled(self) -> None:
        with pytest.raises(errors.ContentNotValid):
            rules.compile_answers(content(step("a", visible_if="b"), step("b", visible_if="a")))

    @settings(max_examples=300)
    @given(number=st.integers(0, len(VERSIONS) - 1), data=st.data())
    def test_any_json_is_judged_and_the_findings_can_be_sent(self, number: int, data: st.DataObject) -> None:
        compiled = COMPILED[number]
        keys = st.sampled_from(compiled.keys) | st.text(max_size=4)
        answers = data.draw(
            st.dictionaries(keys, TREES | st.dictionaries(FIELDS, TREES, max_size=3), max_size=6)
        )
        report = data.draw(st.dictionaries(st.sampled_from(["outcome", "direction", "means_used"]), TREES))
        for final in (True, False):
            for found in compiled.check(answers, report, {}, final=final):
                assert found.code in ANSWER_WORDS
                json.dumps(found.pointer).encode("utf-8")
        compiled.progress(answers, report, {})


GOOD: dict[str, Any] = {
    "bool": True,
    "text": "Không có gì đặc biệt",
    "scan": {"raw": "EE556000393VN", "symbology": "manual"},
    "sign": {"name": "Nguyễn Văn A"},
}


def good_value(made: dict[str, Any]) -> object:
    kind = made["kind"]
    if kind in {"choice", "multi"}:
        last = made["options"][-1]["value"]
        return last if kind == "choice" else [last]
    if kind in {"number", "measure"}:
        return made["max"]
    return "2026-12-31" if made.get("pattern") else GOOD[kind]


@pytest.mark.parametrize("made", VERSIONS)
def test_each_demo_checklist_can_be_filled_in_and_submitted(made: dict[str, Any]) -> None:
    """Fill in what is shown, with the most telling answers, until nothing new is shown."""
    compiled = rules.compile_answers(made)
    steps = {part["key"]: part for part in steps_of(made)}
    report = {"outcome": "finding", "direction": "inward_passenger", "selection_reason": "alert_hit"}
    answers: dict[str, Any] = {}
    photos: dict[str, int] = {}
    assert any(found.code == "required" for found in compiled.check({}, report, {}, final=True))
    for _ in range(4):
        for key in compiled.visible_steps(answers, report, photos):
            if steps[key]["kind"] != "photo":
                answers[key] = {"value": good_value(steps[key])}
            if "photos" in steps[key]:
                photos[key] = max(1, steps[key]["photos"]["min"])
    assert compiled.check(answers, report, photos, final=True) == []
    required, answered = compiled.progress(answers, report, photos)
    assert required == answered > 5
