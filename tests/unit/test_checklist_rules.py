"""What a checklist may contain and the life of a version; answers are tested in `test_checklist_answers`."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.checklists import errors, rules
from apps.checklists.demo import CODES, load_checklists
from apps.checklists.models import AppliesTo
from apps.checklists.models import Status as StoredStatus
from apps.checklists.rules.conditions import REPORT_VALUES
from apps.checklists.rules.content import PHOTO_PURPOSES, steps_of
from apps.checklists.rules.patterns import compile_pattern
from apps.checklists.rules.values import KINDS
from apps.checklists.rules.words import ANSWER_WORDS, CONTENT_WORDS
from apps.common.errors import Problem
from apps.inspections.models import Direction, Outcome, SelectionReason

CHECKLISTS = load_checklists()
VERSIONS = [
    pytest.param(version, id=f"{checklist['code']}-{version['semver']}")
    for checklist in CHECKLISTS
    for version in checklist["versions"]
]
WORDS = {"vi": "Câu hỏi", "en": "Question"}
OPTION = {"value": "x", "label": WORDS}
PHOTOS = {"min": 1, "max": 3, "purpose": "overview", "original": False}


def step(key: str, kind: str = "bool", **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"key": key, "kind": kind, "text": WORDS, **fields}
    if kind in ("choice", "multi"):
        made.setdefault("options", [{"value": value, "label": WORDS} for value in ("a", "b")])
    if kind == "measure":
        made = {"unit": "g", "decimals": 4, **made}
    if kind == "photo":
        made.setdefault("photos", PHOTOS)
    return made


def content(*steps: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy({"sections": [{"key": "main", "title": WORDS, "steps": list(steps)}]})


def faults(*steps: dict[str, Any]) -> list[tuple[str, str]]:
    """Give pointer (below the section) and code of each problem."""
    found = rules.check_content(content(*steps))
    return [(problem.pointer.removeprefix("/sections/0/steps"), problem.code) for problem in found]


class TestContent:
    def test_one_step_of_each_kind_is_sound(self) -> None:
        assert faults(*(step(f"step_{kind}", kind) for kind in KINDS)) == []

    @pytest.mark.parametrize(
        ("made", "pointer", "code"),
        [
            ({}, "/0/key", "bad-key"),
            (step("Upper"), "/0/key", "bad-key"),
            (step("ngày"), "/0/key", "bad-key"),
            (step("x" * 65), "/0/key", "bad-key"),
            (step("photos"), "/0/key", "bad-key"),
            (step("a", "slider"), "/0/kind", "unknown-kind"),
            ({**step("a"), "kind": ["bool"]}, "/0/kind", "unknown-kind"),
            (step("a", text=None), "/0/text", "language-missing"),
            (step("a", text={"vi": "Có", "en": " "}), "/0/text/en", "language-missing"),
            (step("a", text={"vi": "x\x00", "en": "x"}), "/0/text/vi", "bad-character"),
            (step("a", text={"vi": "\ud800", "en": "x"}), "/0/text/vi", "bad-character"),
            (step("a", text={"vi": "\u202ex", "en": "x"}), "/0/text/vi", "bad-character"),
            (step("a", text={"vi": "ha\u0309i", "en": "x"}), "/0/text/vi", "text-not-nfc"),
            (step("a", text={"vi": "x" * 2001, "en": "x"}), "/0/text/vi", "too-long"),
            (step("a", help={"vi": "x"}), "/0/help/en", "language-missing"),
            (step("a", safety_note="x"), "/0/safety_note", "wrong-type"),
            (step("a", legal_ref=3), "/0/legal_ref", "wrong-type"),
            (step("a", required="yes"), "/0/required", "wrong-type"),
            (step("a", requird=True), "/0", "unknown-field"),
            (step("a", options=[]), "/0/options", "field-not-for-kind"),
            (step("a", required=True, required_if="true"), "/0/required_if", "required-twice"),
            (step("a", "choice", options=None), "/0/options", "options-missing"),
            (step("a", "choice", options=[]), "/0/options", "missing"),
            (step("a", "multi", options=[{"value": "X", "label": WORDS}]), "/0/options/0/value", "bad-key"),
            (step("a", "multi", options=[OPTION, OPTION]), "/0/options/1/value", "duplicate-option"),
            (step("a", "multi", options=[3]), "/0/options/0", "wrong-type"),
            (step("a", "multi", options=[OPTION] * 101), "/0/options", "too-many"),
            (step("a", "measure", unit=None), "/0/unit", "missing"),
            (step("a", "measure", unit="stone"), "/0/unit", "unknown-unit"),
            (step("a", "measure", decimals=None), "/0/decimals", "missing"),
            (step("a", "number", decimals=True), "/0/decimals", "bad-limit"),
            (step("a", "number", decimals=7), "/0/decimals", "bad-limit"),
            (step("a", "number", min=0.5), "/0/min", "bad-limit"),
            (step("a", "number", max="1e3"), "/0/max", "bad-limit"),
            (step("a", "number", min="2.5", max=2), "/0/min", "limits-crossed"),
            (step("a", "text", max_length=4001), "/0/max_length", "bad-limit"),
            (step("a", "text", max_length=0), "/0/max_length", "bad-limit"),
            (step("a", "text", pattern="[0-9]{3}"), "/0/max_length", "bad-limit"),
            (step("a", "text", pattern="(a+)+", max_length=50), "/0/pattern", "bad-pattern"),
            (step("a", "scan", symbology=["morse"]), "/0/symbology", "unknown-symbology"),
            (step("a", "scan", symbology="qr"), "/0/symbology", "wrong-type"),
            (step("a", "photo", photos=None), "/0/photos", "missing"),
            (step("a", "photo", photos={**PHOTOS, "min": 0}), "/0/photos/min", "bad-photo-rule"),
            (step("a", photos={**PHOTOS, "max": 51}), "/0/photos/max", "bad-photo-rule"),
            (step("a", photos={**PHOTOS, "min": 4}), "/0/photos/min", "limits-crossed"),
            (step("a", photos={**PHOTOS, "purpose": "selfie"}), "/0/photos/purpose", "bad-photo-rule"),
            (step("a", photos={**PHOTOS, "original": 1}), "/0/photos/original", "wrong-type"),
            (step("a", photos=[1]), "/0/photos", "wrong-type"),
        ],
    )  # fmt: skip
    def test_a_fault_is_found_at_its_place(self, made: dict[str, Any], pointer: str, code: str) -> None:
        assert (pointer, code) in faults(made)

    @pytest.mark.parametrize(
        "hostile", [None, [], "x", {}, {"sections": {}}, {"sections": [1]}, {"sections": []}]
    )
    def test_shapes_that_are_no_content(self, hostile: object) -> None:
        assert rules.check_content(hostile)

    def test_keys_are_unique_across_sections(self) -> None:
        two = content(step("a"))
        two["sections"].append(copy.deepcopy(two["sections"][0]))
        codes = [(problem.pointer, problem.code) for problem in rules.check_content(two)]
        assert codes == [("/sections/1/key", "duplicate-key"), ("/sections/1/steps/0/key", "duplicate-key")]

    def test_problems_speak_both_languages_and_are_bounded(self) -> None:
        found = rules.check_content(content(*(step(f"S{number}") for number in range(250))))
        assert len(found) == 200
        assert found[0] == Problem("/sections/0/steps/0/key", "bad-key", *CONTENT_WORDS["bad-key"])

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=4)
            | st.sampled_from(KINDS),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "key",
                            "kind",
                            "text",
                            "options",
                            "photos",
                            "min",
                            "max",
                            "vi",
                            "required_if",
                            "unit",
                        ]
                    ),
                    inner,
                    max_size=6,
                )
            ),
            max_leaves=12,
        )
    )
    def test_any_step_is_judged_without_raising(self, hostile: Any) -> None:
        assert isinstance(
            rules.check_content({"sections": [{"key": "a", "title": WORDS, "steps": hostile}]}), list
        )
        assert isinstance(rules.check_content(content(hostile)), list)


class TestConditions:
    OTHERS = (
        step("opened"),
        step("lane", "choice"),
        step("means", "multi"),
        step("mass", "measure"),
        step("picture", "photo"),
    )

    @pytest.mark.parametrize(
        ("expression", "code"),
        [
            ("", "expression-empty"),
            ("opened =", "expression-unexpected-end"),
            ("nothing_here", "step-unknown"),
            ("own", "self-reference"),
            ("answered(picture)", "reference-without-value"),
            ("photos(opened) > 0", "photos-not-asked"),
            ("means = 'a'", "list-compared"),
            ("means in ['a']", "list-compared"),
            ("selected(means, 'z')", "option-unknown"),
            ("lane = 'z'", "option-unknown"),
            ("'z' != lane", "option-unknown"),
            ("lane in ['a', 'z']", "option-unknown"),
            ("lane = 1", "comparison-never-true"),
            ("opened = 'true'", "comparison-never-true"),
            ("mass > '10'", "comparison-never-true"),
            ("selected(mass, 'a')", "selected-not-choice"),
            ("report.weather = 'fine'", "report-field-unknown"),
            ("report.outcome = 'found'", "report-value-unknown"),
        ],
    )
    def test_faults(self, expression: str, code: str) -> None:
        assert faults(*self.OTHERS, step("own", required_if=expression)) == [("/5/required_if", code)]

    @pytest.mark.parametrize(
        "expression",
        ["opened", "lane = 'a' or lane = null", "means = null", "photos(picture) > 1", "na(picture)", "mass > 1.5",
         "report.outcome in ['finding']", "selected(report.means_used, 'canine')", "opened = (lane = 'b')"],
    )  # fmt: skip
    def test_sound(self, expression: str) -> None:
        assert faults(*self.OTHERS, step("own", visible_if=expression)) == []

    def test_photos_may_depend_on_their_own_step(self) -> None:
        assert faults(step("own", photos={**PHOTOS, "required_if": "own = true"})) == []

    def test_a_circle_of_visibility_is_found_and_its_members_named(self) -> None:
        circle = (step("a", visible_if="b"), step("b", visible_if="c"), step("c", visible_if="a"))
        beside = (step("d"), step("e", visible_if="d"))
        assert faults(*circle, *beside) == [(f"/{n}/visible_if", "condition-cycle") for n in range(3)]

    def test_requirements_may_refer_to_each_other(self) -> None:
        assert faults(step("a", required_if="b"), step("b", required_if="a")) == []

    def test_header_values_are_those_of_the_reports(self) -> None:
        assert set(REPORT_VALUES["outcome"] or ()) == set(Outcome.values)
        assert set(REPORT_VALUES["selection_reason"] or ()) == set(SelectionReason.values)
        assert set(REPORT_VALUES["direction"] or ()) == set(Direction.values)


class TestHash:
    def test_is_that_of_sorted_compact_utf8(self) -> None:
        given_content = {"b": 1, "a": {"vi": "Đạt"}}
        expected = hashlib.sha256('{"a":{"vi":"Đạt"},"b":1}'.encode()).hexdigest()
        assert rules.content_hash(given_content) == expected
        assert rules.content_hash({"a": {"vi": "Đạt"}, "b": 1}) == expected

    def test_differs_when_a_letter_differs(self) -> None:
        one, other = content(step("a")), content(step("a"))
        other["sections"][0]["steps"][0]["text"]["vi"] = "Câu hỏi khác"
        assert rules.content_hash(one) != rules.content_hash(other)


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            (r"\d{4}-\d{2}-\d{2}", "2024-08-20"),
            (r"[A-Z]{2}\d{9}[A-Z]{2}", "EE556000393VN"),
            (r"\(\d\)", "(1)"),
            (r"[A-Za-z0-9]{1,40}", "Ab9"),
            *(
                (refused, None)
                for refused in (r"QĐ?", "a{2,1}", "a{65}", "[z-a]", ".*", "a|b", "(a)", "", "[^a]")
            ),
            *((refused, None) for refused in ("x?" * 20, r"\w", "a+", "a*", "x" * 201)),
        ],
    )
    def test_subset(self, pattern: str, text: str | None) -> None:
        compiled = compile_pattern(pattern)
        assert (compiled is None) is (text is None)
        assert compiled is None or compiled.fullmatch(text or "")


class TestLifecycle:
    SOUND = content(step("a"))
    UNSOUND = content(step("A"))

    def test_states_are_those_stored(self) -> None:
        assert {str(state) for state in rules.Status} == set(StoredStatus.values)

    def test_the_way_of_a_version(self) -> None:
        assert rules.submit("draft", self.SOUND) == "in_review"
        approval = rules.approve("in_review", self.SOUND, author=1, approver=2)
        assert approval == rules.Approval(rules.Status.APPROVED, rules.content_hash(self.SOUND))
        assert rules.publish("approved", "1.0.0", []) == rules.Publication(rules.Status.PUBLISHED, ())
        assert rules.close("closing") == "closed"

    def test_rejection_and_withdrawal_need_a_reason(self) -> None:
        assert rules.reject("in_review", "Thiếu bước cân") == "draft"
        assert rules.withdraw("published", "Nguy hiểm cho công chức") == "withdrawn"
        with pytest.raises(errors.VersionReasonMissing):
            rules.reject("in_review", " ")
        with pytest.raises(errors.VersionReasonMissing):
            rules.withdraw("closing", "")

    def test_the_author_may_not_approve(self) -> None:
        with pytest.raises(errors.AuthorMayNotApprove):
            rules.approve("in_review", self.SOUND, author="x", approver="x")

    def test_unsound_content_goes_neither_to_review_nor_through_it(self) -> None:
        with pytest.raises(errors.ContentNotValid) as caught:
            rules.submit("draft", self.UNSOUND)
        assert [problem.code for problem in caught.value.errors] == ["bad-key"]
        with pytest.raises(errors.ContentNotValid):
            rules.approve("in_review", self.UNSOUND, author=1, approver=2)

    def test_publishing_moves_the_published_one_to_closing(self) -> None:
        others = [
            rules.Published("old", "1.0.0", rules.Status.CLOSING),
            rules.Published("now", "1.9.0", rules.Status.PUBLISHED),
            rules.Published("next", "3.0.0", rules.Status.DRAFT),
        ]
        assert rules.publish("approved", "1.10.0", others).superseded == ("now",)

    @pytest.mark.parametrize("semver", ["1.0.0", "0.9.9", "1.1.0"])
    def test_a_published_number_is_never_reached_again(self, semver: str) -> None:
        others = [rules.Published(1, "1.1.0", rules.Status.PUBLISHED)]
        with pytest.raises(errors.VersionNotNewer):
            rules.publish("approved", semver, others)

    @pytest.mark.parametrize(
        "text", ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0-rc1", "1.0.0\n", "9999999.0.0", "１.0.0"]
    )
    def test_numbers_have_three_parts(self, text: str) -> None:
        with pytest.raises(errors.InvalidVersionNumber):
            rules.parse_semver(text)

    @pytest.mark.parametrize("status", list(rules.Status))
    def test_every_other_move_is_refused(self, status: rules.Status) -> None:
        moves: dict[str, Callable[[], object]] = {
            "draft": lambda: rules.submit(status, self.SOUND),
            "in_review": lambda: rules.approve(status, self.SOUND, author=1, approver=2),
            "approved": lambda: rules.publish(status, "1.0.0", []),
            "closing": lambda: rules.close(status),
        }
        for allowed, move in moves.items():
            if status != allowed:
                with pytest.raises(errors.IllegalVersionMove):
                    move()

    @pytest.mark.parametrize("status", ["draft", "in_review", "closed", "withdrawn"])
    def test_what_is_not_in_use_cannot_be_withdrawn(self, status: str) -> None:
        with pytest.raises(errors.IllegalVersionMove):
            rules.withdraw(status, "x")

    @pytest.mark.parametrize("status", list(rules.Status))
    def test_content_changes_only_in_a_draft(self, status: rules.Status) -> None:
        if status == "draft":
            rules.require_editable(status)
        else:
            with pytest.raises(errors.VersionContentFrozen):
                rules.require_editable(status)

    @pytest.mark.parametrize(
        ("status", "warnings"),
        [
            ("published", ()),
            ("closing", ("checklist-closing",)),
            ("closed", ("checklist-closed",)),
            ("withdrawn", ("checklist-withdrawn",)),
        ],
    )
    def test_work_on_a_version_once_published_is_never_stranded(
        self, status: str, warnings: tuple[str, ...]
    ) -> None:
        assert rules.accepts_reports(status, was_published=True) == warnings

    @pytest.mark.parametrize("status", ["draft", "in_review", "approved", "withdrawn"])
    def test_a_version_never_published_takes_no_reports(self, status: str) -> None:
        with pytest.raises(errors.VersionNeverPublished):
            rules.accepts_reports(status, was_published=False)

    def test_a_key_keeps_its_kind(self) -> None:
        found = rules.check_succession(content(step("a"), step("b")), content(step("c"), step("a", "text")))
        assert [(problem.pointer, problem.code) for problem in found] == [
            ("/sections/0/steps/1/kind", "step-kind-changed")
        ]


class TestDemo:
    def test_there_are_nine_and_they_apply_to_what_exists(self) -> None:
        assert [checklist["code"] for checklist in CHECKLISTS] == list(CODES)
        assert len(CODES) == 9
        assert {checklist["applies_to"] for checklist in CHECKLISTS} <= set(AppliesTo.values)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_content_is_sound(self, version: dict[str, Any]) -> None:
        assert rules.check_content(version["content"]) == []

    @pytest.mark.parametrize("version", VERSIONS)
    def test_every_text_is_in_two_languages(self, version: dict[str, Any]) -> None:
        def texts(node: Any) -> list[dict[str, str]]:
            if isinstance(node, dict):
                own = [node] if "vi" in node else []
                return own + [found for child in node.values() for found in texts(child)]
            return [found for child in node for found in texts(child)] if isinstance(node, list) else []

        found = texts(version)
        assert found
        assert all(
            set(words) == {"vi", "en"} and words["vi"].strip() and words["en"].strip() for words in found
        )
        assert all(words["vi"] != words["en"] or words["vi"].isascii() for words in found)

    def test_the_step_counts_of_the_dictionary(self) -> None:
        first = {checklist["code"]: checklist["versions"][0]["content"] for checklist in CHECKLISTS}
        counts = {code: len(list(steps_of(made))) for code, made in first.items()}
        assert (counts["passenger_baggage"], counts["air_cargo"], counts["express_postal"]) == (14, 12, 12)
        sections = {
            code: {part["key"]: len(part["steps"]) for part in made["sections"]}
            for code, made in first.items()
        }
        assert sections["container"]["seven_points"] == 7
        assert sections["container"]["seal"] >= 2
        assert sections["road_vehicle"]["seventeen_points"] == 17

    def test_the_express_versions_show_succession(self) -> None:
        express = next(checklist for checklist in CHECKLISTS if checklist["code"] == "express_postal")
        made = {version["semver"]: version for version in express["versions"]}
        keys = {
            semver: [part["key"] for part in steps_of(version["content"])] for semver, version in made.items()
        }
        assert set(keys["1.1.0"]) - set(keys["1.0.0"]) == {"low_value_pet_food"}
        assert "trace_swab" not in keys["2.0.0"]
        assert made["2.0.0"]["status"] == "draft"
        assert rules.check_succession(made["1.0.0"]["content"], made["2.0.0"]["content"]) == []

    def test_all_that_a_step_can_be_is_shown(self) -> None:
        steps = [part for checklist in CHECKLISTS for part in steps_of(checklist["versions"][0]["content"])]
        assert {part["kind"] for part in steps} == set(KINDS)
        assert {part["photos"]["purpose"] for part in steps if "photos" in part} >= set(PHOTO_PURPOSES) - {
            "person"
        }
        for field in (
            "required_if",
            "visible_if",
            "allow_na",
            "safety_note",
            "legal_ref",
            "help",
            "pattern",
            "scored",
        ):
            assert any(part.get(field) for part in steps), field


def test_every_code_has_words_in_both_languages() -> None:
    for words in (CONTENT_WORDS, ANSWER_WORDS):
        assert all(vi and en and vi != en for vi, en in words.values())
