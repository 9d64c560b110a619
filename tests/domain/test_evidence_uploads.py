"""Bytes on their way in: what survives crashes, races, lost files and full disks, on a disk and on S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import OperationalError, connection
from django.utils import timezone

from apps.audit.models import Event
from apps.changes.models import Change
from apps.common.errors import DomainError
from apps.evidence import actions
from apps.evidence.actions import finishing
from apps.evidence.errors import HashMismatch, OffsetMismatch, StorageUnavailable
from apps.evidence.models import Attachment, Piece, Upload
from apps.evidence.storage import depot
from apps.evidence.storage.multipart import Bucket
from tests import evidence_images as images
from tests.cast import Cast
from tests.evidence import declare, on_disk, on_s3, send
from tests.tus import storages_for

PHOTO = images.noisy_jpeg(60_000)
HALF = len(PHOTO) // 2


storage = pytest.fixture(params=["disk", "s3"])(storages_for)


@pytest.fixture
def disk(settings: Any, tmp_path: Path) -> Path:
    """Run a test on a disk; gives the directory of the spool files."""
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path)}
    return tmp_path / "uploads"


def opened(cast: Cast, data: bytes = PHOTO) -> tuple[Attachment, Upload]:
    attachment = declare(cast.officer, data)
    upload = actions.open_upload(actor=cast.officer.actor(), length=len(data), attachment_id=attachment.pk)
    return attachment, upload


def assert_stored(attachment: Attachment, data: bytes = PHOTO) -> None:
    attachment.refresh_from_db()
    assert (attachment.state, attachment.failure) == ("stored", "")
    with depot().open(attachment.original) as file:
        assert file.read() == data
    assert Change.objects.filter(kind="attachment.stored", oid=attachment.pk).count() == 1
    assert Event.objects.filter(action="attachment.stored", oid=attachment.pk).count() == 1


def test_pieces_become_the_original(cast: Cast, storage: str) -> None:
    attachment, upload = opened(cast)
    assert send(cast.officer, upload.pk, 0, PHOTO[:1000], PHOTO[1000:HALF]).offset == HALF
    assert Piece.objects.count() == (2 if storage == "s3" else 0)
    assert send(cast.officer, upload.pk, HALF, PHOTO[HALF:]).finished_at
    assert_stored(attachment)
    assert not list(depot().uploads())


def test_a_connection_that_breaks_leaves_its_whole_pieces(cast: Cast, storage: str) -> None:
    attachment, upload = opened(cast)
    actor = cast.officer.actor()
    left = actions.append_chunk(
        actor=actor, upload_id=upload.pk, offset=0, size=len(PHOTO), pieces=[PHOTO[:700], PHOTO[700:901]]
    )
    assert left.offset == 901
    assert actions.read_upload(actor=actor, upload_id=upload.pk).offset == 901
    send(cast.officer, upload.pk, 901, PHOTO[901:])
    assert_stored(attachment)


def test_an_original_is_never_written_again(cast: Cast, storage: str) -> None:
    first, upload = opened(cast)
    send(cast.officer, upload.pk, 0, PHOTO)
    first.refresh_from_db()
    before = storages["evidence"].get_modified_time(first.original)
    second, upload = opened(cast)
    send(cast.officer, upload.pk, 0, PHOTO)
    assert_stored(second)
    assert storages["evidence"].get_modified_time(first.original) == before


def test_damaged_bytes_at_the_address_are_moved_aside(cast: Cast, disk: Path) -> None:
    attachment, upload = opened(cast)
    sha = attachment.sha256
    address = disk.parent / "sha256" / sha[:2] / sha
    address.parent.mkdir(parents=True)
    address.write_bytes(b"rot")
    send(cast.officer, upload.pk, 0, PHOTO)
    assert_stored(attachment)
    assert [p.read_bytes() for p in address.parent.glob("*.damaged-*")] == [b"rot"]


def test_an_original_cannot_be_changed_through_its_file(cast: Cast, disk: Path) -> None:
    attachment, upload = opened(cast)
    send(cast.officer, upload.pk, 0, PHOTO)
    attachment.refresh_from_db()
    assert (disk.parent / attachment.original).stat().st_mode & 0o777 == 0o440
    assert (disk.parent / attachment.original).stat().st_nlink == 1


def test_a_full_disk_refuses_and_loses_nothing(cast: Cast, disk: Path) -> None:
    attachment, upload = opened(cast)
    send(cast.officer, upload.pk, 0, PHOTO[:100])
    with mock.patch(
        "apps.evidence.storage.local.os.pwrite", side_effect=OSError(28, "No space left on device")
    ):
        with pytest.raises(StorageUnavailable):
            send(cast.officer, upload.pk, 100, PHOTO[100:])
    assert actions.read_upload(actor=cast.officer.actor(), upload_id=upload.pk).offset == 100
    send(cast.officer, upload.pk, 100, PHOTO[100:])
    assert_stored(attachment)


def test_an_unreachable_s3_refuses_and_loses_nothing(cast: Cast, s3_server: Any, settings: Any) -> None:
    good = on_s3(s3_server)
    settings.STORAGES = settings.STORAGES | {"evidence": good}
    attachment, upload = opened(cast)
    send(cast.officer, upload.pk, 0, PHOTO[:100])
    bad = good | {"OPTIONS": good["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:9"}}
    settings.STORAGES = settings.STORAGES | {"evidence": bad}
    with pytest.raises(StorageUnavailable):
        send(cast.officer, upload.pk, 100, PHOTO[100:])
    settings.STORAGES = settings.STORAGES | {"evidence": good}
    send(cast.officer, upload.pk, 100, PHOTO[100:])
    assert_stored(attachment)


def test_a_finished_upload_may_end_and_what_it_brought_stays(cast: Cast, storage: str) -> None:
    attachment, upload = opened(cast)
    send(cast.officer, upload.pk, 0, PHOTO)
    actions.terminate_upload(actor=cast.officer.actor(), upload_id=upload.pk)
    assert_stored(attachment)


LONG = PHOTO + b"behind the end" * 1_500_000  # 21 MB
PIECE = 512 * 1024


@pytest.fixture
def s3(settings: Any, s3_server: Any) -> Iterator[Bucket]:
    """Run a test on S3; gives what the storages of Django cannot say."""
    settings.STORAGES = settings.STORAGES | {"evidence": on_s3(s3_server)}
    storage: Any = storages["evidence"]
    yield Bucket(storage.bucket)
    for upload in list(depot().uploads()):
        depot().discard(upload)


def pieces_of(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE] for at in range(0, len(data), PIECE)]


def objects_of(upload: Upload) -> list[str]:
    return list(storages["evidence"].listdir(f"uploads/{upload.pk}")[1])


def test_on_s3_long_uploads_are_put_together_from_parts(cast: Cast, s3: Bucket) -> None:
    attachment, upload = opened(cast, LONG)
    half = 12 * 1024 * 1024
    send(cast.officer, upload.pk, 0, *pieces_of(LONG[:half]))
    parts = list(Piece.objects.exclude(number=0).values_list("number", "offset", "length"))
    assert parts == [(1, 0, 8 * 1024 * 1024)]
    assert Piece.objects.filter(number=0).count() == 8
    assert len(storages["evidence"].listdir(f"uploads/{upload.pk}")[1]) == 8
    assert [key for key, _ in s3.begun(f"uploads/{upload.pk}/")] == [f"uploads/{upload.pk}/whole"]
    assert actions.read_upload(actor=cast.officer.actor(), upload_id=upload.pk).offset == half
    send(cast.officer, upload.pk, half, *pieces_of(LONG[half:]))
    assert_stored(attachment, LONG)
    assert (list(s3.begun("uploads/")), objects_of(upload)) == ([], [])


@pytest.mark.parametrize("step", ["complete", "keep", "settle"])
def test_on_s3_a_crash_at_the_end_of_parts_stores_once(cast: Cast, s3: Bucket, step: str) -> None:
    attachment, upload = opened(cast, LONG)
    where: Any = {"complete": Bucket, "keep": type(depot()), "settle": finishing}[step]
    with mock.patch.object(where, step, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        send(cast.officer, upload.pk, 0, *pieces_of(LONG))
    assert actions.read_upload(actor=cast.officer.actor(), upload_id=upload.pk).offset == len(LONG)
    assert_stored(attachment, LONG)


def test_on_s3_wrong_bytes_in_parts_start_again(cast: Cast, s3: Bucket) -> None:
    attachment, upload = opened(cast, LONG)
    with pytest.raises(HashMismatch):
        send(cast.officer, upload.pk, 0, *pieces_of(LONG[::-1]))
    assert (Piece.objects.count(), list(s3.begun("uploads/")), objects_of(upload)) == (0, [], [])
    send(cast.officer, upload.pk, 0, *pieces_of(LONG))
    assert_stored(attachment, LONG)


def test_on_s3_a_lost_part_is_asked_for_again(cast: Cast, s3: Bucket) -> None:
    attachment, upload = opened(cast, LONG)
    send(cast.officer, upload.pk, 0, *pieces_of(LONG[: 17 * 1024 * 1024]))
    s3.abort_below(f"uploads/{upload.pk}/")
    left = actions.read_upload(actor=cast.officer.actor(), upload_id=upload.pk)
    assert (left.offset, Piece.objects.count(), left.multipart) == (0, 0, "")
    send(cast.officer, upload.pk, 0, *pieces_of(LONG))
    assert_stored(attachment, LONG)


def test_on_s3_abandoned_multipart_uploads_are_swept(cast: Cast, s3: Bucket) -> None:
    _, upload = opened(cast, LONG)
    send(cast.officer, upload.pk, 0, *pieces_of(LONG[: 9 * 1024 * 1024]))
    for piece in Piece.objects.filter(number=0):
        storages["evidence"].delete(piece.name)
    stray: Any = storages["evidence"]
    stray.bucket.meta.client.create_multipart_upload(Bucket=stray.bucket.name, Key="sha256/aa/bb/stray")
    actions.expire_uploads()
    assert len(list(s3.begun(""))) == 2
    with mock.patch("apps.evidence.actions.sweeping.LEFT_BEHIND", -timedelta(minutes=5)):
        Upload.objects.update(expires_at=timezone.now())
        actions.expire_uploads()
        actions.expire_uploads()
    assert list(s3.begun("")) == []
    # S3 knows no folders; the test server keeps the empty one until something in it is deleted once more.
    storages["evidence"].delete(storages["evidence"].save(f"uploads/{upload.pk}/last", ContentFile(b"x")))


def test_on_a_disk_what_a_dead_writer_left_is_swept(cast: Cast, disk: Path) -> None:
    attachment, upload = opened(cast)
    disk.mkdir(exist_ok=True)
    stray = disk / f"{upload.pk}.0123456789ab"
    stray.write_bytes(b"half a pho")
    actions.expire_uploads()
    assert stray.exists()
    os.utime(stray, (0, 0))
    assert actions.expire_uploads()["removed"] == 1
    assert not stray.exists()
    send(cast.officer, upload.pk, 0, PHOTO)
    assert_stored(attachment)
    assert list(disk.iterdir()) == []


def test_a_whole_file_can_be_stored_in_one_call(cast: Cast, storage: str) -> None:
    attachment = declare(cast.officer, PHOTO)
    for _ in range(2):
        actions.store_original(actor=cast.officer.actor(), attachment_id=attachment.pk, data=PHOTO)
    assert_stored(attachment)


def in_parallel(count: int, work: Any) -> list[Any]:
    """Run work in threads that start together; gives results or the errors raised."""
    gate = Barrier(count)

    def one(number: int) -> Any:
        gate.wait()
        try:
            return work(number)
        except (DomainError, OperationalError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.django_db(transaction=True)
def test_of_many_connections_at_one_place_one_is_counted(storage: str) -> None:
    cast = Cast()
    attachment, upload = opened(cast)
    actor = cast.officer.actor()
    step = 10_000

    def go(_number: int) -> Any:
        return actions.append_chunk(
            actor=actor,
            upload_id=upload.pk,
            offset=0,
            size=len(PHOTO),
            pieces=[PHOTO[i : i + step] for i in range(0, len(PHOTO), step)],
        )

    results = in_parallel(4, go)
    done = [r for r in results if isinstance(r, Upload) and r.finished_at]
    assert len(done) == 1, results
    assert all(isinstance(r, OffsetMismatch) for r in results if r not in done), results
    assert_stored(attachment)


@pytest.mark.django_db(transaction=True)
def test_the_end_may_be_reached_by_many_at_once(storage: str) -> None:
    cast = Cast()
    attachment, upload = opened(cast)
    actor = cast.officer.actor()
    with mock.patch("apps.evidence.actions.receiving.finalize_upload", side_effect=KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            send(cast.officer, upload.pk, 0, PHOTO[:HALF], PHOTO[HALF:])
    results = in_parallel(4, lambda _: actions.finalize_upload(actor=actor, upload_id=upload.pk))
    assert all(isinstance(r, Upload) and r.finished_at for r in results), results
    assert_stored(attachment)


def test_on_s3_whoever_is_overtaken_at_the_end_finds_it_ended(cast: Cast, s3: Bucket) -> None:
    attachment, upload = opened(cast)
    actor = cast.officer.actor()
    with mock.patch("apps.evidence.actions.receiving.finalize_upload", side_effect=KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            send(cast.officer, upload.pk, 0, PHOTO[:HALF], PHOTO[HALF:])
    storage = storages["evidence"]
    usual = storage.open

    def overtaken(name: str, mode: str = "rb") -> Any:
        found = usual(name, mode)  # asks whether it is there; its bytes are asked for when they are read
        with mock.patch.object(storage, "open", usual):
            actions.finalize_upload(actor=actor, upload_id=upload.pk)
        return found

    with mock.patch.object(storage, "open", overtaken):
        assert actions.finalize_upload(actor=actor, upload_id=upload.pk).finished_at
    assert_stored(attachment)


@pytest.mark.django_db(transaction=True)
def test_one_upload_is_opened_however_many_ask(storage: str) -> None:
    cast = Cast()
    attachment = declare(cast.officer, PHOTO)
    actor = cast.officer.actor()
    results = in_parallel(
        4, lambda _: actions.open_upload(actor=actor, length=len(PHOTO), attachment_id=attachment.pk)
    )
    assert len({r.pk for r in results}) == 1, results


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("others", ["whole", "empty"])
def test_a_photo_that_comes_with_its_creation_is_stored_once_however_many_bring_it(
    storage: str, others: str
) -> None:
    cast = Cast()
    attachment = declare(cast.officer, PHOTO)
    actor = cast.officer.actor()
    wanted: Any = {"attachment_id": attachment.pk, "length": len(PHOTO), "metadata": "", "mime": ""}

    def bring(number: int) -> Upload:
        if number and others == "empty":
            return actions.open_upload(actor=actor, **wanted)
        return actions.open_with_bytes(actor=actor, size=len(PHOTO), pieces=[PHOTO], **wanted)

    results = in_parallel(4, bring)
    refused = [r for r in results if isinstance(r, OffsetMismatch)]  # slower than a twin: told to ask again
    opened = {r.pk for r in results if isinstance(r, Upload)}
    assert (len(opened), len(refused) < 4) == (1, True), results
    assert Upload.objects.get().finished_at, results
    assert_stored(attachment)


@pytest.mark.django_db(transaction=True)
def test_one_declaration_is_made_however_often_it_comes(disk: Path) -> None:
    cast = Cast()
    first = declare(cast.officer, PHOTO)
    pk, owner = uuid4(), uuid4()
    results = in_parallel(4, lambda _: declare(cast.officer, PHOTO, id=pk, owner_id=owner))
    assert {getattr(r, "pk", r) for r in results} == {pk}, results
    assert Change.objects.filter(kind="attachment.declared", oid=pk).count() == 1
    assert first.pk != pk
