"""Building snapshots: consistent, resumable, unchanged parts reused, forgotten parts collected."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4, uuid5

import orjson
import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.changes.actions import Item, Rows, record, record_rows
from apps.changes.models import Entry, Stream
from apps.changes.rules import DIGEST_MASK, row_digest
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.sync import snapshots
from apps.sync.actions import new_epoch
from apps.sync.models import Snapshot, SnapshotPart
from apps.sync.queries import epoch
from apps.sync.snapshots import building, rules, storage
from apps.sync.snapshots.reading import Reader
from apps.sync.snapshots.rules import bucket_of, bytes_of, is_due, split_for
from tests.evidence import on_s3

STREAM = "list:things"
NAME = UUID(int=5)


def ids(count: int, begin: int = 0) -> list[UUID]:
    return [uuid5(NAME, str(i)) for i in range(begin, begin + count)]


@transaction.atomic
def put(oids: list[UUID], rev: int = 1, stream: str = STREAM) -> None:
    puts = [(oid, rev, orjson.dumps({"tên": "Hải Phòng", "rev": rev}).decode()) for oid in oids]
    record_rows(SYSTEM, Rows("thing.changed", "thing", NAME, stream, "thing", puts=puts))


@transaction.atomic
def remove(oids: list[UUID], rev: int = 9, stream: str = STREAM) -> None:
    record_rows(
        SYSTEM, Rows("thing.removed", "thing", NAME, stream, "thing", leaves=[(oid, rev) for oid in oids])
    )


def manifest(stream: str = STREAM) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(Snapshot.objects.get(stream=stream).manifest)
    return told


def read(stream: str = STREAM) -> dict[str, int]:
    """Read all parts as a phone does, checking each; gives revisions by id."""
    rows: dict[str, int] = {}
    told = manifest(stream)
    for part in told["parts"]:
        data = snapshots.read_part(stream, part["sha256"])
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (part["sha256"], part["bytes"])
        lines = [orjson.loads(line) for line in gzip.decompress(data).splitlines()]
        assert len(lines) == part["rows"]
        assert {set(line) == {"k", "id", "rev", "body"} for line in lines} == {True}
        rows |= {line["id"]: line["rev"] for line in lines}
    h = sum(row_digest("thing", UUID(oid), rev) for oid, rev in rows.items()) & DIGEST_MASK
    assert (len(rows), h) == (told["n"], told["h"]), "the manifest agrees with its parts"
    return rows


@pytest.fixture
def things(db: None) -> list[UUID]:
    """Some hundred records of a stream."""
    oids = ids(300)
    put(oids)
    return oids


@pytest.fixture(autouse=True)
def _own_storage(tmp_path: Any, settings: Any) -> None:
    place = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"snapshots": place}


def build() -> list[str]:
    """Build, and give the hashes of the parts in the manifest."""
    assert snapshots.build_snapshot(STREAM)
    return [part["sha256"] for part in manifest()["parts"]]


def test_a_snapshot_holds_the_stream_as_it_stood_at_one_number(things: list[UUID]) -> None:
    remove(things[:3])
    build()
    told, head = manifest(), Stream.objects.get(pk=STREAM)
    assert (told["epoch"], told["seq"], told["n"], told["h"]) == (epoch(), head.seq, head.n, head.h)
    assert read() == {str(oid): 1 for oid in things[3:]}
    assert [part["byte"] for part in told["parts"]] == list(range(0, 256, 8))


def test_only_parts_in_which_something_happened_are_built_again(things: list[UUID], monkeypatch: Any) -> None:
    before = build()
    put([things[0]], rev=2)
    remove([things[1]])
    (added,) = ids(1, 1000)
    put([added])
    built: list[int] = []
    store = building._store

    def counting(*args: Any, **facts: Any) -> Any:
        built.append(facts["bucket"])
        return store(*args, **facts)

    monkeypatch.setattr(building, "_store", counting)
    after = build()
    touched = {bucket_of(str(oid)[-2:], 32) for oid in (things[0], things[1], added)}
    assert set(built) == touched
    assert len(set(after) - set(before)) == len(touched)
    assert read() == {str(oid): 1 for oid in [*things[2:], added]} | {str(things[0]): 2}


def test_nothing_is_built_when_nothing_happened(things: list[UUID], monkeypatch: Any) -> None:
    before = build()
    monkeypatch.setattr(building, "_store", None)
    assert build() == before


def test_a_killed_build_goes_on_where_it_ended(things: list[UUID], monkeypatch: Any) -> None:
    kept: list[str] = []
    original = storage.put

    def dies(name: str, data: bytes) -> None:
        if len(kept) == 10:
            raise KeyboardInterrupt
        kept.append(name)
        original(name, data)

    monkeypatch.setattr(storage, "put", dies)
    with pytest.raises(KeyboardInterrupt):
        snapshots.build_snapshot(STREAM)
    assert manifest_is_empty()
    again: list[str] = []

    def noted(name: str, data: bytes) -> None:
        again.append(name)
        original(name, data)

    monkeypatch.setattr(storage, "put", noted)
    build()
    assert len(again) == 32 - 10
    assert not set(again) & set(kept)
    assert read().keys() == set(map(str, things))


def manifest_is_empty() -> bool:
    return not Snapshot.objects.exclude(manifest="").exists()


def test_a_part_that_the_storage_lost_is_made_again(things: list[UUID]) -> None:
    first = build()
    storage.remove(rules.part_name(storage.folder(STREAM), first[7]))
    assert build() == first
    assert len(read()) == 300


def test_a_part_older_than_the_floor_is_made_again(things: list[UUID]) -> None:
    """The deletion that made it untrue may have been forgotten, as retention does after 90 days."""
    build()
    remove(things[:2])
    floor = Stream.objects.get(pk=STREAM).seq
    Entry.objects.filter(stream_id=STREAM, op="del").delete()
    Stream.objects.filter(pk=STREAM).update(floor=floor)
    build()
    assert read() == {str(oid): 1 for oid in things[2:]}


def test_parts_that_do_not_add_up_are_made_again(things: list[UUID]) -> None:
    """Somebody mended the feed by hand, and no number tells of it."""
    build()
    Entry.objects.filter(stream_id=STREAM, oid=things[0]).delete()
    h = sum(row_digest("thing", oid, 1) for oid in things[1:]) & DIGEST_MASK
    Stream.objects.filter(pk=STREAM).update(n=299, h=h)
    build()
    assert read() == {str(oid): 1 for oid in things[1:]}


def test_parts_are_kept_a_week_after_the_last_manifest_that_named_them(things: list[UUID]) -> None:
    first = build()
    put(things[:1], rev=2)
    second = build()
    (old,) = set(first) - set(second)
    now = timezone.now()
    assert snapshots.collect_parts(now=now + dt.timedelta(days=6, hours=23)) == 0
    assert storage.has(rules.part_name(storage.folder(STREAM), old))
    assert snapshots.collect_parts(now=now + dt.timedelta(days=7, minutes=1)) == 1
    assert not storage.has(rules.part_name(storage.folder(STREAM), old))
    assert not SnapshotPart.objects.filter(sha256=old).exists()
    assert len(read()) == 300


def test_parts_that_were_never_named_and_stray_files_go_too(things: list[UUID], monkeypatch: Any) -> None:
    monkeypatch.setattr(building, "_publish", lambda *_: False)
    assert not snapshots.build_snapshot(STREAM)
    storage.put(rules.part_name(storage.folder(STREAM), "f" * 64), b"of a database that was restored")
    assert snapshots.collect_parts(now=timezone.now() + dt.timedelta(days=8)) == 33
    assert list(storage.names(storage.folder(STREAM))) == []


def test_a_new_epoch_takes_the_manifest_back_and_keeps_the_bytes(things: list[UUID]) -> None:
    first = build()
    new_epoch(actor=SYSTEM)
    assert building.build_due() == [], "300 rows are no large stream"
    assert build() == first, "the same rows are the same bytes"
    assert manifest()["epoch"] == epoch()


def test_an_epoch_that_begins_during_a_build_spoils_it(things: list[UUID], monkeypatch: Any) -> None:
    original = building._parts

    def restored(*args: Any) -> Any:
        parts = original(*args)
        new_epoch(actor=SYSTEM)
        return parts

    monkeypatch.setattr(building, "_parts", restored)
    assert not snapshots.build_snapshot(STREAM)
    assert manifest_is_empty()


def test_two_builders_do_not_meet(things: list[UUID]) -> None:
    lease = building._claim(STREAM)
    assert lease is not None
    assert not snapshots.build_snapshot(STREAM)
    Snapshot.objects.update(claimed_until=timezone.now() - dt.timedelta(seconds=1))
    assert snapshots.build_snapshot(STREAM), "the claim of a builder that was killed runs out"
    with pytest.raises(building.LeaseLost):
        lease.renew()


def test_what_is_due_is_built_and_what_became_small_is_taken_back(
    things: list[UUID], monkeypatch: Any
) -> None:
    monkeypatch.setattr(rules, "THRESHOLD", 300)
    monkeypatch.setattr(rules, "TOO_SMALL", 100)
    assert snapshots.build_due() == [STREAM]
    assert snapshots.build_due() == []
    put(things[:15], rev=2)
    assert snapshots.build_due() == [], "5 % is not more than 5 %"
    put(things[15:17], rev=2)
    assert snapshots.build_due(["list:other"]) == []
    assert snapshots.build_due([STREAM]) == [STREAM]
    Stream.objects.filter(pk=STREAM).update(floor=Stream.objects.get(pk=STREAM).seq)
    put(things[:1], rev=3)
    Stream.objects.filter(pk=STREAM).update(floor=Stream.objects.get(pk=STREAM).seq)
    assert snapshots.build_due() == [STREAM], "a manifest below the floor is of no use"
    remove(things[:250])
    assert snapshots.build_due() == []
    assert manifest_is_empty()


def test_when_a_snapshot_is_due() -> None:
    now = timezone.now()
    day_old = now - dt.timedelta(days=1)
    assert not is_due(n=19_999, seq=50_000, at=None, made_at=None, now=now)
    assert is_due(n=20_000, seq=50_000, at=None, made_at=None, now=now)
    assert not is_due(n=20_000, seq=51_000, at=50_000, made_at=now, now=now)
    assert is_due(n=20_000, seq=51_001, at=50_000, made_at=now, now=now)
    assert is_due(n=20_000, seq=50_001, at=50_000, made_at=day_old, now=now)
    assert not is_due(n=20_000, seq=50_000, at=50_000, made_at=day_old, now=now)
    assert is_due(n=20_000, seq=49_000, at=50_000, made_at=now, now=now), "the numbers have gone back"


def test_how_a_stream_is_cut() -> None:
    assert [split_for(n) for n in (0, 20_000, 100_000, 200_000, 1_000_000, 10**8)] == [
        32,
        32,
        32,
        64,
        256,
        256,
    ]
    assert split_for(200_000, 32) == 32, "the cut stays while the parts are of fair size"
    assert split_for(300_000, 32) == 128
    for split in (32, 64, 256):
        cut = [bytes_of(bucket, split) for bucket in range(split)]
        assert [digits for part in cut for digits in part] == [f"{byte:02x}" for byte in range(256)]
        assert all(bucket_of(digits, split) == bucket for bucket, part in enumerate(cut) for digits in part)


def test_records_born_in_the_same_year_spread_over_the_parts(db: None) -> None:
    put([new_id() for _ in range(2000)])
    build()
    sizes = [part["rows"] for part in manifest()["parts"]]
    assert len(sizes) == 32
    assert min(sizes) > 20


@pytest.mark.django_db(transaction=True)
def test_a_build_sees_one_moment_while_others_write(monkeypatch: Any) -> None:
    """What is written during a build, on another connection or by the builder itself, is not in it."""
    oids = ids(300)
    put(oids)
    original = Reader.parts

    def written_between(self: Any, *args: Any) -> Iterator[tuple[int, bytes, int]]:
        for i, part in enumerate(original(self, *args)):
            put([oids[i]], rev=2)
            put(ids(1, 1000 + i))
            remove([oids[-1 - i]])
            yield part

    with monkeypatch.context() as patched:
        patched.setattr(Reader, "parts", written_between)
        build()
    assert manifest()["seq"] == 300
    assert read() == {str(oid): 1 for oid in oids}
    build()
    assert manifest()["seq"] == Stream.objects.get(pk=STREAM).seq
    assert len(read()) == 300


def test_a_stream_of_several_kinds(db: None) -> None:
    oid = uuid4()
    with transaction.atomic():
        record(
            SYSTEM,
            *(Item("x.changed", kind, oid, 1, body={"k": kind}, streams=[STREAM]) for kind in ("a", "b")),
        )
    assert snapshots.build_snapshot(STREAM)
    assert [part["rows"] for part in manifest()["parts"]] == [2]
    assert connection.vendor in {"sqlite", "postgresql"}


def test_parts_lie_in_s3(things: list[UUID], settings: Any, s3_server: Any, tmp_path: Any) -> None:
    """The same life of parts on a real S3 service, below a prefix of the bucket."""
    place = on_s3(s3_server)
    place["OPTIONS"] = place["OPTIONS"] | {"location": "snapshots"}
    settings.STORAGES = settings.STORAGES | {"snapshots": place}
    settings.DATA_DIR = tmp_path / "machine"
    first = build()
    assert read() == {str(oid): 1 for oid in things}
    put(things[:1], rev=2)
    second = build()
    (old,) = set(first) - set(second)
    assert len(list(storage.names(storage.folder(STREAM)))) == 33
    assert snapshots.collect_parts(now=timezone.now() + dt.timedelta(days=8)) == 1
    assert not storage.has(rules.part_name(storage.folder(STREAM), old))
    with pytest.raises(FileNotFoundError):
        storage.read(rules.part_name(storage.folder(STREAM), "0" * 64))
    assert (s3_server.bucket_directory / "snapshots" / storage.folder(STREAM)).is_dir()
