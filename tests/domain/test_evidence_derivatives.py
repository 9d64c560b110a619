"""Thumbnails and EXIF claims, made in a limited child process; hostile photos harm nothing but the child."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from apps.changes.actions import relay
from apps.changes.models import Entry, Reaction
from apps.evidence import actions, tasks
from apps.evidence.imaging import Imager
from apps.evidence.models import Attachment
from apps.evidence.storage import depot
from backend.reactions import REACTIONS
from tests import evidence_images as images
from tests.cast import Cast
from tests.evidence import declare, on_disk


@pytest.fixture(autouse=True)
def _own_storage(tmp_path: Path, settings: Any) -> None:
    """Give each test an empty evidence storage."""
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path)}


def exif(taken: str = "2026:11:21 15:00:00", offset: str = "+07:00") -> bytes:
    """Write EXIF as a phone's camera does."""
    tags = Image.Exif()
    tags[0x010F], tags[0x0110] = "Hai Dang", "Mo phong\x07"
    tags[0x0112] = 6
    tags.get_ifd(0x8769).update({0x9003: taken, 0x9011: offset})
    tags.get_ifd(0x8825).update({1: "N", 2: (21.0, 13.0, 12.0), 3: "E", 4: (105.0, 48.0, 36.0)})
    return tags.tobytes()


def stored(cast: Cast, data: bytes, **fields: Any) -> Attachment:
    attachment = declare(cast.officer, data, **fields)
    return actions.store_original(actor=cast.officer.actor(), attachment_id=attachment.pk, data=data)


def test_a_stored_photo_gets_a_thumbnail_and_claims(cast: Cast) -> None:
    data = images.jpeg(1280, 960, exif=exif())
    photo = stored(cast, data, captured_on_device_at=datetime(2026, 11, 21, 8, tzinfo=UTC))
    sent: list[tuple[str, list[int]]] = []
    relay(REACTIONS, lambda task, ids: sent.append((task, ids)))
    ids = next(ids for task, ids in sent if task == "evidence.derive")
    for _ in range(2):
        tasks.derive(ids)
    photo.refresh_from_db()
    assert (photo.width, photo.height, photo.flags, photo.rev) == (1280, 960, [], 3)
    assert photo.claims == {
        "make": "Hai Dang",
        "model": "Mo phong",
        "taken": "2026:11:21 15:00:00",
        "offset": "+07:00",
        "position": {"latitude": 21.22, "longitude": 105.81},
    }
    with depot().open(photo.thumbnail) as file, Image.open(io.BytesIO(file.read())) as small:
        assert (small.format, small.size) == ("WEBP", (384, 512))
        assert not small.getexif()
    with depot().open(photo.original) as file:
        assert file.read() == data
    assert Entry.objects.get(oid=photo.pk).rev == 3
    assert not Reaction.objects.filter(task="evidence.derive", done_at=None).exists()


def test_times_that_disagree_are_flagged(cast: Cast) -> None:
    photo = stored(
        cast, images.jpeg(exif=exif()), captured_on_device_at=datetime(2026, 11, 22, 8, tzinfo=UTC)
    )
    actions.derive_thumbnail(attachment_id=photo.pk)
    photo.refresh_from_db()
    assert photo.flags == ["exif-time-differs"]


@pytest.mark.parametrize(("latitude", "flagged"), [(21.22, False), (10.82, True)])
def test_a_place_that_is_not_the_phones_is_flagged(cast: Cast, latitude: float, flagged: bool) -> None:
    place = {"latitude": latitude, "longitude": 105.81, "accuracy_m": 12}
    photo = stored(cast, images.jpeg(exif=exif()), manifest=json.dumps({"position": place}))
    actions.derive_thumbnail(attachment_id=photo.pk)
    photo.refresh_from_db()
    assert ("exif-place-differs" in photo.flags) is flagged


def test_a_photo_that_cannot_be_decoded_is_flagged(cast: Cast) -> None:
    plain = images.webp()
    photo = stored(cast, plain[:30] + b"\xff" * (len(plain) - 30), mime="image/webp")
    assert photo.state == "stored"
    actions.derive_thumbnail(attachment_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.thumbnail, "no-thumbnail" in photo.flags) == ("", True)


def test_a_video_needs_no_thumbnail(cast: Cast) -> None:
    video = stored(cast, images.mp4(), mime="video/mp4")
    actions.derive_thumbnail(attachment_id=video.pk)
    video.refresh_from_db()
    assert (video.state, video.thumbnail, video.rev) == ("stored", "", 2)


@pytest.mark.parametrize(
    "make",
    [
        images.png_bomb,
        images.jpeg_bomb,
        images.text_bomb,
        images.segment_bomb,
        bytes,
        images.heic,
    ],
)
def test_hostile_bytes_leave_the_child_able_to_work(make: Any) -> None:
    with Imager() as imager:
        before = imager.look(images.jpeg())
        imager.look(make())
        assert imager.look(images.jpeg()) == before
    assert before.thumbnail


def test_broken_exif_says_nothing() -> None:
    good = images.jpeg(exif=exif())
    at = good.index(b"Exif\x00\x00")
    with Imager() as imager:
        for cut in range(at, at + 200, 7):
            look = imager.look(good[:cut] + b"\xff" * 8 + good[cut + 8 :])
            assert isinstance(look.claims, dict)


def test_a_child_that_dies_or_hangs_is_replaced() -> None:
    with Imager(seconds=0.5) as imager:
        assert imager.look(images.jpeg()).thumbnail
        child = imager._child
        assert child
        os.kill(child.pid, signal.SIGKILL)
        assert imager.look(images.jpeg()).error
        assert imager.look(images.jpeg()).thumbnail
        child = imager._child
        assert child
        os.kill(child.pid, signal.SIGSTOP)
        assert imager.look(images.jpeg()).error
        assert imager.look(images.jpeg()).thumbnail


def test_the_child_is_limited() -> None:
    with Imager() as imager:
        assert imager.look(images.jpeg()).thumbnail
        child = imager._child
        assert child
        for limit, most in (
            (resource.RLIMIT_AS, 2**30),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NOFILE, 0),
            (resource.RLIMIT_NPROC, 0),
        ):
            assert resource.prlimit(child.pid, limit) == (most, most)
        assert resource.prlimit(child.pid, resource.RLIMIT_CPU)[0] < 60
