"""Manifests and parts over HTTP: only for who holds the stream, with ETag and Range; and pulls that name them."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.db import transaction

from apps.accounts.actions import end_posting, post_officer, report_device_lost
from apps.changes.actions import Rows, record_rows
from apps.changes.models import Stream
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM
from apps.sync import snapshots
from apps.sync.actions import new_epoch
from apps.sync.models import SnapshotPart
from apps.sync.snapshots import rules, serving, storage
from tests.cast import Cast
from tests.near import Near
from tests.sync.large import STREAM, Ports, build, fetched, labels_of

BASE = "/mobile/v1/snapshots/"
PULL = "/mobile/v1/sync/pull"
SAME_ID = {"X-Request-Id": "one-and-the-same"}


@pytest.fixture
def own(cast: Cast, ports: Ports) -> str:
    """The officer's own stream, large and with a snapshot."""
    stream = post_stream(cast.officer.posting.pk)
    puts = [(uuid5(UUID(int=7), str(i)), 1, "{}") for i in range(200)]
    with transaction.atomic():
        record_rows(SYSTEM, Rows("thing.changed", "thing", UUID(int=7), stream, "thing", puts=puts))
    assert snapshots.build_snapshot(stream)
    return stream


def parts(client: Any, stream: str = STREAM) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(BASE + stream).json()["parts"]
    return found


def pulled(client: Any, **asked: Any) -> dict[str, Any]:
    answer = client.post(PULL, json.dumps(asked), content_type="application/json")
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_a_manifest_and_a_part(cast: Cast, ports: Ports) -> None:
    build()
    client = cast.officer.client()
    answer = client.get(BASE + STREAM)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    told = answer.json()
    head = Stream.objects.get(pk=STREAM)
    assert (told["seq"], told["n"], told["h"]) == (head.seq, head.n, head.h)
    part = told["parts"][3]
    given = client.get(f"{BASE}{STREAM}/parts/{part['sha256']}")
    assert given.status_code == 200
    assert hashlib.sha256(given.content).hexdigest() == part["sha256"]
    assert "Content-Encoding" not in given.headers, "the bytes are what the hash is of"
    assert {given.headers[name] for name in ("Content-Type", "ETag", "Accept-Ranges")} == {
        "application/gzip",
        f'"{part["sha256"]}"',
        "bytes",
    }
    (line, *_) = gzip.decompress(given.content).splitlines()
    assert set(json.loads(line)) == {"k", "id", "rev", "body"}


def test_nothing_is_sent_to_who_has_it(cast: Cast, ports: Ports) -> None:
    build()
    client = cast.officer.client()
    etag = client.get(BASE + STREAM).headers["ETag"]
    part = f"{BASE}{STREAM}/parts/{parts(client)[0]['sha256']}"
    for path, tag in ((BASE + STREAM, etag), (part, client.get(part).headers["ETag"])):
        again = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    ports.change(["P00000"], "two")
    ports.load()
    build()
    assert client.get(BASE + STREAM, headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=100-", 100, None),
        ("bytes=-20", -20, None),
        ("bytes=5-99999999", 5, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_a_range_of_a_part(cast: Cast, ports: Ports, asked: str, first: int, last: int | None) -> None:
    build()
    client = cast.officer.client()
    path = f"{BASE}{STREAM}/parts/{parts(client)[0]['sha256']}"
    whole = client.get(path).content
    begin = first if first >= 0 else len(whole) + first
    end = len(whole) - 1 if last is None else last
    for more in ({}, {"If-Range": client.get(path).headers["ETag"]}):
        answer = client.get(path, headers={"Range": asked, **more})
        assert answer.status_code == 206
        assert answer.content == whole[begin : end + 1]
        assert answer.headers["Content-Range"] == f"bytes {begin}-{end}/{len(whole)}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=9-5", "bytes=", "bytes=-", "bytes=0-1,4-5", "lines=0-9", "bytes=a-b", "bytes=" + "9" * 40 + "-"],
)
def test_what_is_no_range_gets_the_whole(cast: Cast, ports: Ports, asked: str) -> None:
    build()
    client = cast.officer.client()
    path = f"{BASE}{STREAM}/parts/{parts(client)[0]['sha256']}"
    assert client.get(path, headers={"Range": asked}).status_code == 200
    assert client.get(path, headers={"Range": "bytes=0-3", "If-Range": '"other"'}).status_code == 200


@pytest.mark.parametrize("asked", ["bytes=9999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(cast: Cast, ports: Ports, asked: str) -> None:
    build()
    client = cast.officer.client()
    part = parts(client)[0]
    answer = client.get(f"{BASE}{STREAM}/parts/{part['sha256']}", headers={"Range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "range-not-satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{part['bytes']}"


def test_several_parts_in_one_answer(cast: Cast, ports: Ports, monkeypatch: pytest.MonkeyPatch) -> None:
    build()
    client = cast.officer.client()
    some = parts(client)[4:9]
    names = [part["sha256"] for part in some]
    path = f"{BASE}{STREAM}/parts?names="
    singly = [client.get(f"{BASE}{STREAM}/parts/{name}").content for name in names]
    assert client.get(path + ",".join(names)).content == b"".join(singly)
    monkeypatch.setattr(serving, "TOGETHER", sum(map(len, singly[:3])))
    assert client.get(path + ",".join(names)).content == b"".join(singly[:3]), "as many as fit"
    monkeypatch.setattr(serving, "TOGETHER", 1)
    assert client.get(path + ",".join(names)).content == singly[0], "at least one"
    for wrong in ("", ",", names[0] + ",", f"{names[0]},{'0' * 64}", ",".join(names * 20), "../keys"):
        assert client.get(path + wrong).status_code == 404, wrong


def test_a_part_costs_two_statements(cast: Cast, ports: Ports, django_assert_max_num_queries: Any) -> None:
    build()
    client = cast.officer.client()
    names = ",".join(part["sha256"] for part in parts(client))
    with django_assert_max_num_queries(2):
        assert client.get(f"{BASE}{STREAM}/parts?names={names}").status_code == 200


def test_who_does_not_hold_a_stream_gets_what_nobody_gets(cast: Cast, ports: Ports, own: str) -> None:
    build()
    held, listed = parts(cast.officer.client(), own)[0]["sha256"], parts(cast.officer.client())[0]["sha256"]
    stranger, liaison = cast.team_mate.client(), cast.liaison.client()
    nothing = stranger.get(f"{BASE}nothing", headers=SAME_ID)
    assert nothing.status_code == 404
    hidden = [
        stranger.get(BASE + own, headers=SAME_ID),
        stranger.get(f"{BASE}{own}/parts/{held}", headers=SAME_ID),
        stranger.get(f"{BASE}{STREAM}/parts/{held}", headers=SAME_ID),
        stranger.get(f"{BASE}{STREAM}/parts/{'0' * 64}", headers=SAME_ID),
        stranger.get(f"{BASE}{STREAM}/parts/..%2f..%2fkeys", headers=SAME_ID),
        stranger.get(f"{BASE}list:other", headers=SAME_ID),
        stranger.get(f"{BASE}ref", headers=SAME_ID),
        stranger.get(f"{BASE}{own}/parts?names={held}", headers=SAME_ID),
        liaison.get(f"{BASE}{STREAM}/parts?names={listed}", headers=SAME_ID),
        liaison.get(BASE + STREAM, headers=SAME_ID),
        liaison.get(f"{BASE}{STREAM}/parts/{listed}", headers=SAME_ID),
        liaison.get(f"{BASE}{STREAM}/parts/{listed}", headers={**SAME_ID, "Range": "bytes=9999999-"}),
        liaison.get(f"{BASE}{STREAM}/parts/{listed}", headers={**SAME_ID, "If-None-Match": f'"{listed}"'}),
    ]
    assert {(a.status_code, a.content, a.headers["Content-Type"]) for a in hidden} == {
        (404, nothing.content, nothing.headers["Content-Type"])
    }


def test_case_29_parts_of_a_lost_stream_are_404(cast: Cast, own: str) -> None:
    """Case 29, snapshots: whoever has moved reads neither manifest nor parts of the old post, nor does a new phone."""
    client = cast.officer.client()
    path = f"{BASE}{own}/parts/{parts(client, own)[0]['sha256']}"
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")
    end_posting(actor=SYSTEM, posting=cast.officer.posting)
    post_officer(actor=SYSTEM, officer=cast.officer.officer, unit=cast.far_gate, role="officer")
    several = path.replace("/parts/", "/parts?names=")
    for phone in (client, cast.officer.another_phone().client()):
        assert [phone.get(p).status_code for p in (BASE + own, path, several)] == [404, 404, 404]
        told = pulled(phone, cursor=None)
        assert own not in (*told["reset"], *told["snapshot"])


def test_case_31_a_lost_phone_gets_no_part(cast: Cast, ports: Ports) -> None:
    """Case 31, snapshots: a lost phone is told to wipe itself here too."""
    build()
    client = cast.officer.client()
    sha256 = parts(client)[0]["sha256"]
    report_device_lost(actor=SYSTEM, device=cast.officer.phone.device)
    for path in (BASE + STREAM, f"{BASE}{STREAM}/parts/{sha256}"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["wipe"]) == (403, True)


def test_case_37_a_cursor_below_the_floor_loads_from_the_snapshot(
    near: Near, cast: Cast, ports: Ports
) -> None:
    """Case 37, snapshots: that stream alone is reset, comes by parts, and what was deleted meanwhile is swept."""
    phone = near.phone(cast.officer)
    phone.pull()
    assert fetched(phone) == [], "small so far: by pages"
    del ports.rows["P00007"]
    ports.change(["P00008"], "two")
    ports.load()
    build()
    seq = Stream.objects.get(pk=STREAM).seq
    Stream.objects.filter(pk=STREAM).update(floor=seq)
    phone.pull()
    assert len(fetched(phone)) == 32
    assert labels_of(phone) == ports.labels()
    assert phone.troubles() == []


def test_case_37_a_floor_that_rises_above_the_manifest_during_the_load(
    near: Near, cast: Cast, ports: Ports
) -> None:
    """Expected: the number of the manifest counts no more; the stream loads again, by pages without a newer one."""
    build()
    phone = near.phone(cast.officer)
    original = phone._fetch

    def fetch(path: str) -> Any:
        if len(fetched(phone)) == 24 and "P00003" in ports.rows:
            del ports.rows["P00003"]
            ports.load()
            Stream.objects.filter(pk=STREAM).update(floor=Stream.objects.get(pk=STREAM).seq)
        return original(path)

    phone._fetch = fetch  # type: ignore[method-assign]
    phone.pull()
    assert labels_of(phone) == ports.labels()
    assert phone.troubles() == []
    client = cast.officer.client()
    assert client.get(BASE + STREAM).status_code == 404, "a manifest below the floor is not given"


def test_case_38_a_restore_during_the_load(near: Near, cast: Cast, ports: Ports) -> None:
    """Case 38, snapshots: numbers of the old epoch mean nothing; parts with the same rows are named the same."""
    build()
    phone = near.phone(cast.officer)
    original = phone._fetch

    def fetch(path: str) -> Any:
        answer = original(path)
        if len(fetched(phone)) == 32:
            new_epoch(actor=SYSTEM)
            build()
        return answer

    phone._fetch = fetch  # type: ignore[method-assign]
    phone.pull()
    assert labels_of(phone) == ports.labels()
    assert set(fetched(phone)) == set(SnapshotPart.objects.values_list("sha256", flat=True))


def test_a_loaded_number_counts_beside_a_cursor_alone(cast: Cast, ports: Ports, own: str) -> None:
    build()
    client = cast.officer.client()
    seq = Stream.objects.get(pk=STREAM).seq
    first = pulled(client, loaded={STREAM: seq})
    assert STREAM in first["reset"]
    assert set(first["snapshot"]) == {own, STREAM}
    beyond = pulled(
        client, cursor=first["cursor"], loaded={STREAM: seq + 1, "list:no": 3, "ref": 10**15}, later=[own]
    )
    assert STREAM not in beyond["complete"] or beyond["changes"]
    told = pulled(client, cursor=first["cursor"], loaded={STREAM: seq}, later=[own])
    assert told["complete"].keys() == {STREAM, "ref"}
    assert not [c for c in told["changes"] if c["s"] in {STREAM, own}]
    rest = pulled(client, cursor=told["cursor"])
    assert len([c for c in rest["changes"] if c["s"] == own]) == 201


def test_a_part_that_the_storage_lost_is_404(cast: Cast, ports: Ports) -> None:
    build()
    client = cast.officer.client()
    sha256 = parts(client)[0]["sha256"]
    storage.remove(rules.part_name(storage.folder(STREAM), sha256))
    assert client.get(f"{BASE}{STREAM}/parts/{sha256}").status_code == 404
    build()
    assert client.get(f"{BASE}{STREAM}/parts/{sha256}").status_code == 200


def test_answers_are_packed_when_the_phone_takes_it(cast: Cast, ports: Ports) -> None:
    client = cast.officer.client()
    body = json.dumps({"limit": 100})
    plain = client.post(PULL, body, content_type="application/json")
    assert "Content-Encoding" not in plain.headers
    for accepted, is_packed in (
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("br", False),
        ("xgzip", False),
    ):
        answer = client.post(
            PULL, body, content_type="application/json", headers={"Accept-Encoding": accepted}
        )
        assert ("Content-Encoding" in answer.headers) == is_packed, accepted
        assert "Accept-Encoding" in answer.headers["Vary"]
        data = gzip.decompress(answer.content) if is_packed else answer.content
        assert json.loads(data)["changes"] == plain.json()["changes"]
    cursor = pulled(client)["cursor"]
    small = client.post(
        PULL,
        json.dumps({"cursor": cursor, "later": ["x"]}),
        content_type="application/json",
        headers={"Accept-Encoding": "gzip"},
    )
    assert "Content-Encoding" not in small.headers, "a small answer is not worth it"


def test_behind_s3_a_machine_keeps_what_it_has_served(
    cast: Cast, ports: Ports, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "snapshots": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }
    build()
    client = cast.officer.client()
    sha256 = parts(client)[0]["sha256"]
    path, name = f"{BASE}{STREAM}/parts/{sha256}", rules.part_name(storage.folder(STREAM), sha256)
    first = client.get(path).content
    assert (tmp_path / "snapshot-cache" / name).read_bytes() == first
    assert client.get(path).content == first
    assert client.get(f"{BASE}{STREAM}/parts/{'0' * 64}").status_code == 404
