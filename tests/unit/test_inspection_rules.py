"""Rules of inspection reports: every move, what merges and what conflicts, header checks, the counted day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import DomainError
from apps.inspections import rules
from apps.inspections.errors import FieldConflict, ReportVoided, StateChanged, StateLocked
from apps.inspections.models import State

STATES = [str(state) for state in State]
RECEIVED = dt.datetime(2026, 11, 21, 8, 0, tzinfo=dt.UTC)
CHOICES = {key: frozenset({"a", "b"}) for key in rules.CHOICE_FIELDS}

# Written out by hand from dictionary 4.2, apart from the table of the product.
LAWFUL = {
    ("start_review", "received"): "under_review",
    ("start_review", "media_pending"): "under_review",
    ("start_review", "complete"): "under_review",
    ("return", "received"): "returned",
    ("return", "media_pending"): "returned",
    ("return", "complete"): "returned",
    ("return", "under_review"): "returned",
    ("approve", "received"): "approved",
    ("approve", "complete"): "approved",
    ("approve", "under_review"): "approved",
    ("void", "received"): "voided",
    ("void", "media_pending"): "voided",
    ("void", "complete"): "voided",
    ("void", "under_review"): "voided",
    ("void", "returned"): "voided",
    ("void", "approved"): "voided",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", ["start_review", "return", "approve", "void"])
def test_every_move_is_lawful_or_refused(verb: str, state: str) -> None:
    if (verb, state) in LAWFUL:
        assert rules.next_state(verb, state) == LAWFUL[verb, state]
        return
    with pytest.raises(ReportVoided if state == "voided" else StateChanged):
        rules.next_state(verb, state)


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("local_draft", None),
        ("returned", None),
        ("received", StateLocked),
        ("media_pending", StateLocked),
        ("complete", StateLocked),
        ("under_review", StateChanged),
        ("approved", StateChanged),
        ("locked", StateChanged),
        ("voided", ReportVoided),
    ],
)
def test_who_may_edit_in_which_state(state: str, refusal: type[DomainError] | None) -> None:
    if refusal is None:
        rules.check_editable(state)
    else:
        with pytest.raises(refusal):
            rules.check_editable(state)


def test_edits_of_different_fields_merge() -> None:
    current, revs = {"a": 1, "b": 2}, {"a": 3, "b": 1}
    assert rules.merge({"b": 5}, current, revs, rules.Base(2)) == {"b": 5}


def test_edits_of_one_field_conflict_and_show_what_stands() -> None:
    with pytest.raises(FieldConflict) as refused:
        rules.merge(
            {"a": 9, "b": 5, "c": 1}, {"a": 1, "b": 2, "c": 7}, {"a": 3, "b": 1, "c": 4}, rules.Base(2)
        )
    assert refused.value.fields == ("a", "c")
    assert refused.value.current == {"a": 1, "c": 7}


def test_what_the_same_phone_had_sent_by_then_was_seen() -> None:
    base = rules.Base(2, lambda: {4})
    current, revs = {"a": 1, "b": 2}, {"a": 4, "b": 3}
    assert rules.merge({"a": 9}, current, revs, base) == {"a": 9}
    with pytest.raises(FieldConflict) as refused:
        rules.merge({"a": 9, "b": 9}, current, revs, base)
    assert (refused.value.fields, refused.value.rev) == (("b",), 4)
    assert rules.changed_since(base, revs) == ["b"]


def test_nothing_newer_asks_for_no_own_edits() -> None:
    def own() -> frozenset[int]:
        raise AssertionError("asked")

    assert rules.merge({"a": 9}, {"a": 1}, {"a": 2}, rules.Base(2, own)) == {"a": 9}


def test_the_same_value_twice_is_no_conflict() -> None:
    assert rules.merge({"a": 1}, {"a": 1}, {"a": 9}, rules.Base(2)) == {}


def test_removing_what_somebody_removed_is_no_conflict() -> None:
    assert rules.overlapping({"answers.x": None}, {}, {"answers.x": 5}, rules.Base(2)) == []


@given(
    st.dictionaries(st.text(max_size=3), st.integers()), st.dictionaries(st.text(max_size=3), st.integers())
)
def test_a_patch_on_the_newest_revision_never_conflicts(
    patch: dict[str, int], current: dict[str, int]
) -> None:
    changed = rules.merge(patch, current, dict.fromkeys(current, 7), rules.Base(7))
    assert {**current, **changed} == {**current, **patch}
    assert all(current.get(k) != v or k not in current for k, v in changed.items())


def test_each_answer_is_a_field_of_its_own() -> None:
    flat = rules.flatten({"place": "x", "answers": {"s": 1, "t": None}, "photos": {"s": []}})
    assert flat == {"place": "x", "answers.s": 1, "answers.t": None, "photos.s": []}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("mode", "a", None),
        ("mode", "", None),
        ("mode", None, None),
        ("mode", "c", "choice"),
        ("mode", 1, "choice"),
        ("mode", ["a"], "choice"),
        ("mode", {"a": 1}, "choice"),
        ("place", "p" * 200, None),
        ("place", "p" * 201, "max-length"),
        ("place", 5, "type"),
        ("remarks", "r" * 4001, "max-length"),
        ("started_on_device_at", "2026-11-21T08:00:00Z", None),
        ("started_on_device_at", "2026-11-21T15:00:00+07:00", None),
        ("started_on_device_at", "2026-11-21T08:00:00", "time"),
        ("started_on_device_at", "hôm qua", "time"),
        ("started_on_device_at", 1_700_000_000, "time"),
        ("started_on_device_at", "1970-01-01T00:00:00Z", None),
        ("started_on_device_at", "0001-01-01T00:00:00+14:00", "time"),
        ("started_on_device_at", "9999-12-31T23:59:59-12:00", "time"),
        ("started_on_device_at", "9999-12-31T23:59:59+00:00", "time"),
        ("subjects", [], None),
        ("subjects", [{}] * 201, "type"),
        ("subjects", {}, "type"),
        ("transport", {"flight": "VN 1"}, None),
        ("transport", [], "type"),
        ("means_used", ["xray_baggage"], None),
        ("means_used", ["X ray"], "choice"),
        ("means_used", [None], "choice"),
    ],
)
def test_header_fields_are_checked_by_kind(key: str, value: Any, code: str | None) -> None:
    problems = rules.check_header({key: value}, CHOICES)
    assert [(p.pointer, p.code) for p in problems] == ([(f"/fields/{key}", code)] if code else [])


def test_keys_that_are_no_header_fields_are_left_alone() -> None:
    assert rules.check_header({"new_in_version_9": object(), "state": "approved"}, CHOICES) == []


def test_a_submission_needs_its_header() -> None:
    problems = rules.missing_header({})
    assert {p.pointer for p in problems} == {f"/fields/{key}" for key in rules.REQUIRED_AT_SUBMISSION}
    assert {p.code for p in problems} == {"required"}


def test_the_end_is_not_before_the_start() -> None:
    values: dict[str, Any] = dict.fromkeys(rules.REQUIRED_AT_SUBMISSION, "a")
    values |= {"started_on_device_at": RECEIVED, "ended_on_device_at": RECEIVED - dt.timedelta(seconds=1)}
    assert [p.code for p in rules.missing_header(values)] == ["before-start"]
    assert rules.missing_header(values | {"ended_on_device_at": RECEIVED}) == []


@pytest.mark.parametrize(
    ("claimed", "day", "doubtful"),
    [
        (RECEIVED - dt.timedelta(hours=1), dt.date(2026, 11, 21), False),
        (RECEIVED + dt.timedelta(minutes=10), dt.date(2026, 11, 21), False),
        (RECEIVED + dt.timedelta(minutes=11), dt.date(2026, 11, 21), True),
        (RECEIVED + dt.timedelta(days=730), dt.date(2026, 11, 21), True),
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.date(2026, 11, 21), True),
        (RECEIVED - dt.timedelta(days=366), dt.date(2025, 11, 20), False),
        (RECEIVED - dt.timedelta(days=367), dt.date(2026, 11, 21), True),
        (dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC), dt.date(2026, 11, 21), False),
        (None, dt.date(2026, 11, 21), True),
    ],
)
def test_the_counted_day_is_vietnams(claimed: dt.datetime | None, day: dt.date, doubtful: bool) -> None:
    assert rules.counted_day(claimed, RECEIVED) == (day, doubtful)


@given(st.one_of(st.datetimes(timezones=st.just(dt.UTC)), st.text(max_size=45), st.integers(), st.none()))
def test_any_claimed_time_has_an_answer(claimed: object) -> None:
    moment = rules.parse_time(claimed)
    day, doubtful = rules.counted_day(moment, RECEIVED)
    assert abs((day - RECEIVED.date()).days) <= 367
    assert doubtful or moment is not None


UUIDS = ["0192f0c1-0000-7000-8000-00000000000" + str(i) for i in range(9)]


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({}, []),
        ({"answers": {}, "photos": {}}, []),
        ({"answers": []}, ["/fields/answers"]),
        ({"answers": None}, ["/fields/answers"]),
        ({"photos": "x"}, ["/fields/photos"]),
        ({"photos": {"s": UUIDS[:3]}}, []),
        ({"photos": {"s": None}}, []),
        ({"photos": {"s": [UUIDS[0], UUIDS[0]]}}, ["/fields/photos/s"]),
        ({"photos": {"s": [UUIDS[0].upper()]}}, ["/fields/photos/s"]),
        ({"photos": {"s": ["x"]}}, ["/fields/photos/s"]),
        ({"photos": {"s": [None]}}, ["/fields/photos/s"]),
        ({"photos": {"s": {}}}, ["/fields/photos/s"]),
        ({"photos": {"s": 5, "t/~": [[]]}}, ["/fields/photos/s", "/fields/photos/t~1~0"]),
        ({"photos": {"s": UUIDS * 9}}, ["/fields/photos/s"]),
        ({"photos.s": 5}, ["/fields/photos.s"]),
        ({"answers.s": {"value": 1}}, ["/fields/answers.s"]),
    ],
)
def test_parts_that_go_by_step_have_a_shape(fields: dict[str, Any], pointers: list[str]) -> None:
    assert [p.pointer for p in rules.check_by_step(fields)] == pointers


@pytest.mark.parametrize(
    ("notes", "note", "codes"),
    [
        ([], "", ["required"]),
        ([], "   ", ["required"]),
        ([{"step_key": "s", "text": " "}], "", ["required"]),
        ([], "Thiếu ảnh", []),
        ([{"step_key": "s", "text": "Chụp lại"}], "", []),
        ([{"step_key": "", "text": "Chụp lại"}], "", []),
        ([{"step_key": "nowhere", "text": "Chụp lại"}], "", ["unknown-step"]),
        ([{"step_key": "s", "text": "x" * 4001}], "", ["max-length"]),
    ],
)
def test_notes_say_something_somewhere(notes: list[dict[str, str]], note: str, codes: list[str]) -> None:
    assert [p.code for p in rules.check_notes(notes, note, frozenset({"", "s"}))] == codes
