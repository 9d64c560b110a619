"""Uploads against the real web server: broken, half-open and competing connections, a kill.

Foreign clients: `test_tus_clients_live.py`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import socket
import struct
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import evidence_images as images
from tests.phone import Phone, until
from tests.services import PostgreSQL
from tests.stack import Stack

pytestmark = pytest.mark.live

PATH = "/mobile/v1/uploads"
PIECE = 512 * 1024
PHOTO = images.noisy_jpeg(1_500_000)


@pytest.fixture
def stack(upload_stack: Stack) -> Stack:
    """The web server on both kinds of storage."""
    return upload_stack


@pytest.fixture
def phone(upload_phone: Phone) -> Phone:
    """An enrolled phone."""
    return upload_phone


class Upload:
    """One declared photo and its upload, as raw HTTP."""

    def __init__(self, phone: Phone, stack: Stack, data: bytes = PHOTO) -> None:
        self.phone, self.stack, self.data = phone, stack, data + uuid4().bytes
        self.id = phone.take_photo(str(uuid4()), "xray", self.data)
        phone.push()
        self.place, _ = phone._tus_create(self.id, len(self.data))

    def offset(self) -> int:
        offset = self.phone._tus_offset(self.place)
        assert offset is not None
        return offset

    def send(self, offset: int, data: bytes) -> int:
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
        return self.phone._tus("PATCH", self.place, headers, data).status

    def begin(self, offset: int) -> socket.socket:
        """Send the head of a PATCH for all the rest; the test goes on with the body."""
        head = {
            "Host": "127.0.0.1",
            "Content-Length": str(len(self.data) - offset),
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Tus-Resumable": "1.0.0",
        } | self.phone.headers()
        raw = socket.create_connection(("127.0.0.1", self.stack.port), timeout=10)
        lines = [f"PATCH {self.place} HTTP/1.1", *(f"{k}: {v}" for k, v in head.items()), "", ""]
        raw.sendall("\r\n".join(lines).encode())
        return raw

    def finish(self) -> None:
        """Send what is missing, as a phone does."""
        while (offset := self.offset()) < len(self.data):
            assert self.send(offset, self.data[offset : offset + PIECE]) in {204, 409}
        facts = self.phone.call("GET", f"/attachments/{self.id}")
        assert facts["state"] == "stored", facts
        assert self.original() == self.data

    def original(self) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(
                "GET", f"/mobile/v1/attachments/{self.id}/original", headers=self.phone.headers()
            )
            return connection.getresponse().read()


@pytest.mark.parametrize("cut", [1, 100_001, PIECE, PIECE + 77_777, 1_400_000])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_cut_connection_leaves_every_byte_that_arrived(
    phone: Phone, stack: Stack, cut: int, reset: bool
) -> None:
    upload = Upload(phone, stack)
    raw = upload.begin(0)
    raw.sendall(upload.data[:cut])
    time.sleep(0.2)  # a reset throws away what the server has not read yet
    if reset:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.close()
    assert until(lambda: upload.offset() == cut, seconds=10, every=0.05), upload.offset()
    upload.finish()


def test_case_51_a_half_open_connection_loses_to_a_new_one(phone: Phone, stack: Stack) -> None:
    """Expected: the new connection goes on; what the old one sends later is 409; the file is whole."""
    upload = Upload(phone, stack)
    old = upload.begin(0)
    old.sendall(upload.data[: PIECE + 1000])
    assert until(lambda: upload.offset() == PIECE, seconds=10, every=0.05)
    assert upload.send(PIECE, upload.data[PIECE : PIECE + 50_000]) == 204
    old.sendall(b"?" * (len(upload.data) - PIECE - 1000))
    assert old.recv(12) == b"HTTP/1.1 409"
    old.close()
    assert upload.offset() == PIECE + 50_000
    upload.finish()


def test_case_52_a_killed_server_keeps_what_it_counted(phone: Phone, stack: Stack) -> None:
    """Expected: after SIGKILL and a restart the offset is what was acknowledged, and the upload goes on from there."""
    upload = Upload(phone, stack)
    raw = upload.begin(0)
    raw.sendall(upload.data[: 2 * PIECE + 5000])
    assert until(lambda: upload.offset() == 2 * PIECE, seconds=10, every=0.05)
    stack.kill("web")
    raw.close()
    phone.wire.close()
    stack.start_web(workers=2)
    assert upload.offset() == 2 * PIECE
    upload.finish()


def facts_of(phone: Phone, photo: str) -> Mapping[str, Any]:
    return phone.call("GET", f"/attachments/{photo}")


def test_a_checksum_that_fits_nothing_keeps_nothing(phone: Phone, stack: Stack) -> None:
    upload = Upload(phone, stack)
    digest = base64.b64encode(hashlib.sha1(b"other").digest()).decode()
    headers = {
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
        "Upload-Checksum": f"sha1 {digest}",
    }
    assert phone._tus("PATCH", upload.place, headers, upload.data).status == 460
    assert upload.offset() == 0
    upload.finish()


def test_many_phones_at_once(stack: Stack, phone: Phone, tmp_path: Path) -> None:
    other = Phone(stack.url, tmp_path / "other.sqlite3")
    other.enrol(stack.codes[1])  # type: ignore[attr-defined]  # see the fixture
    uploads = [Upload(p, stack, images.noisy_jpeg(60_000)) for p in (phone, other) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(_alone, uploads))
    assert statuses == [204] * 16
    for upload in uploads:
        assert facts_of(upload.phone, upload.id)["state"] == "stored"
    other.close()


def _alone(upload: Upload) -> int:
    """Send the whole photo over a connection of its own."""
    with upload.begin(0) as raw:
        raw.sendall(upload.data)
        return int(raw.recv(12)[9:])


@pytest.mark.parametrize("size", [10_000, 300_000, PIECE])
def test_a_refusal_reaches_a_client_that_is_still_sending(phone: Phone, stack: Stack, size: int) -> None:
    upload = Upload(phone, stack)
    for _ in range(5):
        for headers in ({"Upload-Offset": "7"}, {"Upload-Offset": "0", "Authorization": "Bearer wrong"}):
            connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
            own = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
            with contextlib.closing(connection):
                connection.request("PATCH", upload.place, b"x" * size, phone.headers() | own | headers)
                answer = connection.getresponse()
                assert answer.status in {409, 401}
                assert answer.read()
                connection.request("HEAD", upload.place, headers=phone.headers() | own)
                assert connection.getresponse().headers["Upload-Offset"] == "0"


def test_slow_phones_hold_no_database_connection(tmp_path: Path) -> None:
    with PostgreSQL(fast=True) as server:
        stack = Stack(tmp_path / "slow", database_url=server.url)
        codes = stack.seed()["codes"]
        try:
            stack.start_web(threads=64)
            phone = Phone(stack.url)
            phone.enrol(codes[0])
            uploads = [Upload(phone, stack, b"x" * 1000) for _ in range(30)]  # the pool has 20 connections
            slow = [upload.begin(0) for upload in uploads]
            for raw in slow:
                raw.sendall(b"x" * 10)
            time.sleep(1)
            began = time.monotonic()
            assert phone.call("GET", "/sync/status")
            assert time.monotonic() - began < 5
            for raw in slow:
                raw.close()
            for upload in uploads:
                assert until(lambda u=upload: u.offset() == 10, seconds=10, every=0.05)  # type: ignore[misc]
            phone.close()
        finally:
            stack.stop()
