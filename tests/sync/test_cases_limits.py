"""Whole requests that are refused, cases 13 to 15 of docs/sync.md: bombs, wrong lengths, limits, expired tokens."""

from __future__ import annotations

import gzip
import json
import socket
import tracemalloc
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import DeviceToken
from apps.inspections.models import InspectionReport
from apps.sync.models import Mutation
from mobile_api.sync import parsers
from tests.cast import Cast
from tests.near import Near
from tests.phone import Phone, Refused, VirtualClock
from tests.work import Work, mutation

PUSH = "/mobile/v1/sync/push"


@pytest.fixture
def phone(near: Near, work: Work, cast: Cast) -> Phone:
    """The officer's phone, in step with the server."""
    phone = near.phone(cast.officer, clock=VirtualClock())
    phone.sync()
    return phone


@pytest.mark.parametrize(
    ("body", "packed"),
    [
        (b"0" * 60_000_000, True),
        (b'{"mutations": [' + b"[" * 4_000_000 + b"]" * 4_000_000 + b"]}", False),
    ],
    ids=["bomb", "depth"],
)
def test_case_13_what_is_refused_before_parsing_costs_little_memory(
    work: Work, cast: Cast, body: bytes, packed: bool
) -> None:
    """Expected: 413 with the limits; memory stays within a few times the limit of 8 MB, not the size of the bomb."""
    client: APIClient = cast.officer.client()
    client.get("/mobile/v1/sync/status")
    sent = gzip.compress(body, 9) if packed else body
    headers = {"Content-Encoding": "gzip"} if packed else {}
    tracemalloc.start()
    try:
        answer = client.generic("POST", PUSH, sent, content_type="application/json", headers=headers)  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert peak < 50_000_000, f"{peak / 1e6:.0f} MB"
    assert not Mutation.objects.exists()


@pytest.mark.parametrize("claimed", [-5, +5])
def test_case_13_a_wrong_length_processes_nothing(phone: Phone, work: Work, claimed: int) -> None:
    """Expected: a body longer than said is malformed, a shorter one is a cut connection; nothing is stored."""
    body = json.dumps({"mutations": [mutation("inspection.save", work.fields())]}).encode()
    head = [f"POST {PUSH} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Connection: close"]
    head += [f"{key}: {value}" for key, value in phone.headers().items()]
    head += [f"Content-Length: {len(body) + claimed}", "", ""]
    with socket.create_connection((phone.wire.host, phone.wire.port), timeout=10) as raw:
        raw.sendall("\r\n".join(head).encode() + body)
        raw.shutdown(socket.SHUT_WR)
        answer = raw.recv(65536)
    assert answer[:12] in {b"HTTP/1.1 400", b""}, answer[:200]
    assert not Mutation.objects.exists()


def test_case_14_a_batch_over_the_limits_is_halved(
    phone: Phone, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected: 413 with the limits in the body; the phone sends less at once, and everything arrives."""
    monkeypatch.setattr(parsers, "MAX_MUTATIONS", 12)
    for i in range(30):
        phone.save({"checklist_version": work.version, "remarks": f"số {i}"})
    with pytest.raises(Refused) as refused:
        phone.call("POST", "/sync/push", {"mutations": [{}] * 13})
    assert (refused.value.status, refused.value.code) == (413, "push-too-large")
    assert refused.value.problem["limits"]["mutations"] == 200
    before = len(phone.wire.faults.log)
    assert len(phone.push(batch=30)) == 30
    assert len(phone.wire.faults.log) - before <= 8
    assert (InspectionReport.objects.count(), phone.waiting()) == (30, 0)


def test_case_14_one_mutation_beyond_all_limits_goes_to_the_officer(phone: Phone, work: Work) -> None:
    """Expected: it is shown as too large with its text kept on the phone; what waits behind it is sent."""
    phone.save({"checklist_version": work.version, "remarks": "trước"})
    huge = phone.save({"checklist_version": work.version, "remarks": "x" * 9_000_000})
    phone.save({"checklist_version": work.version, "remarks": "sau"})
    phone.push()
    (shown,) = phone.attention()
    assert (shown["code"], shown["sent"]["object"]) == ("too-large", huge)
    assert len(shown["sent"]["fields"]["remarks"]) == 9_000_000
    assert sorted(InspectionReport.objects.values_list("remarks", flat=True)) == ["sau", "trước"]


def test_case_15_a_token_that_expires_in_the_middle_processes_nothing(phone: Phone, work: Work) -> None:
    """Expected: 401 for the whole request, nothing processed; after a refresh the same ids succeed."""
    for i in range(3):
        phone.save({"checklist_version": work.version, "remarks": f"số {i}"})
    ids = [pk for (pk,) in phone.store.execute("SELECT id FROM outbox ORDER BY seq")]
    _first, *rest = [
        mutation("inspection.save", {"checklist_version": work.version}) | {"id": pk} for pk in ids
    ]
    past = timezone.now() - timedelta(seconds=1)
    DeviceToken.objects.update(access_expires_at=past)
    with pytest.raises(Refused) as refused:
        phone.call("POST", "/sync/push", {"mutations": rest}, again=False)
    assert (refused.value.status, refused.value.code) == (401, "token-expired")
    assert not Mutation.objects.exists()
    assert [r["id"] for r in phone.push(batch=1)[:1]] == ids[:1]
    DeviceToken.objects.update(access_expires_at=past)
    assert {r["status"] for r in phone.push()} == set()
    assert {str(pk) for pk in Mutation.objects.values_list("pk", flat=True)} == set(ids)
