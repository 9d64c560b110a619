"""Pulls, pages, first loads and imports of large lists, on PostgreSQL with two web processes.

    .venv/bin/python -m tests.benchmarks.pull_and_snapshots [--rounds 3] [--million] [--commits N]

PostgreSQL runs with its durable defaults; server, database and load share the machine, so each figure comes with the
CPU seconds of the web processes, read from /proc, and stands next to a bare `SELECT` of the same rows by psycopg.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import gzip
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg

from apps.sync.rules import Cursor
from tests.benchmarks.sync_throughput import Caller
from tests.blank import new_postgresql_database
from tests.phone import Phone
from tests.services import PostgreSQL, Redis
from tests.stack import Stack

SIZES = {"k3": 1_000, "k5": 100_000, "k6": 1_000_000}
CHANGES = 100
WRITERS = 12


class Getter(Caller):
    """A caller that also gets bytes and takes gzip; counts what came over the wire. Tokens are renewed in time."""

    received = 0
    renew_at = 0.0

    def get(self, path: str) -> bytes:
        """Get a path; gives the bytes of a 200."""
        own = self.phone.headers() | {"Host": "127.0.0.1", "Accept-Encoding": "gzip"}
        lines = [f"GET /mobile/v1{path} HTTP/1.1", *(f"{k}: {v}" for k, v in own.items()), "", ""]
        body = self.call("\r\n".join(lines).encode())
        self.received += len(body)
        return body

    def pull(self, **asked: Any) -> bytes:
        """Prepare a pull that takes gzip."""
        if time.monotonic() > self.renew_at:
            self.phone.refresh()
            self.renew_at = time.monotonic() + 300
        head, _, body = self.prepare("/sync/pull", asked).partition(b"\r\n\r\n")
        return head + b"\r\nAccept-Encoding: gzip\r\n\r\n" + body


class Bench:
    """One stack with its lists, and a table of figures."""

    def __init__(self, stack: Stack, url: str, folder: Path, options: argparse.Namespace) -> None:
        self.stack, self.url, self.folder, self.options = stack, url, folder, options
        self.rows: dict[str, list[float]] = {}
        self.database = psycopg.connect(url, autocommit=True)

    def note(self, name: str, value: float) -> None:
        """Keep a figure of this round."""
        self.rows.setdefault(name, []).append(value)

    def cpu(self) -> float:
        """Give the CPU seconds that the web processes have used so far."""
        leader = psutil.Process(self.stack.processes["web"].pid)
        family = [leader, *leader.children(recursive=True)]
        return float(sum(t.user + t.system for t in (p.cpu_times() for p in family)))

    def rss(self) -> float:
        """Give the resident memory of the largest web process in MB."""
        leader = psutil.Process(self.stack.processes["web"].pid)
        return float(max(p.memory_info().rss for p in (leader, *leader.children(recursive=True)))) / 1e6

    def heads(self) -> dict[str, int]:
        """Give the head of every stream."""
        return dict(self.database.execute("SELECT id, seq FROM changes_stream").fetchall())

    def epoch(self) -> str:
        """Give the epoch."""
        row = self.database.execute("SELECT value FROM sync_epoch").fetchone()
        assert row is not None
        return str(row[0])

    def cursor(self, phone: Phone, **moved: int) -> str:
        """Give a cursor of this phone at all heads, but for the lists named (`k5=…`)."""
        known = json.loads(_base64(phone.get("cursor") or ""))["s"]
        heads = self.heads()
        seqs = {stream: heads.get(stream, 0) for stream in (*known, *(f"list:{name}" for name in SIZES))}
        seqs = {s: at for s, at in seqs.items() if not s.startswith("list:") or s in heads}
        return Cursor(self.epoch(), {**seqs, **{f"list:{n}": at for n, at in moved.items()}}).encode()

    @contextlib.contextmanager
    def costs(self, name: str, times: int = 1) -> Iterator[None]:
        """Note the wall milliseconds and the web's CPU milliseconds of what is done inside, per time."""
        cpu, begin = self.cpu(), time.perf_counter()
        yield
        self.note(f"{name}: wall ms", (time.perf_counter() - begin) * 1000 / times)
        self.note(f"{name}: web CPU ms", (self.cpu() - cpu) * 1000 / times)

    def repeat(self, name: str, times: int, work: Callable[[], object]) -> None:
        """Note the median wall milliseconds of one call, and the mean CPU milliseconds."""
        for _ in range(3):
            work()
        taken, cpu = [], self.cpu()
        for _ in range(times):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
        self.note(f"{name}: wall ms (median)", statistics.median(taken) * 1000)
        self.note(f"{name}: web CPU ms", (self.cpu() - cpu) * 1000 / times)

    def write_list(self, name: str, count: int, changed: int = 0, mark: str = "") -> Path:
        """Write the CSV of a list; the first `changed` entries carry a mark."""
        path = self.folder / f"{name}.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("key,label_vi,label_en\n")
            for i in range(count):
                word = (
                    mark if i * changed // count != (i - 1) * changed // count or (changed and i == 0) else ""
                )
                file.write(f"{name}-{i:07},Mục {i} {word},Entry {i} {word}\n")
        return path

    def load_list(self, name: str, path: Path) -> dict[str, Any]:
        """Import a list by the command."""
        names = ("--name-vi", f"Danh mục {name}", "--name-en", f"List {name}")
        command = [sys.executable, "-m", "django", "import_reference_list", name, str(path), *names, "--json"]
        printed = subprocess.run(
            command, env=self.stack.environment, check=True, capture_output=True, text=True
        )
        done: dict[str, Any] = json.loads(printed.stdout.splitlines()[-1])
        return done

    def change(self, name: str) -> None:
        """Give a hundred entries of a list another label, as an import would."""
        self.stack.manage("shell", "-v", "0", "-c", _CHANGE.format(name=name, changes=CHANGES))


_CHANGE = """
from django.db import transaction
from apps.changes.actions import Rows, record_rows
from apps.common.actor import SYSTEM
from apps.reference.models import ReferenceList
from apps.reference.queries import KIND, body
listed = ReferenceList.objects.get(slug="{name}")
rows = listed.entries.order_by("id")[:{changes}]
puts = [(e.pk, e.rev + 1, body(e.key, (e.label_vi + " !", e.label_en + " !"), "{{}}", valid=True)) for e in rows]
with transaction.atomic():
    record_rows(SYSTEM, Rows("list.batch_imported", "reference_list", listed.pk, "list:{name}", KIND, puts=puts))
"""


def _base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def first_sync(bench: Bench, caller: Getter, name: str) -> dict[str, Any]:
    """Load a list from its snapshot, as a phone with nothing of it does; gives the manifest."""
    stream = f"list:{name}"
    before = caller.received
    with bench.costs(f"first sync of {SIZES[name]:,} rows"):
        manifest: dict[str, Any] = json.loads(inflated(caller.get(f"/snapshots/{stream}")))
        parts, requests = load_parts(caller, stream, manifest["parts"])
        cursor = bench.cursor(caller.phone, **{name: 0})
        caller.call(caller.pull(cursor=cursor, loaded={stream: manifest["seq"]}, limit=5000))
    bench.note(f"first sync of {SIZES[name]:,} rows: requests", requests + 2)
    bench.note(f"first sync of {SIZES[name]:,} rows: MB", (caller.received - before) / 1e6)
    assert all(hashlib.sha256(data).hexdigest() == sha256 for sha256, data in parts)
    assert sum(gzip.decompress(data).count(b"\n") for _, data in parts) == manifest["n"]
    return manifest


def load_parts(
    caller: Getter, stream: str, wanted: list[dict[str, Any]]
) -> tuple[list[tuple[str, bytes]], int]:
    """Fetch all parts, as many per request as the server puts together; gives them and the number of requests."""
    parts: list[tuple[str, bytes]] = []
    requests = 0
    while len(parts) < len(wanted):
        names = ",".join(p["sha256"] for p in wanted[len(parts) : len(parts) + 64])
        data, requests = caller.get(f"/snapshots/{stream}/parts?names={names}"), requests + 1
        while data:
            part = wanted[len(parts)]
            parts.append((part["sha256"], data[: part["bytes"]]))
            data = data[part["bytes"] :]
    return parts, requests


def inflated(data: bytes) -> bytes:
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def cut_at_half(bench: Bench, caller: Getter, manifest: Mapping[str, Any]) -> None:
    """Break a first sync in the middle of its middle part; note how much comes twice."""
    parts = manifest["parts"]
    total = sum(p["bytes"] for p in parts)
    half = parts[len(parts) // 2]
    own = "\r\n".join(f"{k}: {v}" for k, v in (caller.phone.headers() | {"Host": "127.0.0.1"}).items())
    stream = manifest["stream"]
    caller.socket.sendall(
        f"GET /mobile/v1/snapshots/{stream}/parts/{half['sha256']} HTTP/1.1\r\n{own}\r\n\r\n".encode()
    )
    got = len(caller.reader.read(half["bytes"] // 2))
    caller.__init__(bench.stack, caller.phone)  # type: ignore[misc]  # a new connection
    bench.note(f"cut at half of {manifest['n']:,} rows: % fetched again", 100 * got / total)


def measure_pulls(bench: Bench, caller: Getter) -> None:
    """Idle pulls, pages, changes; each next to bare SELECTs."""
    select = (
        "SELECT kind, oid, seq, op, rev, body FROM changes_entry "
        "WHERE stream_id = %s AND seq > %s ORDER BY seq LIMIT %s"
    )
    phone, heads = caller.phone, bench.heads()
    idle = caller.pull(cursor=bench.cursor(phone))
    bench.repeat("idle pull", 300, lambda: caller.call(idle))
    bench.repeat(
        "bare SELECT of one stream row",
        300,
        lambda: _fetch(bench, "SELECT * FROM changes_stream WHERE id = %s", ["list:k5"]),
    )
    page = caller.pull(cursor=bench.cursor(phone, k5=0), limit=5000)
    bench.repeat("page of 5,000 rows, gzip", 20, lambda: caller.call(page))
    plain = caller.prepare("/sync/pull", {"cursor": bench.cursor(phone, k5=0), "limit": 5000})
    bench.repeat("page of 5,000 rows, plain", 20, lambda: caller.call(plain))
    bench.repeat("bare SELECT of 5,000 rows", 20, lambda: _fetch(bench, select, ["list:k5", 0, 5000]))
    rows = json.loads(inflated(caller.call(page)))["changes"]
    bench.note("page of 5,000 rows: rows in it", len(rows))
    for name in [n for n in SIZES if f"list:{n}" in heads]:
        after = heads[f"list:{name}"] - CHANGES
        asked = caller.pull(cursor=bench.cursor(phone, **{name: after}))
        answer = caller.call(asked)
        assert len(json.loads(inflated(answer))["changes"]) == CHANGES
        bench.note(f"{CHANGES} changed of {SIZES[name]:,}: bytes on the wire", len(answer))
        values = [f"list:{name}", after, CHANGES]
        bench.repeat(f"{CHANGES} changed of {SIZES[name]:,}", 100, partial(caller.call, asked))
        bench.repeat(
            f"bare SELECT of {CHANGES} of {SIZES[name]:,}", 100, partial(_fetch, bench, select, values)
        )


def _fetch(bench: Bench, sql: str, values: list[Any]) -> list[Any]:
    return bench.database.execute(sql.encode(), values).fetchall()


def writers(bench: Bench, caller: Getter, commits: int) -> None:
    """Twelve writers commit after random 0–20 ms while a reader pulls: no row may be missed."""
    stream = next(
        s for s in json.loads(_base64(caller.phone.get("cursor") or ""))["s"] if s.startswith("post:")
    )
    command = [sys.executable, "-m", "tests.benchmarks.writers", stream, str(WRITERS), str(commits)]
    begin = time.monotonic()
    process = subprocess.Popen(command, env=bench.stack.environment, stdout=subprocess.PIPE, text=True)
    cursor, held, pulls = bench.cursor(caller.phone), set(), 0
    while True:
        is_over = process.poll() is not None
        told = json.loads(inflated(caller.call(caller.pull(cursor=cursor, limit=5000))))
        cursor, pulls = told["cursor"], pulls + 1
        held |= {c["id"] for c in told["changes"] if c["k"] == "bench"}
        if is_over and not told["more"] and not told["changes"]:
            break
    rows = bench.database.execute("SELECT oid::text FROM changes_entry WHERE kind = 'bench'").fetchall()
    missed = {oid for (oid,) in rows} - held
    seconds = time.monotonic() - begin
    print(
        f"{WRITERS} writers, {len(rows):,} commits in {seconds:.0f} s, {pulls} pulls: rows missed {len(missed)}"
    )


def measure(bench: Bench, told: dict[str, Any]) -> None:
    """Measure everything, round by round."""
    options = bench.options
    phones = []
    for number, code in enumerate(told["codes"]):
        phone = Phone(bench.stack.url, name=f"phone {number}")
        phone.enrol(code)
        phone.pull()
        phones.append(phone)
    names = ["k3", "k5", *(["k6"] if options.million else [])] if options.rounds else []
    for name in names:
        print(
            f"import of {SIZES[name]:,} rows:",
            bench.load_list(name, bench.write_list(name, SIZES[name])),
            flush=True,
        )
    for name in names:
        begin = time.monotonic()
        done = bench.stack.manage(
            "shell",
            "-v",
            "0",
            "-c",
            f"from apps.sync.snapshots import build_snapshot; build_snapshot('list:{name}')",
        )
        print(f"snapshot of {SIZES[name]:,} rows: {time.monotonic() - begin:.1f} s {done}", flush=True)
        bench.change(name)
    bench.database.execute("VACUUM ANALYZE")
    bench.note("memory of a web process before the load, MB", bench.rss())
    caller = Getter(bench.stack, phones[0])
    for round_number in range(options.rounds):
        measure_pulls(bench, caller)
        for name in names[1:]:
            manifest = first_sync(bench, caller, name)
            cut_at_half(bench, caller, manifest)
        print(f"round {round_number + 1} done", flush=True)
    bench.note("memory of a web process after the load, MB", bench.rss())
    if options.commits:
        writers(bench, caller, options.commits)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="0: only the writers")
    parser.add_argument("--million", action="store_true", help="also with 1,000,000 rows")
    parser.add_argument("--commits", type=int, default=0, help="commits of the twelve writers")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PostgreSQL() as server, Redis() as redis:
        url = new_postgresql_database(server.url, "bench")
        stack = Stack(Path(folder) / "data", database_url=url, broker_url=redis.url)
        told = stack.seed(2)
        bench = Bench(stack, url, Path(folder), options)
        try:
            stack.start_web(workers=2)
            measure(bench, told)
        finally:
            bench.database.close()
            stack.stop()
    for name, values in bench.rows.items():
        print(f"{name:58} {statistics.median(values):12.2f}   {' '.join(f'{v:.2f}' for v in values)}")


if __name__ == "__main__":
    main()
