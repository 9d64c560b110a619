"""Photos of 300 KB through tus on PostgreSQL and local files, next to bare `write, fsync, rename` of as many bytes.

    .venv/bin/python -m tests.benchmarks.photo_throughput [--photos 600] [--rounds 3] [--only "one PATCH"]

Photos are declared before; each is another file, and the server answers once it is durable and its hash agrees. Server
(granian, two processes), PostgreSQL with its durable defaults, and eight clients share the machine. Processor seconds
come from /proc: web processes and PostgreSQL, divided by photos. Thumbnails are the worker's, which does not run here.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import orjson
import psutil
from uuid_utils.compat import uuid7

from tests import evidence_images as images
from tests.phone import Phone
from tests.services import PostgreSQL, Redis, Service
from tests.stack import Stack, new_postgresql_database

SIZE = 300_000
CHUNK = 256 * 1024
CLIENTS = 8
PATH = "/mobile/v1/uploads"


def _body() -> bytes:
    """Give all of a JPEG of `SIZE` bytes but its first 22, which make each photo another."""
    drawn = next(d for side in range(600, 100, -10) if len(d := images.noise(side)) < SIZE - 100)
    left, comments = SIZE - 20 - len(drawn), b""
    while left:
        some = min(left, 65_000)
        some = left - 100 if 0 < left - some < 100 else some
        comments += b"\xff\xfe" + (some - 2).to_bytes(2, "big") + b"x" * (some - 4)
        left -= some
    return comments + drawn[2:]


BODY = _body()


@dataclass
class Photo:
    """One photo: the head differs from file to file (a comment), the rest is shared to save memory."""

    id: str
    head: bytes
    place: str = ""

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.head) + len(BODY)

    def piece(self, start: int, end: int) -> list[bytes]:
        """Give some of its bytes."""
        cut = len(self.head)
        return [self.head[start:end], BODY[max(0, start - cut) : max(0, end - cut)]]


def new_photo() -> Photo:
    """Make a JPEG that nobody has."""
    return Photo(str(uuid7()), b"\xff\xd8\xff\xfe\x00\x12" + uuid4().bytes)


class Caller:
    """One kept connection of a phone."""

    def __init__(self, stack: Stack, phone: Phone) -> None:
        self.phone = phone
        self.own = phone.headers() | {"Host": "127.0.0.1", "Tus-Resumable": "1.0.0"}
        self.socket = socket.create_connection(("127.0.0.1", stack.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def send(
        self, method: str, path: str, headers: dict[str, str], body: Sequence[bytes], want: int
    ) -> dict[str, str]:
        """Send a request; gives the headers of the answer, fails on another status than wanted."""
        length = sum(map(len, body))
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in (self.own | headers).items())]
        head = "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()
        self.socket.sendall(head)
        for part in body:
            self.socket.sendall(part)
        status = self.reader.readline()
        answer: dict[str, str] = {}
        while (line := self.reader.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode().partition(":")
            answer[name.strip().lower()] = value.strip()
        said = self.reader.read(int(answer.get("content-length", "0")))
        assert f" {want} ".encode() in status + b" ", (status, said[:500])
        return answer

    def declare(self, photos: Sequence[Photo]) -> None:
        """Declare photos of reports that are still to come."""
        for start in range(0, len(photos), 100):
            for photo in photos[start : start + 100]:
                content = photo.head + BODY
                fields = {
                    "report": str(uuid7()),
                    "step": "xray",
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": photo.size,
                    "mime": "image/jpeg",
                }
                self.phone.store.execute(
                    "INSERT INTO outbox(id, type, object, fields, depends, made_at) VALUES(?,?,?,?,?,?)",
                    (
                        str(uuid7()),
                        "attachment.create",
                        photo.id,
                        _json(fields),
                        "[]",
                        "2026-11-21T00:00:00Z",
                    ),
                )
            self.phone.push(batch=100)

    def open(self, photo: Photo, body: Sequence[bytes] = ()) -> None:
        """Open the upload of a photo, with its bytes or without."""
        headers = {
            "Upload-Length": str(photo.size),
            "Upload-Metadata": f"attachment_id {base64.b64encode(photo.id.encode()).decode()}",
        }
        if body:
            headers["Content-Type"] = "application/offset+octet-stream"
        photo.place = self.send("POST", PATH, headers, body, 201)["location"]

    def patch(self, photo: Photo, start: int, end: int) -> None:
        """Send bytes."""
        headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(start)}
        self.send("PATCH", photo.place, headers, photo.piece(start, end), 204)


def one_patch(caller: Caller, photo: Photo) -> None:
    """Send all bytes of an upload that is open."""
    caller.patch(photo, 0, photo.size)


def post_and_patch(caller: Caller, photo: Photo) -> None:
    """Open the upload, then send all bytes."""
    caller.open(photo)
    caller.patch(photo, 0, photo.size)


def one_post(caller: Caller, photo: Photo) -> None:
    """Open the upload and send all bytes in one request."""
    caller.open(photo, photo.piece(0, photo.size))


def chunks(caller: Caller, photo: Photo) -> None:
    """Send the bytes of an open upload in pieces of 256 KiB."""
    for start in range(0, photo.size, CHUNK):
        caller.patch(photo, start, min(start + CHUNK, photo.size))


Way = Callable[[Caller, Photo], None]
WAYS: dict[str, tuple[Way, bool]] = {
    "one PATCH": (one_patch, True),
    "POST and PATCH": (post_and_patch, False),
    "one POST (creation-with-upload)": (one_post, False),
    "chunks of 256 KiB": (chunks, True),
}


def side_by_side(workers: Sequence[Callable[[], None]]) -> float:
    """Run the workers at once; gives the seconds until the last is done."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  told below, by the thread that asked
            failures.append(error)

    begin = time.perf_counter()
    threads = [threading.Thread(target=guarded, args=(work,)) for work in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return time.perf_counter() - begin


def bare_files(folder: Path, count: int) -> Callable[[], None]:
    """Give a worker that writes, syncs and renames files of the same size."""
    content = b"\xff\xd8" + BODY + b"x" * 20

    def work() -> None:
        for _ in range(count):
            name = folder / uuid4().hex
            fd = os.open(name, os.O_CREAT | os.O_WRONLY)
            os.write(fd, content)
            os.fsync(fd)
            os.close(fd)
            name.rename(folder / f"{name.name}.done")

    return work


def processor_seconds(roots: Sequence[int]) -> float:
    """Give what the processes below some roots have used so far."""
    total = 0.0
    for process in _family(roots):
        used = process.cpu_times()
        total += used.user + used.system + used.children_user + used.children_system
    return total


def _family(roots: Sequence[int]) -> Iterator[psutil.Process]:
    for pid in roots:
        root = psutil.Process(pid)
        yield root
        yield from root.children(recursive=True)


def _pid(service: Service) -> int:
    assert service._guard is not None
    return service._guard.pid


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def prepare(caller: Caller, photos: Sequence[Photo], *, is_open: bool) -> None:
    """Declare photos, and open their uploads where that is not measured."""
    caller.declare(photos)
    for photo in photos if is_open else ():
        caller.open(photo)


def send_all(way: Way, caller: Caller, photos: Sequence[Photo]) -> None:
    """Send photo after photo."""
    for photo in photos:
        way(caller, photo)


def measure(
    stack: Stack, phones: Sequence[Phone], roots: Sequence[int], options: argparse.Namespace
) -> dict[str, list[float]]:
    """Measure every way, round by round, with the baseline in between."""
    rows: dict[str, list[float]] = {}
    each = options.photos // CLIENTS
    for _ in range(options.rounds):
        for threads in (1, CLIENTS):
            with tempfile.TemporaryDirectory(dir=stack.data) as folder:
                share = options.photos // threads
                took = side_by_side([bare_files(Path(folder), share) for _ in range(threads)])
                rows.setdefault(f"files, {threads} threads", []).append(share * threads / took)
        for name, (way, is_open) in WAYS.items():
            if options.only and name != options.only:
                continue
            work = [[new_photo() for _ in range(each)] for _ in phones]
            prepared = [
                partial(prepare, Caller(stack, p), w, is_open=is_open)
                for p, w in zip(phones, work, strict=True)
            ]
            side_by_side(prepared)
            callers = [Caller(stack, phone) for phone in phones]
            before = processor_seconds(roots)

            took = side_by_side([partial(send_all, way, c, w) for c, w in zip(callers, work, strict=True)])
            done = each * CLIENTS
            rows.setdefault(name, []).append(done / took)
            rows.setdefault(f"{name}, cpu ms", []).append((processor_seconds(roots) - before) / done * 1000)
    return rows


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PostgreSQL() as server, Redis() as redis:
        url = new_postgresql_database(server.url, "bench")
        stack = Stack(Path(folder) / "data", database_url=url, broker_url=redis.url)
        told = stack.seed(CLIENTS)
        try:
            stack.start_web(workers=2)
            phones = []
            for number, code in enumerate(told["codes"][:CLIENTS]):
                phones.append(Phone(stack.url, name=f"phone {number}"))
                phones[-1].enrol(code)
                phones[-1].pull()
            roots = [stack.processes["web"].pid, _pid(server)]
            rows = measure(stack, phones, roots, options)
        finally:
            stack.stop()
    base = statistics.median(rows["files, 1 threads"])
    for name, values in rows.items():
        if name.endswith("cpu ms"):
            continue
        value = statistics.median(values)
        cpu = rows.get(f"{name}, cpu ms")
        used = f"   {statistics.median(cpu):5.2f} ms of processor each" if cpu else ""
        print(f"{name:34} {value:8.0f}/s  {value / base:6.3f} × one thread of files{used}")


if __name__ == "__main__":
    main()
