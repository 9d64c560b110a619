"""Answers against a compiled checklist: each kind of step, conditions, photos, NA, and hostile input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.checklists import errors, rules
from apps.checklists.demo import load_checklists
from apps.checklists.rules.content import steps_of
from apps.checklists.rules.words import ANSWER_WORDS
from tests.unit.test_checklist_rules import PHOTOS, content, step

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
UUID = "0193a6f0-0000-7000-8000-000000000001"


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


TEXT = step("a", "text")
NUMBER = step("a", "number", decimals=2, min="-1", max=100)
PATTERN = step("a", "text", max_length=20, pattern=r"\d{4}-\d{2}")
SCAN = step("a", "scan", symbology=["code_128", "qr"])
SIGN = step("a", "sign")


@pytest.mark.parametrize(
    ("made", "good"),
    [
        (step("a"), True), (step("a"), False), (step("a"), None),
        (step("a", "choice"), "b"), (step("a", "multi"), []), (step("a", "multi"), ["b", "a"]),
        (NUMBER, 0), (NUMBER, 12.34), (NUMBER, "12.3400"), (NUMBER, "-0.99"), (NUMBER, 100), (NUMBER, -1),
        (step("a", "number"), 2**63 - 1), (step("a", "number"), -(2**63)), (step("a", "number"), "999999999999999999"),
        (step("a", "measure"), "0.0001"), (step("a", "measure"), 5e-05 * 2),
        (TEXT, "Có mùi lạ,\n\tđã thông gió 😀"), (TEXT, "x" * 4000), (PATTERN, "2024-08"), (PATTERN, ""),
        (SCAN, {"raw": "EE556000393VN", "symbology": "code_128"}), (SCAN, {"raw": "gõ tay", "symbology": "manual"}),
        (SIGN, {"name": "Nguyễn Văn A"}), (SIGN, {"name": "A", "attachment": UUID}),
    ],
)  # fmt: skip
def test_values_that_are_taken(made: dict[str, Any], good: object) -> None:
    assert check([made], value(good)) == []


@pytest.mark.parametrize(
    ("made", "bad", "code"),
    [
        (step("a"), "true", "wrong-type"), (step("a"), 1, "wrong-type"), (step("a"), 0, "wrong-type"),
        (step("a", "choice"), "c", "unknown-option"), (step("a", "choice"), ["a"], "wrong-type"),
        (step("a", "choice"), True, "wrong-type"), (step("a", "choice"), {}, "wrong-type"),
        (step("a", "multi"), "a", "wrong-type"), (step("a", "multi"), ["a", "c"], "unknown-option"),
        (step("a", "multi"), ["a", "a"], "duplicate-option"), (step("a", "multi"), ["a"] * 9, "duplicate-option"),
        (step("a", "multi"), [["a"]], "wrong-type"), (step("a", "multi"), [None] * 9, "wrong-type"),
        (NUMBER, "12.345", "too-many-decimals"), (NUMBER, 12.345, "too-many-decimals"),
        (NUMBER, 0.1 + 0.2, "too-many-decimals"), (NUMBER, "100.01", "above-maximum"), (NUMBER, -2, "below-minimum"),
        (NUMBER, True, "wrong-type"), (NUMBER, [1], "wrong-type"), (NUMBER, "", "bad-number"),
        (NUMBER, "1e2", "bad-number"), (NUMBER, "1,5", "bad-number"), (NUMBER, " 1", "bad-number"),
        (NUMBER, "007", "bad-number"), (NUMBER, "NaN", "bad-number"), (NUMBER, "１", "bad-number"),
        (NUMBER, "1" * 10**6, "bad-number"), (NUMBER, float("nan"), "out-of-range"),
        (NUMBER, float("inf"), "out-of-range"), (NUMBER, 1e300, "out-of-range"), (NUMBER, 10**400, "out-of-range"),
        (step("a", "number"), 2**63, "out-of-range"), (step("a", "number"), -(2**63) - 1, "out-of-range"),
        (step("a", "number"), 1.5, "too-many-decimals"), (step("a", "measure"), "0.00005", "too-many-decimals"),
        (TEXT, 5, "wrong-type"), (TEXT, "x" * 4001, "too-long"), (TEXT, "a\x00b", "bad-character"),
        (TEXT, "a\ud800b", "bad-character"), (TEXT, "a\x1bb", "bad-character"), (TEXT, "a\u202eb", "bad-character"),
        (TEXT, "a\uffffb", "bad-character"), (PATTERN, "2024-8", "pattern-mismatch"),
        (PATTERN, "2024-08\n", "pattern-mismatch"), (PATTERN, "٢٠٢٤-٠٨", "pattern-mismatch"),
        (PATTERN, "x" * 21, "too-long"),
        (SCAN, "EE556000393VN", "wrong-type"), (SCAN, {"raw": "x"}, "wrong-type"),
        (SCAN, {"raw": 1, "symbology": "qr"}, "wrong-type"), (SCAN, {"raw": "x", "symbology": ["qr"]}, "wrong-type"),
        (SCAN, {"raw": "x", "symbology": "aztec"}, "symbology-not-allowed"),
        (SCAN, {"raw": "x", "symbology": "morse"}, "unknown-symbology"),
        (SCAN, {"raw": "x" * 501, "symbology": "qr"}, "too-long"),
        (SCAN, {"raw": "x", "symbology": "qr", "z": 1}, "unknown-field"),
        (SIGN, "Nguyễn Văn A", "wrong-type"), (SIGN, {"name": 1}, "wrong-type"), (SIGN, {}, "wrong-type"),
        (SIGN, {"name": "A", "attachment": "../../x"}, "wrong-type"), (SIGN, {"name": "A", "x": 1}, "unknown-field"),
        (SIGN, {"name": "x" * 201}, "too-long"), (step("a", "photo"), "x.jpg", "wrong-type"),
    ],
)  # fmt: skip
def test_values_that_are_refused(made: dict[str, Any], bad: object, code: str) -> None:
    """Drafts refuse them too: what is stored is always well-formed."""
    assert check([made], value(bad), final=False) == [("/answers/a/value", code)]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (True, [("/answers/a", "answer-shape")]),
        (None, [("/answers/a", "answer-shape")]),
        ({}, []),
        ({"note": "để sau"}, []),
        ({"note": "x\x00"}, [("/answers/a/note", "bad-character")]),
        ({"note": 5}, [("/answers/a/note", "wrong-type")]),
        ({"value": True, "extra": 1}, [("/answers/a", "unknown-field")]),
        ({"value": True, "na": True, "reason": "x"}, [("/answers/a", "answer-shape")]),
        ({"value": True, "reason": "x"}, [("/answers/a", "answer-shape")]),
        ({"na": True, "reason": "Không có hành lý ký gửi"}, []),
        ({"na": True}, [("/answers/a/reason", "reason-missing")]),
        ({"na": True, "reason": " \n"}, [("/answers/a/reason", "reason-missing")]),
        ({"na": True, "reason": 4}, [("/answers/a/reason", "wrong-type")]),
        ({"na": True, "reason": "x" * 501}, [("/answers/a/reason", "too-long")]),
        ({"na": "yes", "reason": "x"}, [("/answers/a", "answer-shape")]),
        ({"na": False, "reason": "x"}, [("/answers/a", "answer-shape")]),
        ({"unavailable": True, "reason": "Máy soi hỏng"}, []),
        ({"unavailable": True}, [("/answers/a/reason", "reason-missing")]),
    ],
)
def test_shapes_of_an_answer(answer: object, found: list[tuple[str, str]]) -> None:
    assert check([step("a", allow_na=True)], {"a": answer}) == found


def test_na_only_where_it_is_allowed_and_a_signature_needs_no_equipment() -> None:
    excuse = {"a": {"na": True, "reason": "x"}}
    assert check([step("a")], excuse, final=False) == [("/answers/a", "na-not-allowed")]
    broken = {"a": {"unavailable": True, "reason": "x"}}
    assert check([SIGN], broken) == [("/answers/a", "unavailable-not-allowed")]


class TestCompleteness:
    @pytest.mark.parametrize("kind", ["bool", "choice", "multi", "number", "text", "scan", "measure", "sign"])
    def test_a_required_step_must_be_answered_in_the_end(self, kind: str) -> None:
        made = step("a", kind, required=True)
        assert check([made], {}, final=False) == []
        assert check([made], {}) == [("/answers/a", "required")]
        assert check([made], value(None)) == [("/answers/a", "required")]

    @pytest.mark.parametrize(
        ("made", "blank"),
        [
            (TEXT, " \n"),
            (step("a", "multi"), []),
            (SCAN, {"raw": " ", "symbology": "qr"}),
            (SIGN, {"name": ""}),
        ],
    )
    def test_a_blank_is_no_answer(self, made: dict[str, Any], blank: object) -> None:
        assert check([{**made, "required": True}], value(blank)) == [("/answers/a", "required")]

    @pytest.mark.parametrize("way", ["na", "unavailable"])
    def test_a_reason_excuses_answer_and_photos(self, way: str) -> None:
        made = step("a", required=True, allow_na=True, photos=PHOTOS)
        assert check([made], {"a": {way: True, "reason": "Máy hỏng"}}) == []

    def test_required_if(self) -> None:
        steps = [step("a"), step("b", required_if="a and report.outcome = 'finding'")]
        assert check(steps, value(True), outcome="finding") == [("/answers/b", "required")]
        assert check(steps, value(True), outcome="released") == []
        assert check(steps, {}, outcome="finding") == []

    def test_hidden_steps_are_not_required_and_their_answers_only_warned_about(self) -> None:
        steps = [step("a"), step("b", required=True, visible_if="a")]
        assert check(steps, value(False)) == []
        assert check(steps, value(True)) == [("/answers/b", "required")]
        stale = {**value(False), "b": {"value": True}}
        assert check(steps, stale) == [("/answers/b", "answer-not-visible")]
        assert rules.Finding("/answers/b", "answer-not-visible").is_warning
        assert not rules.Finding("/answers/b", "required").is_warning

    def test_the_answer_of_a_hidden_step_does_not_count_elsewhere(self) -> None:
        steps = [step("c", required=True, visible_if="b"), step("b", visible_if="a"), step("a")]
        answers = {"a": {"value": False}, "b": {"value": True}}
        assert check(steps, answers) == [("/answers/b", "answer-not-visible")]
        assert check(steps, {**answers, "a": {"value": True}}) == [("/answers/c", "required")]
        photographed = [
            step("a"),
            step("b", photos=PHOTOS, visible_if="a"),
            step("c", required_if="photos(b) > 0"),
        ]
        assert check(photographed, value(False), {"b": 1}) == []

    def test_progress_and_visible_steps(self) -> None:
        steps = [step("a", required=True), step("b", visible_if="a", required=True, allow_na=True), step("c")]
        compiled = rules.compile_answers(content(*steps))
        assert compiled.keys == ("a", "b", "c")
        assert compiled.progress({}, {}, {}) == (1, 0)
        assert compiled.progress(value(True), {}, {}) == (2, 1)
        excused = {**value(True), "b": {"na": True, "reason": "x"}}
        assert compiled.progress(excused, {}, {}) == (2, 2)
        assert compiled.visible_steps({}, {}, {}) == ("a", "c")


class TestPhotos:
    def test_a_required_photo_step(self) -> None:
        made = step("a", "photo", required=True, photos={**PHOTOS, "min": 2})
        assert check([made], {}, final=False) == []
        assert check([made], {}) == [("/photos/a", "photos-missing")]
        assert check([made], {}, {"a": 1}) == [("/photos/a", "photos-missing")]
        assert check([made], {"a": {"note": "mặt sau"}}, {"a": 2}) == []

    def test_an_optional_photo_step_is_whole_or_empty(self) -> None:
        made = step("a", "photo", photos={**PHOTOS, "min": 2})
        assert check([made], {}) == []
        assert check([made], {}, {"a": 1}) == [("/photos/a", "photos-missing")]

    def test_photos_of_an_answered_step(self) -> None:
        made = step("a", photos=PHOTOS)
        assert check([made], {}) == []
        assert check([made], value(True)) == [("/photos/a", "photos-missing")]

    def test_photos_by_condition(self) -> None:
        made = step("a", photos={**PHOTOS, "required_if": "a = false"})
        assert check([made], value(True)) == []
        assert check([made], value(False)) == [("/photos/a", "photos-missing")]

    def test_a_condition_does_not_excuse_a_required_photo_step(self) -> None:
        made = step("a", "photo", required=True, photos={**PHOTOS, "required_if": "false"})
        assert check([made], {}) == [("/photos/a", "photos-missing")]

    def test_too_many_and_unknown(self) -> None:
        photos = {"a": 4, "gone": 1}
        found = [("/photos/a", "too-many-photos"), ("/photos/gone", "unknown-step")]
        assert check([step("a", photos=PHOTOS)], value(True), photos, final=False) == found

    def test_extra_photos_where_none_are_asked_are_kept(self) -> None:
        assert check([step("a")], value(True), {"a": 9}) == []


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
