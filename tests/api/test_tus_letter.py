"""tus 1.0.0 sentence by sentence: what the protocol says a server MUST or SHOULD do, each as one line of a table.

https://tus.io/protocols/resumable-upload. The names of the cases are the sentences in few words. What the protocol
leaves open and this server decides stands in decision 0011. Concatenation and checksum trailers are not offered, and
CORS is not needed: the app comes from the same origin.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import TestCase
from django.utils import timezone

from apps.evidence import actions
from apps.evidence.models import Attachment, Upload
from apps.evidence.storage import depot
from tests import evidence_images as images
from tests.cast import Cast
from tests.evidence import declare, on_disk
from tests.tus import URL, Tus

PHOTO = images.noisy_jpeg(20_000)
LETTER: dict[str, Callable[[Any], None]] = {}


class Talk:
    """An officer's tus client with one declared photo and its open upload."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.tus = cast, Tus(cast.officer)
        self.photo = declare(cast.officer, PHOTO)
        self.place = self.tus.opened(self.photo)

    def patch(self, offset: int | str, data: bytes, **headers: str) -> Any:
        return self.tus.patch(self.place, offset, data, **headers)

    def head(self) -> Any:
        return self.tus.head(self.place)

    def deferred(self, attachment: Attachment | None = None) -> str:
        answer = self.tus.post("", attachment, headers={"Upload-Defer-Length": "1"})
        assert answer.status_code == 201, answer.content
        return str(answer["Location"])

    def create(self, **headers: str) -> Any:
        return self.tus.post("", headers=headers)


def says(sentence: str) -> Callable[[Callable[[Talk], None]], Callable[[Talk], None]]:
    """Put a check into the table under its sentence."""

    def add(check: Callable[[Talk], None]) -> Callable[[Talk], None]:
        assert sentence not in LETTER
        LETTER[sentence] = check
        return check

    return add


@pytest.fixture
def talk(cast: Cast, tmp_path: Path, settings: Any) -> Talk:
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path)}
    return Talk(cast)


# ---- core: HEAD


@says("core: HEAD always tells Upload-Offset, also 0")
def _(talk: Talk) -> None:
    assert (talk.head().status_code, talk.head()["Upload-Offset"]) == (200, "0")


@says("core: HEAD tells Upload-Offset also when the upload is complete")
def _(talk: Talk) -> None:
    talk.patch(0, PHOTO)
    assert talk.head()["Upload-Offset"] == talk.head()["Upload-Length"] == str(len(PHOTO))


@says("core: HEAD tells Upload-Length when it is known")
def _(talk: Talk) -> None:
    assert talk.head()["Upload-Length"] == str(len(PHOTO))


@says("core: HEAD of an unknown upload is 404 without Upload-Offset")
def _(talk: Talk) -> None:
    answer = talk.tus.head(f"{URL}/{uuid4()}")
    assert answer.status_code == 404
    assert "Upload-Offset" not in answer


@says("core: HEAD is not cached (Cache-Control: no-store)")
def _(talk: Talk) -> None:
    assert talk.head()["Cache-Control"] == "no-store"


# ---- core: PATCH


@says("core: PATCH applies the bytes at the offset, 204 with the new offset")
def _(talk: Talk) -> None:
    for start in range(0, 9000, 3000):
        answer = talk.patch(start, PHOTO[start : start + 3000])
        assert (answer.status_code, answer["Upload-Offset"]) == (204, str(start + 3000))
    assert talk.patch(9000, PHOTO[9000:]).status_code == 204
    talk.photo.refresh_from_db()
    with depot().open(talk.photo.original) as file:
        assert file.read() == PHOTO


@says("core: PATCH of another Content-Type is 415")
def _(talk: Talk) -> None:
    for kind in ("image/jpeg", "application/octet-stream", "multipart/form-data; boundary=x"):
        assert talk.patch(0, b"x", **{"Content-Type": kind}).status_code == 415
    assert talk.head()["Upload-Offset"] == "0"


@says("core: PATCH at another offset is 409 and modifies nothing")
def _(talk: Talk) -> None:
    talk.patch(0, PHOTO[:100])
    for offset in (0, 99, 101, len(PHOTO)):
        assert talk.patch(offset, b"?").status_code == 409
    assert talk.head()["Upload-Offset"] == "100"
    talk.patch(100, PHOTO[100:])
    talk.photo.refresh_from_db()
    assert talk.photo.state == "stored"


@says("core: PATCH may bring no bytes")
def _(talk: Talk) -> None:
    answer = talk.patch(0, b"")
    assert (answer.status_code, answer["Upload-Offset"]) == (204, "0")


@says("core: PATCH of an unknown upload is 404")
def _(talk: Talk) -> None:
    assert talk.tus.patch(f"{URL}/{uuid4()}", 0, b"x").status_code == 404


@says("core: PATCH needs a non-negative Upload-Offset")
def _(talk: Talk) -> None:
    for offset in ("", "-1", "1.0", "0x0", "٠", "9" * 40):
        assert talk.patch(offset, b"x").status_code == 400


@says("refusals name the header and what it must be")
def _(talk: Talk) -> None:
    wrong_type = talk.patch(0, b"x", **{"Content-Type": "text/plain"}).json()
    assert wrong_type["errors"][0]["pointer"] == "/headers/Content-Type"
    assert "application/offset+octet-stream" in wrong_type["errors"][0]["detail"]
    (missing,) = talk.create().json()["errors"]
    assert (missing["pointer"], missing["detail"]) == (
        "/headers/Upload-Length",
        "Thiếu tiêu đề Upload-Length.",
    )
    assert "đã khai" in talk.patch(0, PHOTO + b"x").json()["detail"]


@says("core: PATCH beyond the length is 413 and modifies nothing")
def _(talk: Talk) -> None:
    assert talk.patch(0, PHOTO + b"x").status_code == 413
    assert talk.head()["Upload-Offset"] == "0"


@says("core: PATCH without a length of its body is 411")
def _(talk: Talk) -> None:
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Transfer-Encoding": "chunked"}
    kind = "application/offset+octet-stream"
    send: Any = talk.tus.client.generic
    assert send("PATCH", talk.place, b"", content_type=kind, headers=headers).status_code == 411


@says("core: as much as arrived of a broken PATCH is kept")
def _(talk: Talk) -> None:
    upload = Upload.objects.get(attachment=talk.photo)
    actions.append_chunk(
        actor=talk.cast.officer.actor(), upload_id=upload.pk, offset=0, size=len(PHOTO), pieces=[PHOTO[:777]]
    )
    assert talk.head()["Upload-Offset"] == "777"


# ---- core: OPTIONS and headers


@says("core: OPTIONS tells Tus-Version, Tus-Extension and Tus-Max-Size, 204")
def _(talk: Talk) -> None:
    for place in (URL, talk.place):
        answer = talk.tus.client.options(place)
        assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
        assert answer["Tus-Extension"] == (
            "creation,creation-defer-length,creation-with-upload,checksum,termination,expiration"
        )
        assert answer["Tus-Max-Size"] == str(500 * 2**20)


@says("core: OPTIONS ignores Tus-Resumable")
def _(talk: Talk) -> None:
    for version in ("0.2.1", "nonsense", "1.0.0"):
        assert talk.tus.client.options(URL, headers={"Tus-Resumable": version}).status_code == 204


@says("core: every answer carries Tus-Resumable, refusals too")
def _(talk: Talk) -> None:
    nowhere = f"{URL}/{uuid4()}"
    for answer in (
        talk.head(), talk.patch(0, b"x"), talk.patch(7, b"x"), talk.create(), talk.tus.post(10),
        talk.tus.head(nowhere), talk.tus.delete(nowhere), talk.tus.send("put", talk.place), talk.tus.delete(talk.place),
    ):  # fmt: skip
        assert answer["Tus-Resumable"] == "1.0.0", answer.status_code


@says("core: another version is 412 with Tus-Version, and nothing is processed")
def _(talk: Talk) -> None:
    for version in ("0.2.2", "1.0.1", "2.0.0", ""):
        answer = talk.patch(0, PHOTO, **{"Tus-Resumable": version})
        assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
        assert talk.tus.post(10, headers={"Tus-Resumable": version}).status_code == 412
        assert talk.tus.send("delete", talk.place, headers={"Tus-Resumable": version}).status_code == 412
    assert (talk.head()["Upload-Offset"], Upload.objects.count()) == ("0", 1)


@says("core: X-HTTP-Method-Override is the method, whatever the method was")
def _(talk: Talk) -> None:
    def send(method: str, meant: str, data: bytes = b"", **headers: str) -> Any:
        given = {"X-HTTP-Method-Override": meant} | headers
        return talk.tus.send(method, talk.place, data, headers=given)

    assert send("post", "PATCH", PHOTO[:9], **{"Upload-Offset": "0"})["Upload-Offset"] == "9"
    assert send("get", "HEAD")["Upload-Offset"] == "9"
    assert send("delete", "patch", PHOTO[9:12], **{"Upload-Offset": "9"})["Upload-Offset"] == "12"
    assert send("post", "BREW").status_code == 405
    assert send("post", "DELETE").status_code == 204
    assert send("post", "HEAD").status_code == 410


# ---- creation


@says("creation: 201 with a Location that works")
def _(talk: Talk) -> None:
    answer = talk.tus.post(10)
    assert answer.status_code == 201
    assert talk.tus.head(answer["Location"]).status_code == 200


@says("creation: neither Upload-Length nor Upload-Defer-Length is 400")
def _(talk: Talk) -> None:
    assert talk.create().status_code == 400


@says("creation: Upload-Length must be a non-negative number")
def _(talk: Talk) -> None:
    for length in ("-1", "ten", "1e3", "٣"):
        assert talk.create(**{"Upload-Length": length}).status_code == 400


@says("creation: more than Tus-Max-Size is 413")
def _(talk: Talk) -> None:
    assert talk.tus.post(500 * 2**20 + 1).status_code == 413


@says("creation: HEAD gives Upload-Metadata back as it came")
def _(talk: Talk) -> None:
    binary = base64.b64encode(bytes(range(256))).decode()
    for raw in (f"filename {base64.b64encode('ảnh.jpg'.encode()).decode()},is_private", f"blob {binary}"):
        place = talk.tus.post(10, headers={"Upload-Metadata": raw})["Location"]
        assert talk.tus.head(place)["Upload-Metadata"] == raw


@says("creation: Upload-Metadata keys are unique and not empty, values base64")
def _(talk: Talk) -> None:
    for raw in ("a YQ==,a Yg==", ",", "a YQ==,", "a Y", "a ü", "a YQ==\x01"):
        assert talk.tus.post(10, headers={"Upload-Metadata": raw}).status_code == 400, raw


@says("creation-defer-length: only `1` is a value, and not with a length")
def _(talk: Talk) -> None:
    for value in ("0", "2", "true", ""):
        assert talk.create(**{"Upload-Defer-Length": value}).status_code == 400, value
    assert talk.create(**{"Upload-Defer-Length": "1", "Upload-Length": "5"}).status_code == 400


@says("creation-defer-length: HEAD tells Upload-Defer-Length: 1 and no length until it is known")
def _(talk: Talk) -> None:
    place = talk.deferred()
    talk.tus.patch(place, 0, PHOTO[:50])
    answer = talk.tus.head(place)
    assert (answer["Upload-Defer-Length"], answer["Upload-Offset"]) == ("1", "50")
    assert "Upload-Length" not in answer
    talk.tus.patch(place, 50, PHOTO[50:60], **{"Upload-Length": "70"})
    answer = talk.tus.head(place)
    assert (answer["Upload-Length"], answer["Upload-Offset"]) == ("70", "60")
    assert "Upload-Defer-Length" not in answer


@says("creation-defer-length: a later PATCH fixes the length, which finishes the upload")
def _(talk: Talk) -> None:
    photo = declare(talk.cast.officer, PHOTO + b"x")
    place = talk.deferred(photo)
    talk.tus.patch(place, 0, PHOTO)
    answer = talk.tus.patch(place, len(PHOTO), b"x", **{"Upload-Length": str(len(PHOTO) + 1)})
    assert (answer.status_code, answer["Upload-Offset"]) == (204, str(len(PHOTO) + 1))
    photo.refresh_from_db()
    assert photo.state == "stored"


@says("creation-defer-length: an empty PATCH may fix the length when all bytes are here")
def _(talk: Talk) -> None:
    photo = declare(talk.cast.officer, PHOTO + b"y")
    place = talk.deferred(photo)
    talk.tus.patch(place, 0, PHOTO + b"y")
    photo.refresh_from_db()
    assert photo.state == "expected"
    assert (
        talk.tus.patch(place, len(PHOTO) + 1, b"", **{"Upload-Length": str(len(PHOTO) + 1)}).status_code
        == 204
    )
    photo.refresh_from_db()
    assert photo.state == "stored"


@says("creation-defer-length: once set the length is not changed, the same again is fine")
def _(talk: Talk) -> None:
    place = talk.deferred()
    assert talk.tus.patch(place, 0, b"abc", **{"Upload-Length": "10"}).status_code == 204
    assert talk.tus.patch(place, 3, b"d", **{"Upload-Length": "11"}).status_code == 422
    assert talk.tus.patch(place, 3, b"d", **{"Upload-Length": "10"}).status_code == 204
    assert talk.tus.patch(place, 4, b"d", **{"Upload-Length": "3"}).status_code == 422
    assert talk.tus.head(place)["Upload-Length"] == "10"


@says("creation-defer-length: limits hold while the length is unknown, and for the length that comes")
def _(talk: Talk) -> None:
    place = talk.deferred()
    Upload.objects.filter(attachment=None).update(most=100)
    assert talk.tus.patch(place, 0, b"x" * 101).status_code == 413
    assert talk.tus.patch(place, 0, b"x", **{"Upload-Length": "101"}).status_code == 413
    assert talk.tus.patch(place, 0, b"x" * 20, **{"Upload-Length": "19"}).status_code == 413
    assert talk.tus.head(place)["Upload-Offset"] == "0"


# ---- creation-with-upload


@says("creation-with-upload: 201 with the offset after the bytes, some or all")
def _(talk: Talk) -> None:
    for data in (PHOTO[:200], PHOTO + b"z"):
        photo = declare(talk.cast.officer, PHOTO + b"z")
        answer = talk.tus.post(len(PHOTO) + 1, photo, data=data)
        assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(data)))
        assert "Location" in answer


@says("creation-with-upload: another Content-Type is 415 and creates nothing")
def _(talk: Talk) -> None:
    answer = talk.tus.post(10, data=b"0123456789", headers={"Content-Type": "image/jpeg"})
    assert (answer.status_code, Upload.objects.count()) == (415, 1)


@says("creation-with-upload: the rules of a chunk hold: checksum, limits")
def _(talk: Talk) -> None:
    bad = {"Upload-Checksum": f"sha1 {base64.b64encode(bytes(20)).decode()}"}
    assert talk.tus.post(10, data=b"01234", headers=bad).status_code == 460
    assert talk.tus.post(3, data=b"01234").status_code == 413


@says("creation-with-upload: created again, the offset tells where to go on")
def _(talk: Talk) -> None:
    talk.patch(0, PHOTO[:100])
    answer = talk.tus.post(len(PHOTO), talk.photo, data=PHOTO)
    assert (answer.status_code, answer["Location"], answer["Upload-Offset"]) == (201, talk.place, "100")


# ---- checksum


def promise(data: bytes, algorithm: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.new(algorithm, data).digest()).decode()
    return {"Upload-Checksum": f"{algorithm} {digest}"}


@says("checksum: OPTIONS names the algorithms, sha1 among them, in lower case")
def _(talk: Talk) -> None:
    names = talk.tus.client.options(URL)["Tus-Checksum-Algorithm"].split(",")
    assert "sha1" in names
    assert all(name.islower() and name.isascii() for name in names)


@says("checksum: chunks that match are 204")
def _(talk: Talk) -> None:
    assert talk.patch(0, PHOTO[:99], **promise(PHOTO[:99], "sha1")).status_code == 204
    assert talk.patch(99, PHOTO[99:], **promise(PHOTO[99:], "sha256")).status_code == 204


@says("checksum: an unknown algorithm is 400, the chunk is discarded")
def _(talk: Talk) -> None:
    for value in ("md5 1B2M2Y8AsgTpgAmY7PhCfg==", "crc32 AAAA", "sha1", "sha1 ???", ""):
        assert talk.patch(0, PHOTO[:99], **{"Upload-Checksum": value}).status_code == 400, value
    assert talk.head()["Upload-Offset"] == "0"


@says("checksum: a mismatch is 460, the chunk is discarded, the offset stays")
def _(talk: Talk) -> None:
    talk.patch(0, PHOTO[:10])
    assert talk.patch(10, PHOTO[10:99], **promise(PHOTO[:89], "sha1")).status_code == 460
    assert talk.patch(10, PHOTO[10:], **promise(PHOTO[:9], "sha256")).status_code == 460
    assert talk.head()["Upload-Offset"] == "10"
    talk.photo.refresh_from_db()
    assert (talk.photo.state, talk.photo.failure) == ("expected", "")


# ---- expiration


@says("expiration: Upload-Expires on the creation, as an HTTP date")
def _(talk: Talk) -> None:
    answer = talk.tus.post(10)
    assert parsedate_to_datetime(answer["Upload-Expires"]) > timezone.now() + timedelta(days=6)


@says("expiration: Upload-Expires on every answer to a PATCH of an upload that will expire, refusals too")
def _(talk: Talk) -> None:
    bad = promise(b"other", "sha1")
    for answer, status in (
        (talk.patch(0, PHOTO[:10]), 204),
        (talk.patch(0, PHOTO[:10]), 409),
        (talk.patch(10, PHOTO), 413),
        (talk.patch(10, PHOTO[10:20], **bad), 460),
        (talk.patch(10, b"x", **{"Content-Type": "text/plain"}), 415),
        (talk.patch("", b"x"), 400),
    ):
        assert answer.status_code == status
        assert parsedate_to_datetime(answer["Upload-Expires"]) > timezone.now()
    assert "Upload-Expires" not in talk.patch(10, PHOTO[10:])


@says("expiration: an expired upload is 410, and can be created anew")
def _(talk: Talk) -> None:
    Upload.objects.update(expires_at=timezone.now())
    assert talk.head().status_code == talk.patch(0, b"x").status_code == 410
    assert talk.tus.opened(talk.photo) != talk.place


# ---- termination


@says("termination: 204, the bytes are freed, and the address is 410 from then on")
def _(talk: Talk) -> None:
    talk.patch(0, PHOTO[:100])
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert talk.tus.delete(talk.place).status_code == 204
    assert not list(depot().uploads())
    assert {
        talk.head().status_code,
        talk.patch(100, b"x").status_code,
        talk.tus.delete(talk.place).status_code,
    } == {410}


@says("termination: a finished upload ends too, what it brought stays")
def _(talk: Talk) -> None:
    talk.patch(0, PHOTO)
    assert talk.tus.delete(talk.place).status_code == 204
    talk.photo.refresh_from_db()
    assert talk.photo.state == "stored"
    assert talk.tus.head(talk.tus.opened(talk.photo))["Upload-Offset"] == str(len(PHOTO))


@says("termination: of an unknown upload is 404")
def _(talk: Talk) -> None:
    assert talk.tus.delete(f"{URL}/{uuid4()}").status_code == 404


# ---- concatenation is not offered


@says("concatenation: not offered, so Upload-Concat is 400 instead of an upload that means something else")
def _(talk: Talk) -> None:
    for value in ("partial", f"final;{talk.place}"):
        assert talk.create(**{"Upload-Concat": value, "Upload-Length": "5"}).status_code == 400


@pytest.mark.parametrize("sentence", LETTER)
def test_tus_says(talk: Talk, sentence: str) -> None:
    LETTER[sentence](talk)
