"""Hostile bodies at the sync endpoints: any value in any place; never a 5xx, never a spoiled batch."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.common.records import new_id
from apps.inspections.models import InspectionReport
from apps.sync.models import Mutation
from tests.cast import Cast
from tests.work import Work, check_feed

PUSH, PULL = "/mobile/v1/sync/push", "/mobile/v1/sync/pull"
OID = "0192f0c1-0000-7000-8000-00000000000a"

# Raw JSON text, so that values no encoder would write can be sent.
VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "empty": '""',
    "minus": "-1",
    "half": "0.5",
    "nul": '"a\\u0000b"',
    "lone surrogate": '"\\ud800"',
    "swapped surrogates": '"\\udc00\\ud800"',
    "nan": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "2**64": "18446744073709551616",
    "2**63": "9223372036854775808",
    "minus 2**63 - 1": "-9223372036854775809",
    "1e400": "1e400",
    "a thousand digits": "9" * 1000,
    "minus zero": "-0.0",
    "tiny": "1e-400",
    "long text": '"' + "x" * 100_000 + '"',
    "long composed text": '"' + "\ufb2c" * 190 + '"',
    "bidi": '"\\u202e\\u2066abc"',
    "list": "[]",
    "list of lists": "[[[[[]]]]]",
    "object": "{}",
    "nul key": '{"a\\u0000": 1}',
    "surrogate key": '{"\\ud800": 1}',
    "huge key": '{"' + "k" * 50_000 + '": 1}',
    "empty key": '{"": {"": ""}}',
    "many keys": "{" + ",".join(f'"k{i}":{i}' for i in range(500)) + "}",
    "many items": "[" + ",".join("1" for _ in range(500)) + "]",
    "proto": '{"__proto__": {"constructor": 1}, "$ref": "x"}',
    "format": '"%s%n{0.__class__}{{7*7}}"',
    "sql": '"\'; DROP TABLE sync_mutation; --"',
    "uuid": f'"{OID}"',
    "date": '"2026-02-30T25:61:61Z"',
    "year 9999": '"9999-12-31T23:59:59-12:00"',
    "year 1": '"0001-01-01T00:00:00+14:00"',
    "emoji": '"' + "\U0001f9d1\u200d\U0001f692" * 50 + '"',
}
ENVELOPE = (
    "id",
    "type",
    "object",
    "base_rev",
    "fields",
    "depends_on",
    "device_seq",
    "made_on_device_at",
    "new",
)
FIELDS = (
    "checklist_version",
    "content_hash",
    "posting",
    "mode",
    "outcome",
    "place",
    "channel",
    "captured_tz",
    "remarks",
    "started_on_device_at",
    "subjects",
    "means_used",
    "transport",
    "goods",
    "alert_ids",
    "answers",
    "photos",
    "answers.step_0",
    "photos.step_0",
    "photos.",
    "unknown",
    "state",
    "",
)
CLAIMS = (
    "report",
    "step",
    "sha256",
    "size",
    "mime",
    "purpose",
    "capture_mode",
    "captured_on_device_at",
    "manifest",
    "signature",
    "posting",
)
MARK = "@@here@@"


@pytest.fixture
def client(work: Work, cast: Cast) -> APIClient:
    """The officer's phone."""
    return cast.officer.client()


def send(client: APIClient, data: str | bytes, path: str = PUSH, **headers: str) -> Any:
    return client.generic(
        "POST",
        path,
        data,  # type: ignore[arg-type]  # bytes are sent as they are
        content_type="application/json",
        headers=headers,
    )


def filled(mutation: dict[str, Any], value: str) -> str:
    """Write a mutation as JSON with the raw value in the marked place."""
    return json.dumps(mutation).replace(f'"{MARK}"', value)


def sound(work: Work) -> dict[str, Any]:
    return {"id": str(new_id()), "type": "inspection.save", "object": str(new_id()), "fields": work.fields()}


def places(work: Work) -> Iterator[dict[str, Any]]:
    """Give a mutation for each place a value can stand in, with the mark in that place."""
    for key in ENVELOPE:
        yield {**sound(work), key: MARK}
    for kind in ("inspection.save", "inspection.submit"):
        for key in FIELDS:
            one = {**sound(work), "type": kind}
            one["fields"][key] = MARK
            yield one
    for step in range(4):
        for inside in (
            MARK,
            {"value": MARK},
            {"na": True, "reason": MARK},
            {"value": [MARK]},
            {"note": MARK},
        ):
            one = sound(work)
            one["fields"]["answers"] = {f"step_{step}": copy.deepcopy(inside)}
            yield one
    for photos in ({"step_3": MARK}, {"step_3": [MARK]}):
        one = sound(work)
        one["fields"]["photos"] = photos
        yield one
    declared = {"report": OID, "step": "s", "sha256": "a" * 64, "size": 5, "mime": "image/jpeg"}
    for key in CLAIMS:
        yield {**sound(work), "type": "attachment.create", "fields": {**declared, key: MARK}}
    yield {**sound(work), "type": "inspection.discard", "fields": {"x": MARK}}


@pytest.mark.parametrize("name", VALUES)
def test_case_12_any_value_in_any_place_is_judged_alone(work: Work, client: APIClient, name: str) -> None:
    """Expected: every mutation its verdict, none of them `server-error`; the sound one at the end is applied."""
    marked = list(places(work))
    last = sound(work)
    for start in range(0, len(marked), 40):
        batch = [filled(m, VALUES[name]) for m in marked[start : start + 40]]
        body = '{"mutations":[' + ",".join([*batch, json.dumps({**last, "id": str(new_id())})]) + "]}"
        answer = send(client, body)
        assert answer.status_code == 200, (name, answer.content[:300])
        results = answer.json()["results"]
        assert len(results) == len(batch) + 1
        assert results[-1]["status"] == "applied"
        for sent, result in zip(marked[start:], results, strict=False):
            assert result.get("code") not in {"server-error", "busy"}, (name, sent, result)
            assert result["status"] != "deferred" or result["code"] == "missing-dependency"
            if result["status"] == "rejected" and result["code"] == "invalid-field":
                assert all(e["pointer"] == "" or e["pointer"][0] == "/" for e in result["errors"]), result
    pulled = send(client, "{}", PULL)
    assert pulled.status_code == 200
    json.loads(pulled.content)
    status = client.get("/mobile/v1/sync/status")
    assert status.status_code == 200
    check_feed()


@pytest.mark.parametrize(
    "mutation", ["null", "1", '"x"', "[]", "{}", "[[]]", "NaN", '"\\ud800"', '{"id":"\\ud800"}', '{"id":{}}']
)
def test_what_is_no_mutation_is_refused_alone(work: Work, client: APIClient, mutation: str) -> None:
    answer = send(client, '{"mutations":[' + mutation + "," + json.dumps(sound(work)) + "]}")
    assert answer.status_code == 200
    assert [r["status"] for r in answer.json()["results"]] == ["rejected", "applied"]


def test_faults_that_no_database_holds_have_pointers(work: Work, client: APIClient) -> None:
    one = sound(work)
    one["fields"] |= {"remarks": "a\x00", "subjects": [{"name": "\ud800"}], "goods": {"kg": MARK}}
    answer = send(client, '{"mutations":[' + filled(one, "1e400") + "]}")
    (result,) = answer.json()["results"]
    assert (result["status"], result["code"]) == ("rejected", "invalid-field")
    assert {e["pointer"] for e in result["errors"]} == {
        "/fields/remarks",
        "/fields/subjects/0/name",
        "/fields/goods/kg",
    }
    assert Mutation.objects.filter(pk=one["id"], status="rejected").exists(), "the payload is kept"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from([*FIELDS, *CLAIMS]), JSON, max_size=5),
    st.sampled_from(["inspection.save", "inspection.submit", "inspection.discard", "attachment.create"]),
    st.booleans(),
)
def test_any_fields_of_any_type_get_a_verdict(
    work: Work, client: APIClient, fields: dict[str, Any], kind: str, is_whole: bool
) -> None:
    one = {**sound(work), "type": kind, "fields": fields}
    if is_whole:
        one["fields"] = {**work.fields(), **fields}
    answer = send(client, json.dumps({"mutations": [one]}))
    assert answer.status_code == 200, answer.content[:300]
    (result,) = answer.json()["results"]
    assert result.get("code") not in {"server-error", "busy"}, (one, result)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"\xff\xfe{}", 400, "malformed"),
        (b"null", 422, "invalid-field"),
        (b"[]", 422, "invalid-field"),
        (b"{}", 422, "invalid-field"),
        (b'{"mutations": {}}', 422, "invalid-field"),
        (b'{"mutations": null}', 422, "invalid-field"),
        (b'{"mutations": [], "device_id": 5}', 422, "invalid-field"),
        (b'{"mutations": [], "device_id": "x"}', 422, "invalid-field"),
        (b'{"mutations": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 413, "too-large"),
        (b'{"mutations": [' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}", 413, "too-large"),
        (b'{"mutations": [' + b"1," * 200 + b"1]}", 413, "push-too-large"),
        (b'{"mutations": ["' + b"x" * 10_000_000 + b'"]}', 413, "too-large"),
    ],
    ids=lambda value: f"{len(value)} bytes {value[:34]!r}" if isinstance(value, bytes) else None,
)
def test_case_13_whole_bodies_are_refused_with_their_limits(
    work: Work, client: APIClient, body: bytes, status: int, code: str
) -> None:
    """Expected: 400, 413 with the limits, or 422 for the whole request; nothing is processed."""
    answer = send(client, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    if status == 413:
        limits = answer.json()["limits"]
        assert limits["inflated_bytes"] == 8 * 1024 * 1024
        assert limits["depth"] == 32
    assert not Mutation.objects.exists()


def test_200_mutations_are_taken(work: Work, client: APIClient) -> None:
    batch = [{**sound(work), "fields": {"checklist_version": work.version}} for _ in range(200)]
    answer = send(
        client, gzip.compress(json.dumps({"mutations": batch}).encode()), **{"Content-Encoding": "gzip"}
    )
    assert {r["status"] for r in answer.json()["results"]} == {"applied"}
    assert InspectionReport.objects.count() == 200


@pytest.mark.parametrize(
    ("packed", "status"),
    [
        (gzip.compress(b"0" * 50_000_000, 9, mtime=0), 413),
        (gzip.compress(b'{"mutations": []}', mtime=0)[:-4], 400),
        (gzip.compress(b'{"mutations": []}', mtime=0) + b"tail", 400),
        (b"not gzip", 400),
    ],
    ids=["bomb", "cut", "with a tail", "none"],
)
def test_case_13_hostile_compression(work: Work, client: APIClient, packed: bytes, status: int) -> None:
    """Expected: a bomb is 413, broken gzip 400, before anything is parsed."""
    assert send(client, packed, **{"Content-Encoding": "gzip"}).status_code == status


def test_other_encodings_are_not_taken(work: Work, client: APIClient) -> None:
    assert send(client, b"{}", **{"Content-Encoding": "br"}).status_code == 415


def test_a_large_mutation_is_refused_and_kept(work: Work, client: APIClient) -> None:
    one = sound(work)
    one["fields"]["remarks"] = "x" * 7_000_000
    answer = send(client, json.dumps({"mutations": [one, sound(work)]}))
    results = answer.json()["results"]
    assert [(r["status"], r.get("code")) for r in results] == [("rejected", "too-large"), ("applied", None)]
    assert len(Mutation.objects.get(pk=one["id"]).payload) > 7_000_000


@pytest.mark.parametrize("key", ["cursor", "limit", "max_bytes", "wait", "reset", "unknown"])
def test_a_pull_of_any_shape_is_answered(work: Work, client: APIClient, key: str) -> None:
    for name, value in VALUES.items():
        if (key, name) == ("wait", "true"):
            continue  # a lawful wait of a second
        answer = send(client, f'{{"{key}": {value}}}', PULL)
        assert answer.status_code in {200, 400, 413, 422}, (key, name, answer.content[:300])


def test_a_pull_with_a_forged_cursor_shows_nothing_of_others(
    work: Work, cast: Cast, client: APIClient
) -> None:
    work.submit(by=cast.team_mate)
    own = send(client, "{}", PULL).json()
    other = str(cast.team_mate.posting.pk)

    forged = {"e": own["epoch"], "s": {f"post:{other}": 0, "ref": 0}, "l": [f"post:{other}"]}
    cursor = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    answer = send(client, json.dumps({"cursor": cursor, "reset": [f"post:{other}"]}), PULL).json()
    assert other not in json.dumps(answer["changes"])
    assert answer["drop"] == [f"post:{other}"]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "bnVsbA", "e30", "W10", "\u00e9", "=" * 50, "A" * 100_001])
def test_rubbish_for_a_cursor_is_named(work: Work, client: APIClient, cursor: str) -> None:
    answer = send(client, json.dumps({"cursor": cursor}), PULL)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/cursor"
