"""Real tus clients against the real web server: `tus-js-client` in Node, and `tuspy`."""

from __future__ import annotations

import contextlib
import io
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tusclient import client as tuspy

from tests import evidence_images as images
from tests.phone import Phone
from tests.stack import Stack
from tests.tus_clients import CuttingProxy, TusJs, node_modules

pytestmark = pytest.mark.live

PATH = "/mobile/v1/uploads"
PHOTO = images.noisy_jpeg(1_500_000)


@pytest.fixture
def stack(upload_stack: Stack) -> Stack:
    """The web server on both kinds of storage."""
    return upload_stack


@pytest.fixture
def phone(upload_phone: Phone) -> Phone:
    """An enrolled phone."""
    return upload_phone


class Js:
    """One declared photo in a file, and how tus-js-client is to send it."""

    def __init__(self, phone: Phone, stack: Stack, folder: Path) -> None:
        node_modules()
        self.phone, self.stack = phone, stack
        self.data = PHOTO + uuid4().bytes
        self.file = folder / "photo.jpg"
        self.file.write_bytes(self.data)
        self.id = phone.take_photo(str(uuid4()), "xray", self.data)
        phone.push()

    def client(self, *, port: int = 0, **more: Any) -> TusJs:
        """Make a client; `port` leads it through a proxy."""
        return TusJs(
            endpoint=f"http://127.0.0.1:{port or self.stack.port}{PATH}",
            token=self.phone.get("access_token"),
            file=str(self.file),
            metadata={"attachment_id": self.id, "filename": "ảnh.jpg"},
            **more,
        )

    def state(self) -> str:
        """Give what the server says of the photo."""
        return str(facts_of(self.phone, self.id)["state"])

    def uploads(self) -> list[Mapping[str, Any]]:
        """Give the uploads of this photo that are under way."""
        under_way = self.phone.call("GET", "/sync/status")["uploads"]
        return [u for u in under_way if u["attachment"] == self.id]


@pytest.fixture
def js(phone: Phone, stack: Stack, tmp_path: Path) -> Js:
    return Js(phone, stack, tmp_path)


def facts_of(phone: Phone, photo: str) -> Mapping[str, Any]:
    return phone.call("GET", f"/attachments/{photo}")


@pytest.mark.parametrize("buffer", [False, True], ids=["file", "buffer"])
def test_tus_js_uploads_in_one_patch(js: Js, buffer: bool) -> None:
    client = js.client(buffer=buffer)
    assert client.run()["event"] == "success", client.events
    assert (client.answers("POST"), client.answers("PATCH"), js.state()) == ([201], [204], "stored")


def test_tus_js_uploads_in_chunks(js: Js) -> None:
    client = js.client(options={"chunkSize": 400_000})
    assert client.run()["event"] == "success", client.events
    assert (client.answers("PATCH"), js.state()) == ([204] * -(-len(js.data) // 400_000), "stored")


def test_tus_js_sends_data_with_the_creation(js: Js) -> None:
    client = js.client(options={"uploadDataDuringCreation": True, "chunkSize": 1_000_000})
    assert client.run()["event"] == "success", client.events
    assert (client.answers("POST"), client.answers("PATCH"), js.state()) == ([201], [204], "stored")


def test_tus_js_defers_the_length_of_a_stream(js: Js) -> None:
    client = js.client(stream=True, options={"uploadLengthDeferred": True, "chunkSize": 600_000})
    assert client.run()["event"] == "success", client.events
    assert (client.answers("POST"), js.state()) == ([201], "stored")


def test_tus_js_goes_on_after_a_cut_in_the_middle_of_a_patch(js: Js) -> None:
    with CuttingProxy(js.stack.port, cut_after=700_000) as proxy:
        # Asked at once, the server may not have stored yet what came before the cut.
        client = js.client(port=proxy.port, options={"retryDelays": [2000, 2000, 2000]})
        assert client.run()["event"] == "success", client.events
        assert proxy.has_cut
    resumed = [e for e in client.events if e.get("method") == "HEAD"]
    assert resumed, client.events
    assert resumed[-1]["offset"] > 0
    assert (client.answers("POST"), js.state()) == ([201], "stored")


def test_tus_js_finds_a_previous_upload_and_goes_on(js: Js, tmp_path: Path) -> None:
    options: dict[str, Any] = {"storage": str(tmp_path / "urls.json")}
    first = js.client(abortAfter=500_000, options={"chunkSize": 300_000}, **options)
    assert first.run()["event"] == "aborted", first.events
    (left,) = js.uploads()
    assert left["offset"] >= 300_000
    second = js.client(**options)
    assert second.run()["event"] == "success", second.events
    assert {"event": "previous", "count": 1} in second.events
    assert (second.answers("POST"), second.answers("HEAD"), js.state()) == ([], [200], "stored")


def test_tus_js_ends_an_upload(js: Js) -> None:
    client = js.client(abortAfter=500_000, terminate=True, options={"chunkSize": 300_000})
    last = client.run()
    assert (last["event"], client.answers("DELETE")) == ("aborted", [204]), client.events
    assert (js.uploads(), js.state()) == ([], "expected")
    assert js.phone._tus("HEAD", last["url"].removeprefix(js.stack.url), {}).status == 410


@pytest.mark.parametrize("stale_for", [0, 1], ids=["asked-at-once", "head-meets-it-too"])
def test_case_50_tus_js_meets_a_401_in_the_middle(js: Js, stale_for: int) -> None:
    """A token expires mid-upload: the client resumes at the right byte, and there is one upload.

    When its HEAD meets the 401 as well, this client gives up the address and creates an upload again: it gets the same
    one, although it then begins at 0 and has to be told by a 409.
    """
    first = js.client(abortAfter=500_000, options={"chunkSize": 300_000})
    url = first.run()["url"]
    (left,) = js.uploads()
    expire_tokens(js.stack)
    options = {"chunkSize": 300_000, "uploadUrl": url}
    second = js.client(options=options, staleFor=stale_for)
    assert second.run(lambda: refreshed(js.phone))["event"] == "success", second.events
    assert second.answers("HEAD")[0] == 401
    assert left["offset"] in [e["offset"] for e in second.events if e.get("method") == "HEAD"], second.events
    places = {url.removeprefix(js.stack.url), second.events[-1]["url"].removeprefix(js.stack.url)}
    assert (len(places), js.state()) == (1, "stored")


def test_tus_js_is_told_that_parts_cannot_be_sent_in_parallel(js: Js) -> None:
    """Concatenation is not offered (`Tus-Extension` does not name it): partial uploads are refused, nothing is left."""
    client = js.client(options={"parallelUploads": 2, "retryDelays": None})
    last = client.run()
    assert (last["event"], last["status"]) == ("error", 400), client.events
    assert js.uploads() == []


def expire_tokens(stack: Stack) -> None:
    """Let time pass for every access token."""
    with contextlib.closing(sqlite3.connect(stack.data / "haidang.sqlite3", timeout=20)) as connection:
        connection.execute("UPDATE accounts_devicetoken SET access_expires_at = '2020-01-01 00:00:00'")
        connection.commit()


def refreshed(phone: Phone) -> str:
    """Give a new access token."""
    phone.refresh()
    return str(phone.get("access_token"))


class Flaky(io.BytesIO):
    """A file whose reading fails once at a place, as a phone that loses its network does."""

    def __init__(self, data: bytes, place: int) -> None:
        super().__init__(data)
        self.place: int | None = place

    def read(self, size: int | None = -1) -> bytes:
        if self.place is not None and self.tell() >= self.place:
            self.place = None
            raise ConnectionError
        return super().read(size)


@pytest.mark.parametrize("is_checked", [False, True])
def test_tuspy_uploads_resumes_and_needs_no_metadata(phone: Phone, stack: Stack, is_checked: bool) -> None:
    data = PHOTO + uuid4().bytes
    client: Any = tuspy.TusClient(f"{stack.url}{PATH}", headers=phone.headers())
    options: dict[str, Any] = {"chunk_size": 200_000, "upload_checksum": is_checked}
    first = client.uploader(file_stream=Flaky(data, 600_000), **options)
    with contextlib.suppress(ConnectionError):
        first.upload()
    assert first.url
    second = client.uploader(file_stream=io.BytesIO(data), url=first.url, **options)
    assert second.offset == 600_000
    second.upload()
    photo = phone.take_photo(str(uuid4()), "xray", data)
    phone.push()
    assert facts_of(phone, photo)["state"] == "expected"  # the worker of this stack is not running
    assert phone._tus_create(photo, len(data))[0] == second.url.removeprefix(stack.url)


def test_tuspy_names_the_attachment(js: Js) -> None:
    client: Any = tuspy.TusClient(f"{js.stack.url}{PATH}", headers=js.phone.headers())
    uploader = client.uploader(
        file_stream=io.BytesIO(js.data), chunk_size=400_000, metadata={"attachment_id": js.id}
    )
    uploader.upload()
    assert js.state() == "stored"
