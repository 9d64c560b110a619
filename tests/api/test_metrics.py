"""Figures of sync: for whoever holds the token, in the words of Prometheus, and true."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.changes.models import Change, Stream
from apps.sync.actions import contacts
from apps.sync.metrics import collect, exposition, lags
from apps.sync.models import DevicePull
from tests.cast import Cast
from tests.evidence import declare
from tests.evidence_images import noisy_jpeg
from tests.work import Work

_LINE = re.compile(r'haidang_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+')


def figures() -> dict[str, float]:
    """Give the figures by their whole name."""
    lines = [line for line in exposition(collect()).splitlines() if not line.startswith("#")]
    assert all(_LINE.fullmatch(line) for line in lines), lines
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [("", "Bearer ", 404), ("", "", 404), ("secret", "", 404), ("secret", "Bearer wrong", 404),
     ("secret", "Bearer secretx", 404), ("secret", "Bearer secret", 200), ("secret", "Bearer sé", 404)],
)  # fmt: skip
def test_only_the_token_opens_them(db: None, settings: Any, token: str, given: str, status: int) -> None:
    settings.METRICS_TOKEN = token
    answer = Client().get("/metrics", headers={"Authorization": given})
    assert answer.status_code == status
    assert (b"haidang_" in answer.content) == (status == 200)


def test_they_are_true(work: Work, cast: Cast) -> None:
    client = cast.officer.client()
    good = {"id": "0192f0c1-0000-7000-8000-00000000000a", "object": "0192f0c1-0000-7000-8000-00000000000b"}
    bad = {"id": "0192f0c1-0000-7000-8000-00000000000c", "object": "0192f0c1-0000-7000-8000-00000000000d"}
    sent = [
        {**good, "type": "inspection.submit", "fields": work.fields()},
        {**bad, "type": "inspection.submit", "fields": work.fields(outcome="x")},
    ]
    client.post("/mobile/v1/sync/push", {"mutations": sent}, format="json")
    photo = noisy_jpeg(20_000)
    declare(cast.officer, photo)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(photo))}
    client.post("/mobile/v1/uploads", headers=headers)
    told = figures()
    kind = 'type="inspection.submit"'
    assert told[f'haidang_mutations_last_day{{{kind},status="applied",code=""}}'] == 1
    assert told[f'haidang_mutations_last_day{{{kind},status="rejected",code="invalid-field"}}'] == 1
    assert told["haidang_feed_entries_total"] == sum(Stream.objects.values_list("seq", flat=True))
    assert told["haidang_outbox_changes"] == Change.objects.filter(relayed_at=None).count() > 0
    assert (told["haidang_uploads_open"], told["haidang_uploads_missing_bytes"]) == (1, len(photo))
    assert told['haidang_devices{state="enrolled"}'] == 1
    assert told["haidang_device_never_pulled"] == 1
    assert told["haidang_device_silent_seconds_count"] == 1


def test_how_far_phones_are_behind(work: Work, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    device = cast.officer.phone.device
    notes = contacts._Notes()
    monkeypatch.setattr(contacts, "_notes", notes)
    heads = dict(Stream.objects.values_list("id", "seq"))
    contacts.note_pull(device=device.pk, seqs=heads)
    assert DevicePull.objects.get().seqs == heads
    work.submit()
    (lag,) = lags(timezone.now())
    assert lag.behind == 1
    contacts.note_pull(device=device.pk, seqs=dict(Stream.objects.values_list("id", "seq")))
    assert DevicePull.objects.get().seqs == heads, "within half a minute it is only remembered"
    notes.written_at = float("-inf")
    contacts.note_pull(device=device.pk, seqs=dict(Stream.objects.values_list("id", "seq")))
    (lag,) = lags(timezone.now())
    assert lag.behind == 0
    contacts.note_pull(device=None, seqs={})


def test_the_words_for_people(work: Work, cast: Cast) -> None:
    work.submit()
    assert cast.officer.phone.device.name == "Điện thoại"
    out = StringIO()
    call_command("sync_metrics", stdout=out)
    assert "Điện thoại" in out.getvalue()
    assert "never" in out.getvalue()
    assert "feed_entries_total" in out.getvalue()
    out = StringIO()
    call_command("sync_metrics", "--prometheus", stdout=out)
    assert out.getvalue().startswith("# HELP haidang_devices ")
