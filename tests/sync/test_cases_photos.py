"""Photos, cases 48 to 54, 56 and 57 of docs/sync.md: lost answers, crashes, expired tokens, rivals, wrong bytes.

On a disk and on S3, in this process; the same cases against real processes are in `tests/api/test_uploads_live.py`
(51, 52) and, with a foreign client, in `tests/api/test_tus_clients_live.py` (50). Case 55 is in
`test_case_55_one_without_the_other.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import storages
from django.utils import timezone

from apps.accounts.models import DeviceToken
from apps.audit.models import Event
from apps.changes.models import Change
from apps.evidence import actions
from apps.evidence.actions import at_once, finishing
from apps.evidence.errors import OffsetMismatch, UploadEnded
from apps.evidence.models import Attachment, Piece, Upload
from apps.evidence.rules.content import examine
from apps.evidence.storage import depot, quarantine_name
from tests import evidence_images as images
from tests.cast import Cast
from tests.evidence import declare, send
from tests.tus import Tus, storages_for

PHOTO = images.noisy_jpeg(60_000)
HALF = len(PHOTO) // 2

storage = pytest.fixture(params=["disk", "s3"])(storages_for)


@pytest.fixture
def tus(cast: Cast) -> Tus:
    return Tus(cast.officer)


def opened(cast: Cast, data: bytes = PHOTO) -> tuple[Attachment, Upload]:
    attachment = declare(cast.officer, data)
    upload = actions.open_upload(actor=cast.officer.actor(), length=len(data), attachment_id=attachment.pk)
    return attachment, upload


def opened_with(cast: Cast, attachment: Attachment, data: bytes = PHOTO) -> Upload:
    """Open an upload together with all bytes."""
    return actions.open_with_bytes(
        actor=cast.officer.actor(),
        attachment_id=attachment.pk,
        length=len(data),
        metadata="",
        mime="",
        size=len(data),
        pieces=[data],
    )


def assert_stored(attachment: Attachment, data: bytes = PHOTO) -> None:
    attachment.refresh_from_db()
    assert (attachment.state, attachment.failure) == ("stored", "")
    with depot().open(attachment.original) as file:
        assert file.read() == data
    assert Change.objects.filter(kind="attachment.stored", oid=attachment.pk).count() == 1
    assert Event.objects.filter(action="attachment.stored", oid=attachment.pk).count() == 1


@pytest.mark.parametrize("cut", [HALF, len(PHOTO)], ids=["middle", "last chunk"])
def test_case_48_bytes_stored_answer_lost(cast: Cast, tus: Tus, storage: str, cut: int) -> None:
    """Expected: the same chunk again is 409 and writes nothing; HEAD tells what is durable; it is stored once."""
    attachment = declare(cast.officer, PHOTO)
    place = tus.opened(attachment)
    tus.patch(place, 0, PHOTO[:cut])  # and its answer never came
    again = tus.patch(place, 0, PHOTO[:cut])
    assert (again.status_code, again.json()["code"], again.json()["offset"]) == (409, "offset-mismatch", cut)
    assert tus.offset(place) == cut
    assert tus.opened(attachment) == place
    if cut < len(PHOTO):
        assert tus.patch(place, cut, PHOTO[cut:]).status_code == 204
    assert_stored(attachment)


def cut_before_the_end(cast: Cast, upload: Upload) -> None:
    """Receive everything and die before the last step."""
    with mock.patch("apps.evidence.actions.receiving.finalize_upload", side_effect=KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            send(cast.officer, upload.pk, 0, PHOTO[:HALF], PHOTO[HALF:])


def test_case_49_a_crash_before_finalize_is_made_good_by_the_next_question(cast: Cast, storage: str) -> None:
    """Expected: HEAD finishes what the crash left complete, once, and tells offset = length."""
    attachment, upload = opened(cast)
    cut_before_the_end(cast, upload)
    assert actions.read_upload(actor=cast.officer.actor(), upload_id=upload.pk).offset == len(PHOTO)
    assert_stored(attachment)


@pytest.mark.parametrize("step", ["keep", "settle", "clear"])
def test_case_49_a_crash_at_any_step_of_the_end_stores_once(cast: Cast, storage: str, step: str) -> None:
    """Expected: the end can be taken again from any of its steps; one `stored`, and nothing left behind."""
    attachment, upload = opened(cast)
    where: Any = type(depot()) if step == "keep" else finishing
    with mock.patch.object(where, step, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        send(cast.officer, upload.pk, 0, PHOTO[:HALF], PHOTO[HALF:])
    for _ in range(2):
        actions.finalize_upload(actor=cast.officer.actor(), upload_id=upload.pk)
    assert_stored(attachment)
    actions.expire_uploads()
    assert not list(depot().uploads())


@pytest.mark.parametrize("step", ["store", "settle"])
def test_case_49_a_crash_while_a_photo_comes_in_one_piece_stores_once(
    cast: Cast, storage: str, step: str
) -> None:
    """Expected: nothing was acknowledged, so HEAD tells 0; sent again, the photo is stored once."""
    attachment, upload = opened(cast)
    where: Any = type(depot()) if step == "store" else at_once
    with mock.patch.object(where, step, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        send(cast.officer, upload.pk, 0, PHOTO)
    assert actions.read_upload(actor=cast.officer.actor(), upload_id=upload.pk).offset == 0
    send(cast.officer, upload.pk, 0, PHOTO)
    assert_stored(attachment)


@pytest.mark.parametrize("step", ["store", "_settle_new"])
def test_case_49_a_crash_while_a_photo_comes_with_its_creation_stores_once(
    cast: Cast, storage: str, step: str
) -> None:
    """Expected: nothing was acknowledged and no upload is open; created again, the photo is stored once."""
    attachment = declare(cast.officer, PHOTO)
    where: Any = type(depot()) if step == "store" else at_once
    with mock.patch.object(where, step, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        opened_with(cast, attachment)
    assert not Upload.objects.exists()
    upload = opened_with(cast, attachment)
    assert (upload.offset, opened_with(cast, attachment).pk) == (len(PHOTO), upload.pk)
    assert_stored(attachment)


def test_case_49_opening_again_finishes_as_head_does(cast: Cast, storage: str) -> None:
    """Expected: a phone that does not know the place opens the upload again, without bytes; the photo is stored."""
    attachment, upload = opened(cast)
    cut_before_the_end(cast, upload)
    again = actions.open_with_bytes(
        actor=cast.officer.actor(),
        attachment_id=attachment.pk,
        length=len(PHOTO),
        size=0,
        pieces=(),
        metadata="",
        mime="",
    )
    assert (again.pk, again.offset) == (upload.pk, len(PHOTO))
    assert_stored(attachment)


def test_case_49_the_sweep_finishes_what_nobody_asks_for(cast: Cast, storage: str) -> None:
    """Expected: a phone that never comes back changes nothing: five quiet minutes later the sweep finishes it."""
    attachment, upload = opened(cast)
    cut_before_the_end(cast, upload)
    assert actions.expire_uploads()["finished"] == 0
    Upload.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    assert actions.expire_uploads()["finished"] == 1
    assert_stored(attachment)


def test_case_50_the_token_expires_in_the_middle(cast: Cast, tus: Tus, storage: str) -> None:
    """Expected: 401 to HEAD and PATCH changes nothing; creating again gives the same upload at the right byte."""
    attachment = declare(cast.officer, PHOTO)
    place = tus.opened(attachment)
    tus.patch(place, 0, PHOTO[:HALF])
    kept = dict(DeviceToken.objects.values_list("pk", "access_expires_at"))
    DeviceToken.objects.update(access_expires_at=timezone.now() - timedelta(seconds=1))
    for answer in (tus.head(place), tus.patch(place, HALF, PHOTO[HALF:]), tus.post(len(PHOTO), attachment)):
        assert answer.status_code == 401
        assert "Upload-Offset" not in answer
    for pk, moment in kept.items():
        DeviceToken.objects.filter(pk=pk).update(access_expires_at=moment)
    again = tus.post(len(PHOTO), attachment)
    assert (again["Location"], again["Upload-Offset"], Upload.objects.count()) == (place, str(HALF), 1)
    assert tus.patch(place, HALF, PHOTO[HALF:]).status_code == 204
    assert_stored(attachment)


def test_case_51_a_half_open_connection_loses_to_a_new_one(cast: Cast, storage: str) -> None:
    """Expected: what the old connection sends later is refused with 409, and the file is that of the new one."""
    attachment, upload = opened(cast)

    def half_open() -> Iterator[bytes]:
        yield PHOTO[:100]
        send(cast.officer, upload.pk, 100, PHOTO[100:200])
        yield b"?" * 100

    with pytest.raises(OffsetMismatch):
        actions.append_chunk(
            actor=cast.officer.actor(), upload_id=upload.pk, offset=0, size=len(PHOTO), pieces=half_open()
        )
    send(cast.officer, upload.pk, 200, PHOTO[200:])
    assert_stored(attachment)


def test_case_51_a_whole_photo_loses_to_a_connection_that_is_ahead(cast: Cast, storage: str) -> None:
    """Expected: a photo in one piece that comes while another connection has moved on is refused; one `stored`."""
    attachment, upload = opened(cast)

    def slow() -> Iterator[bytes]:
        send(cast.officer, upload.pk, 0, PHOTO[:HALF])
        yield PHOTO

    with pytest.raises(OffsetMismatch) as caught:
        actions.append_chunk(
            actor=cast.officer.actor(), upload_id=upload.pk, offset=0, size=len(PHOTO), pieces=slow()
        )
    assert caught.value.members == {"offset": HALF}
    send(cast.officer, upload.pk, HALF, PHOTO[HALF:])
    assert_stored(attachment)


def test_case_52_bytes_that_the_storage_lost_are_asked_for_again(
    cast: Cast, storage: str, tmp_path: Path
) -> None:
    """Expected: HEAD and 409 tell what is really there, not what was recorded; the phone goes on from that byte."""
    attachment, upload = opened(cast)
    send(cast.officer, upload.pk, 0, PHOTO[:500], PHOTO[500:900])
    if storage == "disk":
        os.truncate(tmp_path / "uploads" / str(upload.pk), 500)
    else:
        storages["evidence"].delete(Piece.objects.get(offset=500).name)
    actor = cast.officer.actor()
    assert actions.read_upload(actor=actor, upload_id=upload.pk).offset == 500
    with pytest.raises(OffsetMismatch) as caught:
        send(cast.officer, upload.pk, 900, PHOTO[900:])
    assert caught.value.members == {"offset": 500}
    send(cast.officer, upload.pk, 500, PHOTO[500:])
    assert_stored(attachment)


def test_case_52_bytes_lost_at_the_very_end_are_asked_for_again(cast: Cast, storage: str) -> None:
    """Expected: an upload that is complete by its row but not on the storage goes back, and is never `stored`."""
    attachment, upload = opened(cast)
    cut_before_the_end(cast, upload)
    depot().discard(upload.pk)
    assert actions.finalize_upload(actor=cast.officer.actor(), upload_id=upload.pk).offset == 0
    send(cast.officer, upload.pk, 0, PHOTO)
    assert_stored(attachment)


@pytest.mark.parametrize("chunk", [len(PHOTO), HALF], ids=["one piece", "two"])
def test_case_53_a_wrong_hash_starts_again_and_keeps_the_declaration(
    cast: Cast, tus: Tus, storage: str, chunk: int
) -> None:
    """Expected: 409 `hash-mismatch`, offset 0, the bytes gone, the attachment still expected; right bytes are taken."""
    attachment = declare(cast.officer, PHOTO)
    place = tus.opened(attachment)
    wrong = PHOTO[::-1]
    answer: Any = None
    for at in range(0, len(PHOTO), chunk):
        answer = tus.patch(place, at, wrong[at : at + chunk])
    assert (answer.status_code, answer.json()["code"], answer.json()["offset"]) == (409, "hash-mismatch", 0)
    attachment.refresh_from_db()
    assert (attachment.state, attachment.failure, attachment.rev) == ("expected", "hash-mismatch", 2)
    assert (tus.offset(place), Piece.objects.count(), list(depot().uploads())) == (0, 0, [])
    assert tus.patch(place, 0, PHOTO).status_code == 204
    assert_stored(attachment)


def test_case_53_a_wrong_size_is_refused_before_a_byte_is_sent(cast: Cast, tus: Tus, storage: str) -> None:
    """Expected: 422 `size-differs` at the creation, also with a length that comes later; 413 for more bytes."""
    attachment = declare(cast.officer, PHOTO)
    answer = tus.post(len(PHOTO) + 1, attachment)
    assert (answer.status_code, answer.json()["code"]) == (422, "size-differs")
    place = str(tus.post("", attachment, headers={"Upload-Defer-Length": "1"})["Location"])
    late = tus.patch(place, 0, PHOTO[:10], **{"Upload-Length": "11"})
    assert (late.status_code, late.json()["code"]) == (422, "size-differs")
    more = tus.patch(place, 0, PHOTO + b"x")
    assert (more.status_code, more.json()["code"], tus.offset(place)) == (413, "too-large", 0)


def test_case_54_identical_bytes_in_two_attachments(cast: Cast, tus: Tus, storage: str) -> None:
    """Expected: both are stored, at one content address that is written once."""
    first, second = declare(cast.officer, PHOTO), declare(cast.officer, PHOTO)
    assert tus.patch(tus.opened(first), 0, PHOTO).status_code == 204
    assert_stored(first)
    before = storages["evidence"].get_modified_time(first.original)
    assert tus.patch(tus.opened(second), 0, PHOTO).status_code == 204
    assert_stored(second)
    assert first.original == second.original
    assert storages["evidence"].get_modified_time(first.original) == before


def test_case_56_an_expired_upload_is_gone_and_is_made_anew(cast: Cast, tus: Tus, storage: str) -> None:
    """Expected: 410 on every method, the bytes swept, the photo still expected; a new creation starts at 0."""
    attachment = declare(cast.officer, PHOTO)
    place = tus.opened(attachment)
    tus.patch(place, 0, PHOTO[:100])
    Upload.objects.update(expires_at=timezone.now())
    for answer in (tus.head(place), tus.patch(place, 100, PHOTO[100:]), tus.delete(place)):
        assert answer.status_code == 410
    assert actions.expire_uploads()["expired"] == 1
    actions.expire_uploads()
    assert not list(depot().uploads())
    with pytest.raises(UploadEnded):
        send(cast.officer, Upload.objects.get().pk, 100, PHOTO[100:])
    attachment.refresh_from_db()
    assert attachment.state == "expected"
    again = tus.post(len(PHOTO), attachment)
    assert (again["Location"] != place, again["Upload-Offset"]) == (True, "0")
    assert tus.patch(str(again["Location"]), 0, PHOTO).status_code == 204
    assert_stored(attachment)


REFUSED = {
    "html": (b"<html>" * 100, 415, "unsupported-media"),
    "heic": (images.heic(), 415, "unsupported-media"),
    "png bomb": (images.png_bomb(), 413, "image-too-large"),
    "jpeg bomb": (images.jpeg_bomb(), 413, "image-too-large"),
    "segment bomb": (images.segment_bomb(), 413, "image-too-complex"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_case_57_what_is_no_photo_is_refused_and_kept_apart(
    cast: Cast, tus: Tus, storage: str, name: str
) -> None:
    """Expected: refused by name, kept in quarantine, served to nobody, and the declaration says why."""
    data, status, code = REFUSED[name]
    attachment = declare(cast.officer, data)
    place = tus.opened(attachment)
    answer = tus.patch(place, 0, data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    attachment.refresh_from_db()
    assert (attachment.state, attachment.failure, attachment.original) == ("rejected", code, "")
    with depot().open(quarantine_name(attachment.sha256)) as file:
        assert file.read() == data
    assert Event.objects.filter(action="attachment.rejected", oid=attachment.pk).exists()
    assert tus.offset(place) == len(data)
    assert tus.post(len(data), attachment).json()["code"] == "attachment-refused"
    assert tus.client.get(f"/mobile/v1/attachments/{attachment.pk}/original").status_code == 404


def test_case_57_a_polyglot_is_kept_as_evidence_and_flagged(cast: Cast, tus: Tus, storage: str) -> None:
    """Expected: a photo with something behind it is stored as it is, flagged `trailing-data`, and only downloaded."""
    attachment = declare(cast.officer, images.polyglot())
    tus.patch(tus.opened(attachment), 0, images.polyglot())
    assert_stored(attachment, images.polyglot())
    assert attachment.flags == ["trailing-data"]
    answer: Any = tus.client.get(f"/mobile/v1/attachments/{attachment.pk}/original")
    assert answer.getvalue() == images.polyglot()
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_case_57_a_false_type_is_corrected_and_flagged(cast: Cast, tus: Tus, storage: str) -> None:
    """Expected: the bytes decide: stored with the true type, flagged `mime-differs`."""
    attachment = declare(cast.officer, images.png(), mime="image/jpeg")
    tus.patch(tus.opened(attachment), 0, images.png())
    attachment.refresh_from_db()
    assert (attachment.state, attachment.mime, attachment.flags) == ("stored", "image/png", ["mime-differs"])


def test_case_57_nothing_and_too_much_are_refused(cast: Cast, tus: Tus, storage: str) -> None:
    """Expected: 0 bytes are no upload; over the limit 413, by what is said and by what the bytes turn out to be."""
    assert tus.post(0).json()["code"] == "upload-header"
    assert tus.post(500 * 2**20 + 1).json()["code"] == "too-large"
    assert tus.post(26 * 2**20).json()["code"] == "too-large"
    attachment = declare(cast.officer, PHOTO, mime="video/mp4")
    small = {"image/jpeg": len(PHOTO) - 1, "video/mp4": len(PHOTO)}
    with mock.patch.object(finishing, "LIMITS", small):
        answer = tus.patch(tus.opened(attachment), 0, PHOTO)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert examine(PHOTO).mime == "image/jpeg"
    attachment.refresh_from_db()
    assert (attachment.state, attachment.failure) == ("rejected", "too-large")
