"""Photos of 300 KB through tus on PostgreSQL and local files, beside bare files and a bare Django view.

    .venv/bin/python -m tests.benchmarks.photo_throughput [--photos 600] [--rounds 3] [--only "one PATCH"] [--worker]

Photos are declared before, as phones do in batches; each is another file, and the server answers once it is durable and
its hash agrees. Server (granian, two processes), PostgreSQL with its durable defaults, and eight clients share the
machine. The baselines are taken in each round: `write, fsync, rename` of as many bytes, and a bare view of Django under
granian that hashes the body and does the same. Processor time comes from /proc. With `--worker` the time runs until
thumbnails are made and nothing is owed any more; without, that work waits.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import orjson
import psutil
import psycopg
from uuid_utils.compat import uuid7

from tests import evidence_images as images
from tests.benchmarks.sync_throughput import OWED, guard_of, processor_seconds
from tests.blank import new_postgresql_database
from tests.phone import Phone
from tests.services import PostgreSQL, Redis
from tests.stack import Stack

SIZE = 300_000
CHUNK = 256 * 1024
CLIENTS = 8
BARE = "bare view"
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

    def __init__(self, port: int, phone: Phone) -> None:
        self.phone = phone
        self.own = phone.headers() | {"Host": "127.0.0.1", "Tus-Resumable": "1.0.0"}
        self.socket = socket.create_connection(("127.0.0.1", port))
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

    def keep(self, photo: Photo) -> None:
        """Send a photo to the bare view."""
        self.send("PUT", "/keep", {}, photo.piece(0, photo.size), 204)

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


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def declare(phone: Phone, photos: Sequence[Photo]) -> None:
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
            phone.store.execute(
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
        phone.push(batch=100)


def prepare(port: int, phone: Phone, photos: Sequence[Photo], *, is_open: bool) -> None:
    """Declare photos, and open their uploads where that is not measured."""
    declare(phone, photos)
    caller = Caller(port, phone)
    for photo in photos if is_open else ():
        caller.open(photo)


def send_all(way: Way, caller: Caller, photos: Sequence[Photo]) -> None:
    """Send photo after photo."""
    for photo in photos:
        way(caller, photo)


class Bench:
    """The servers, the phones, and what has been measured."""

    def __init__(self, stack: Stack, url: str, roots: Mapping[str, int], phones: Sequence[Phone]) -> None:
        self.stack, self.url, self.phones = stack, url, phones
        self.roots = {**roots, "web": stack.processes["web"].pid}
        self.rows: dict[str, list[float]] = {}
        self.used: dict[str, list[dict[str, float]]] = {}

    def files(self, threads: int, count: int) -> None:
        """Measure bare files."""
        with tempfile.TemporaryDirectory(dir=self.stack.data) as folder:
            took = side_by_side([bare_files(Path(folder), count // threads) for _ in range(threads)])
        self.rows.setdefault(f"files, {threads} threads", []).append(count // threads * threads / took)

    def photos(self, name: str, way: Way, count: int, *, port: int, declared: bool, is_open: bool) -> None:
        """Measure a way of sending photos."""
        work = [[new_photo() for _ in range(count // CLIENTS)] for _ in self.phones]
        for phone, photos in zip(self.phones, work, strict=True):
            if declared:
                prepare(self.stack.port, phone, photos, is_open=is_open)
        self.settle()
        callers = [Caller(port, phone) for phone in self.phones]
        before, begin = self.processor(), time.perf_counter()
        side_by_side([partial(send_all, way, c, w) for c, w in zip(callers, work, strict=True)])
        self.settle()
        took, done = time.perf_counter() - begin, count // CLIENTS * CLIENTS
        after = self.processor()
        self.rows.setdefault(name, []).append(done / took)
        self.used.setdefault(name, []).append({k: (v - before[k]) / done * 1000 for k, v in after.items()})

    def settle(self) -> None:
        """Wait for a worker, if there is one, until nothing is owed."""
        if "worker" not in self.stack.processes:
            return
        with psycopg.connect(self.url, autocommit=True) as connection:
            while any(count for (count,) in connection.execute(OWED)):
                time.sleep(0.05)

    def processor(self) -> dict[str, float]:
        """Give the seconds that each part has used so far; `load` is this process."""
        own = psutil.Process().cpu_times()
        return {name: processor_seconds([pid]) for name, pid in self.roots.items()} | {
            "load": own.user + own.system
        }

    def tell(self) -> None:
        """Print medians and ratios."""
        base = statistics.median(self.rows["files, 1 threads"])
        bare = statistics.median(self.rows[BARE])
        for name, values in self.rows.items():
            value, all_ = statistics.median(values), " ".join(f"{v:.0f}" for v in values)
            print(
                f"{name:32} {value:6.0f}/s ({all_})  {value / base:5.2f} × files  {value / bare:5.2f} × bare view"
            )
            if name in self.used:
                parts = {k: statistics.median(u[k] for u in self.used[name]) for k in self.used[name][0]}
                told = ", ".join(f"{k} {v:.2f}" for k, v in parts.items() if v > 0.05)
                print(f"{'':32} processor, ms each: {sum(parts.values()):.2f} ({told})")


def serve_bare(stack: Stack, folder: Path) -> int:
    """Serve the bare view; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    folder.mkdir()
    stack.environment["BARE_FOLDER"] = str(folder)
    granian = (sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--port", str(port))
    stack._start("bare", *granian, "--blocking-threads", "8", "tests.benchmarks.bare:application")
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return port
        time.sleep(0.05)
    raise AssertionError(stack.log("bare"))


def measure(bench: Bench, options: argparse.Namespace) -> None:
    """Measure every way, round by round, with the baselines in between."""
    bare = serve_bare(bench.stack, bench.stack.data / "bare")
    bench.roots["bare"] = bench.stack.processes["bare"].pid
    web, count = bench.stack.port, options.photos
    for _ in range(options.rounds):
        for threads in (1, CLIENTS):
            bench.files(threads, count)
        bench.photos(BARE, Caller.keep, count, port=bare, declared=False, is_open=False)
        for name, (way, is_open) in WAYS.items():
            if not options.only or name in options.only.split(","):
                bench.photos(name, way, count, port=web, declared=True, is_open=is_open)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="ways, separated by commas")
    parser.add_argument("--worker", action="store_true", help="count the work that is put off, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PostgreSQL() as server, Redis() as redis:
        url = new_postgresql_database(server.url, "bench")
        stack = Stack(Path(folder) / "data", database_url=url, broker_url=redis.url)
        told = stack.seed(CLIENTS)
        roots = {"database": guard_of(server), "broker": guard_of(redis)}
        try:
            stack.start_web(workers=2)
            if options.worker:
                stack.start_worker()
                roots |= {"worker": stack.processes["worker"].pid, "beat": stack.processes["beat"].pid}
            phones = []
            for number, code in enumerate(told["codes"][:CLIENTS]):
                phones.append(Phone(stack.url, name=f"phone {number}"))
                phones[-1].enrol(code)
                phones[-1].pull()
            bench = Bench(stack, url, roots, phones)
            measure(bench, options)
        finally:
            stack.stop()
    bench.tell()


if __name__ == "__main__":
    main()
