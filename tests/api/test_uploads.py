"""tus 1.0.0 at /mobile/v1/uploads: the protocol, its refusals, and what a phone may rely on."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.changes.actions import relay
from apps.changes.models import Entry
from apps.changes.rules import post_stream
from apps.evidence import actions, tasks
from apps.evidence.models import Attachment, Upload
from apps.evidence.storage import depot
from backend.reactions import REACTIONS
from tests import evidence_images as images
from tests.cast import Cast
from tests.evidence import declare, on_disk
from tests.tus import URL, Tus

PHOTO = images.noisy_jpeg(60_000)


@pytest.fixture
def tus(cast: Cast) -> Tus:
    return Tus(cast.officer)


@pytest.fixture(autouse=True)
def _own_storage(tmp_path: Path, settings: Any) -> None:
    """Give each test an empty evidence storage."""
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path)}


def settle() -> None:
    """Do what the worker would do for finished uploads."""
    relay(
        REACTIONS,
        lambda task, ids: (
            getattr(tasks, task.partition(".")[2])(ids) if task.startswith("evidence.") else None
        ),
    )


def opened(tus: Tus, attachment: Attachment | None, length: int = len(PHOTO)) -> str:
    answer = tus.post(length, attachment)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def test_a_photo_arrives_is_stored_and_reaches_the_feed(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    place = opened(tus, attachment)
    first = tus.patch(place, 0, PHOTO[:20_000])
    assert (first.status_code, first["Upload-Offset"], first["Tus-Resumable"]) == (204, "20000", "1.0.0")
    assert "Upload-Expires" in first
    last = tus.patch(place, 20_000, PHOTO[20_000:])
    assert (last.status_code, last["Upload-Offset"]) == (204, str(len(PHOTO)))
    attachment.refresh_from_db()
    assert attachment.state == "stored"
    assert attachment.original == f"sha256/{attachment.sha256[:2]}/{attachment.sha256}"
    with depot().open(attachment.original) as file:
        assert file.read() == PHOTO
    assert not list(depot().uploads())
    entry = Entry.objects.get(
        stream_id=post_stream(cast.officer.posting.pk), kind="attachment", oid=attachment.pk
    )
    assert entry.rev == attachment.rev == 2
    assert '"state":"stored"' in entry.body


def test_the_server_says_what_it_can_do(tus: Tus) -> None:
    answer = tus.client.options(URL)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) >= {
        "creation",
        "creation-with-upload",
        "checksum",
        "termination",
        "expiration",
    }
    assert answer["Tus-Max-Size"] == str(500 * 2**20)
    assert answer["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_the_first_bytes_may_come_with_the_creation(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    answer = tus.post(len(PHOTO), attachment, data=PHOTO)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(PHOTO)))
    attachment.refresh_from_db()
    assert attachment.state == "stored"


def test_asking_again_gives_the_same_upload(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    place = opened(tus, attachment)
    tus.patch(place, 0, PHOTO[:100])
    again = tus.post(len(PHOTO), attachment)
    assert (again["Location"], again["Upload-Offset"]) == (place, "100")
    assert Upload.objects.count() == 1


def test_a_finished_upload_still_tells_its_offset(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    place = opened(tus, attachment)
    tus.patch(place, 0, PHOTO)
    answer = tus.head(place)
    assert (answer.status_code, answer["Upload-Offset"], answer["Upload-Length"]) == (
        200,
        str(len(PHOTO)),
        str(len(PHOTO)),
    )
    assert answer["Cache-Control"] == "no-store"
    assert "Upload-Expires" not in answer
    assert opened(tus, attachment) == place
    assert tus.patch(place, len(PHOTO), b"").status_code == 204
    assert tus.patch(place, 0, PHOTO[:10]).status_code == 409


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_chunk_is_checked_by_its_checksum(cast: Cast, tus: Tus, algorithm: str) -> None:
    attachment = declare(cast.officer, PHOTO)
    place = opened(tus, attachment)
    digest = base64.b64encode(hashlib.new(algorithm, PHOTO[:5000]).digest()).decode()
    wrong = tus.patch(place, 0, PHOTO[1:5001], **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert (wrong.status_code, wrong.json()["code"]) == (460, "checksum-mismatch")
    assert tus.offset(place) == 0
    right = tus.patch(place, 0, PHOTO[:5000], **{"Upload-Checksum": f"{algorithm} {digest}"})
    assert (right.status_code, right["Upload-Offset"]) == (204, "5000")


def test_a_plain_client_may_send_before_the_declaration(cast: Cast, tus: Tus) -> None:
    place = opened(tus, None)
    assert tus.patch(place, 0, PHOTO).status_code == 204
    assert tus.offset(place) == len(PHOTO)
    attachment = declare(cast.officer, PHOTO)
    settle()
    attachment.refresh_from_db()
    assert attachment.state == "stored"


def test_a_plain_client_may_send_after_the_declaration(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    stranger = declare(cast.team_mate, PHOTO)
    tus.patch(opened(tus, None), 0, PHOTO)
    attachment.refresh_from_db()
    stranger.refresh_from_db()
    assert (attachment.state, stranger.state) == ("stored", "expected")


def test_an_upload_can_be_ended_and_what_it_brought_stays(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    place = opened(tus, attachment)
    tus.patch(place, 0, PHOTO[:100])
    assert tus.delete(place).status_code == 204
    assert tus.head(place).status_code == 410
    assert tus.patch(place, 100, PHOTO[100:]).json()["code"] == "upload-ended"
    other = opened(tus, attachment)
    assert other != place
    tus.patch(other, 0, PHOTO)
    assert tus.delete(other).status_code == 204
    assert tus.head(other).status_code == 410
    attachment.refresh_from_db()
    assert attachment.state == "stored"
    with depot().open(attachment.original) as file:
        assert file.read() == PHOTO


def test_an_attachment_stored_long_ago_needs_no_second_upload(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    tus.patch(opened(tus, attachment), 0, PHOTO)
    Upload.objects.update(expires_at=timezone.now())
    actions.expire_uploads()
    assert tus.offset(opened(tus, attachment)) == len(PHOTO)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412, "tus-version"),
        ({"Tus-Resumable": ""}, 412, "tus-version"),
        ({"Upload-Offset": "1"}, 409, "offset-mismatch"),
        ({"Upload-Offset": "-1"}, 400, "upload-header"),
        ({"Upload-Offset": "9" * 30}, 400, "upload-header"),
        ({"Upload-Offset": "٣"}, 400, "upload-header"),
        ({"Content-Type": "image/jpeg"}, 415, "unsupported-media-type"),
        ({"Upload-Checksum": "md5 AAAA"}, 400, "checksum-algorithm"),
        ({"Upload-Checksum": "sha1 %%%"}, 400, "checksum-algorithm"),
    ],
)
def test_a_chunk_with_a_wrong_header_is_refused(
    cast: Cast, tus: Tus, change: dict[str, str], status: int, code: str
) -> None:
    place = opened(tus, declare(cast.officer, PHOTO))
    answer = tus.patch(place, 0, PHOTO[:100], **change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Tus-Resumable"] == "1.0.0"
    assert ("Tus-Version" in answer) is (status == 412)
    assert tus.offset(place) == 0


def test_more_bytes_than_promised_are_refused(cast: Cast, tus: Tus) -> None:
    place = opened(tus, declare(cast.officer, PHOTO))
    answer = tus.patch(place, 0, PHOTO + b"x")
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert tus.offset(place) == 0


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Upload-Length": "0"}, 400, "upload-header"),
        ({"Upload-Length": "-5"}, 400, "upload-header"),
        ({"Upload-Length": "NaN"}, 400, "upload-header"),
        ({"Upload-Length": str(500 * 2**20 + 1)}, 413, "too-large"),
        ({"Upload-Length": str(26 * 2**20)}, 413, "too-large"),
        ({"Upload-Defer-Length": "1"}, 400, "upload-header"),  # and a length
        ({"Upload-Metadata": "attachment_id bm90LWEtdXVpZA=="}, 400, "upload-header"),
        ({"Upload-Metadata": "attachment_id %%%"}, 400, "upload-header"),
        ({"Upload-Metadata": "filename " + "A" * 3000}, 400, "upload-header"),
        ({"Upload-Metadata": "filename \x01"}, 400, "upload-header"),
        (
            {"Upload-Metadata": "attachment_id " + base64.b64encode(str(uuid4()).encode()).decode()},
            404,
            "not-found",
        ),
    ],
)
def test_a_creation_with_a_wrong_header_is_refused(
    tus: Tus, headers: dict[str, str], status: int, code: str
) -> None:
    answer = tus.post(100, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Upload.objects.exists()


def test_uploads_without_a_declaration_are_few(tus: Tus) -> None:
    for _ in range(20):
        opened(tus, None)
    assert tus.post(10).json()["code"] == "too-many-uploads"


def test_nobody_else_meets_an_upload(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    place = opened(tus, attachment)
    nowhere = f"{URL}/{uuid4()}"
    for member in (cast.team_mate, cast.leader, cast.outsider):
        other = Tus(member)
        for send in (other.head, other.delete, lambda p, o=other: o.patch(p, 0, b"x" * 10)):
            there, none = send(place), send(nowhere)
            assert there.status_code == none.status_code == 404
            assert _same(there) == _same(none)
        assert other.post(len(PHOTO), attachment).status_code == 404


def _same(answer: Any) -> dict[str, Any]:
    return {k: v for k, v in (answer.data or {}).items() if k != "request_id"}


def test_the_officers_other_phone_goes_on(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    place = opened(tus, attachment)
    tus.patch(place, 0, PHOTO[:100])
    second = Tus(cast.officer)
    second.client = cast.officer.another_phone().client()
    assert second.head(place).status_code == 404
    assert opened(second, attachment) == place
    assert second.patch(place, 100, PHOTO[100:]).status_code == 204


def test_a_moved_officer_still_sends(cast: Cast) -> None:
    member = cast.moved
    old = member.officer.postings.get(unit=cast.noi_bai)
    attachment = declare(member, PHOTO, post=old)
    tus = Tus(member)
    tus.patch(opened(tus, attachment), 0, PHOTO)
    attachment.refresh_from_db()
    assert (attachment.state, attachment.unit_id) == ("stored", cast.noi_bai.pk)


def test_a_revoked_phone_is_told_so(cast: Cast) -> None:
    tus = Tus(cast.revoked)
    for answer in (tus.client.options(URL), tus.post(10), tus.head(f"{URL}/{uuid4()}")):
        assert answer.status_code == 403


def test_methods_may_be_named_in_a_header(cast: Cast, tus: Tus) -> None:
    place = opened(tus, declare(cast.officer, PHOTO))
    headers = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0"}
    assert tus.send("post", place, PHOTO[:9], headers=headers)["Upload-Offset"] == "9"
    assert tus.send("post", place, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert tus.send("post", place).status_code == 405


def test_the_facts_the_original_and_the_thumbnail(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    url = f"/mobile/v1/attachments/{attachment.pk}"
    assert tus.client.get(f"{url}/original").status_code == 404
    tus.patch(opened(tus, attachment), 0, PHOTO)
    facts = tus.client.get(url).json()
    assert (facts["state"], facts["sha256"], facts["has_thumbnail"]) == ("stored", attachment.sha256, False)
    assert tus.client.get(f"{url}/thumbnail").status_code == 404
    actions.derive_thumbnail(attachment_id=attachment.pk)
    small = tus.client.get(f"{url}/thumbnail")
    assert (small.status_code, small["Content-Type"]) == (200, "image/webp")
    assert small.getvalue()[8:12] == b"WEBP"
    answer: Any = tus.client.get(f"{url}/original")
    assert b"".join(answer.streaming_content) == PHOTO
    assert answer["Content-Disposition"] == f'attachment; filename="{attachment.pk}.jpg"'
    for response in (answer, small):
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
        assert "no-store" in response["Cache-Control"]
    assert (
        Event.objects.filter(
            action="original.viewed", oid=attachment.pk, actor_id=cast.officer.officer.pk
        ).count()
        == 1
    )


def test_an_original_is_shown_to_its_unit_once_published_and_to_nobody_else(cast: Cast, tus: Tus) -> None:
    attachment = declare(cast.officer, PHOTO)
    tus.patch(opened(tus, attachment), 0, PHOTO)
    url = f"/mobile/v1/attachments/{attachment.pk}"
    assert cast.leader.client().get(url).status_code == 404
    actions.publish_attachments(
        actor=cast.officer.actor(), owner_kind="inspection", owner_id=attachment.owner_id
    )
    for tail in ("", "/original"):
        assert cast.leader.client().get(url + tail).getvalue()
        for member in (cast.team_mate, cast.outsider, cast.administrator, cast.other_leader):
            assert member.client().get(url + tail).status_code == 404
