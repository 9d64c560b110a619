"""Pure parts of the protocol: envelopes of any shape, canonical payloads, cursors that are rubbish."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.changes.rules import row_digest
from apps.sync.rules import Cursor, Envelope, canonical, decode_cursor, is_uuid, read_envelope
from tests.work import digest

ID, OBJECT = "0192f0c1-0000-7000-8000-00000000000a", "0192f0c1-0000-7000-8000-00000000000b"
SOUND: dict[str, Any] = {"id": ID, "type": "inspection.save", "object": OBJECT, "fields": {}}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_a_sound_envelope_is_read() -> None:
    sent = read_envelope({**SOUND, "base_rev": 3, "device_seq": 4, "depends_on": [ID]})
    assert isinstance(sent, Envelope)
    assert (str(sent.id), str(sent.object), sent.base_rev, sent.device_seq) == (ID, OBJECT, 3, 4)
    assert [str(n) for n in sent.depends_on] == [ID]
    assert not sent.problems


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"object": None}, ["/object"]),
        ({"object": 7}, ["/object"]),
        ({"type": None}, ["/type"]),
        ({"type": "x" * 61}, ["/type"]),
        ({"type": ["inspection.save"]}, ["/type"]),
        ({"fields": []}, ["/fields"]),
        ({"fields": None}, ["/fields"]),
        ({"base_rev": -1}, ["/base_rev"]),
        ({"base_rev": 2**31}, ["/base_rev"]),
        ({"base_rev": True}, ["/base_rev"]),
        ({"base_rev": 1.0}, ["/base_rev"]),
        ({"device_seq": "4"}, ["/device_seq"]),
        ({"depends_on": ID}, ["/depends_on"]),
        ({"depends_on": [1]}, ["/depends_on"]),
        ({"depends_on": [ID] * 201}, ["/depends_on"]),
        ({"type": {}, "fields": 1, "depends_on": {"a": 1}}, ["/type", "/fields", "/depends_on"]),
    ],
)
def test_a_bad_envelope_with_an_id_is_kept_with_its_faults(
    changed: dict[str, Any], pointers: list[str]
) -> None:
    sent = read_envelope({**SOUND, **changed})
    assert isinstance(sent, Envelope)
    assert [p.pointer for p in sent.problems] == pointers
    assert str(sent.id) == ID
    assert len(sent.type) <= 60


@pytest.mark.parametrize(
    "mutation", [None, 1, "x", [], {}, {"id": 1}, {"id": "x"}, {"id": ID[:-1]}, {"id": [ID]}]
)
def test_what_has_no_id_can_only_be_refused(mutation: object) -> None:
    problems = read_envelope(mutation)
    assert isinstance(problems, list)
    assert problems


@given(ANYTHING)
def test_no_mutation_of_any_shape_raises(mutation: object) -> None:
    read_envelope(mutation)


@given(
    st.dictionaries(st.sampled_from(["type", "object", "fields", "base_rev", "depends_on", "x"]), ANYTHING)
)
def test_no_envelope_of_any_content_raises(changed: dict[str, Any]) -> None:
    sent = read_envelope({**SOUND, **changed})
    assert isinstance(sent, Envelope)
    sent.payload.encode()
    assert len(sent.type) <= 60


def test_the_order_of_keys_does_not_matter_and_the_content_does() -> None:
    one, two = ({"id": ID, **dict(items)} for items in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
    assert canonical(one) == canonical(two)
    assert canonical(one) != canonical(two | {"a": 2})


@pytest.mark.parametrize("value", ["\x00", "\ud800", 2**70, float("inf"), {"\ud800": 1}])
def test_a_payload_that_no_database_holds_has_a_spelling_that_any_holds(value: object) -> None:
    text = canonical({"x": value})
    text.encode()
    assert "\x00" not in text


def test_the_size_of_a_payload_is_counted_in_bytes() -> None:
    sent = read_envelope({**SOUND, "fields": {"remarks": "ế" * 100}})
    assert isinstance(sent, Envelope)
    assert sent.size == len(sent.payload.encode()) > len(sent.payload)


def test_a_cursor_comes_back_as_it_was() -> None:
    cursor = Cursor("e", {"ref": 5, f"post:{ID}": 0}, frozenset({"ref"}))
    assert decode_cursor(cursor.encode()) == cursor


def _packed(data: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(data)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "AAAA",
        "%%%%",
        "null",
        _packed(None),
        _packed([]),
        _packed({}),
        _packed({"e": "x", "s": [], "l": []}),
        _packed({"e": 1, "s": {}, "l": []}),
        _packed({"e": "x", "s": {"ref": -1}, "l": []}),
        _packed({"e": "x", "s": {"ref": "1"}, "l": []}),
        _packed({"e": "x", "s": {"ref": 1.5}, "l": []}),
        _packed({"e": "x", "s": {"ref": 2**63}, "l": []}),
        _packed({"e": "x", "s": {"ref": None}, "l": []}),
        _packed({"e": "x", "s": {"ref": True}, "l": []}),
        _packed({"e": "x", "s": {"ref": 1}, "l": 5}),
        _packed({"e": "x", "s": {f"s{i}": 1 for i in range(1001)}, "l": []}),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
        base64.urlsafe_b64encode(json.dumps({"e": "\ud800", "s": {}, "l": []}).encode()).decode(),
    ],
)
def test_rubbish_is_no_cursor(text: str) -> None:
    assert decode_cursor(text) is None


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: base64.urlsafe_b64encode(b).decode()))
def test_no_cursor_of_any_kind_raises(text: str) -> None:
    decode_cursor(text)


@given(st.uuids(), st.integers(0, 2**31), st.sampled_from(["inspection", "checklist"]))
def test_the_digest_is_what_phones_compute(oid: Any, rev: int, kind: str) -> None:
    assert row_digest(kind, oid, rev) == digest(kind, str(oid), rev) < 2**53


@pytest.mark.parametrize("value", [ID, ID.upper()])
def test_uuids_in_their_usual_spelling(value: str) -> None:
    assert is_uuid(value)


@pytest.mark.parametrize(
    "value", [None, 5, ID.replace("-", ""), "{" + ID + "}", "urn:uuid:" + ID, ID + "\n", " " + ID]
)
def test_other_spellings_are_no_uuids(value: object) -> None:
    assert not is_uuid(value)
