"""The web server's adapter: what Django is told, bodies as they come, phones that wait without a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from typing import Any

import pytest

from apps.sync.waiting import ENVIRON, Heads, Turn, Wish
from backend.web import bodies, waiting
from backend.web.server import Server
from backend.web.waiting import CHANGED, OVER, Waiting
from mobile_api.admission import ARRIVED

Pairs = list[tuple[str, str]]


class Scope:
    """A request as granian tells it."""

    http_version, scheme, server, client, authority = "1.1", "http", "127.0.0.1:8000", "10.0.0.7:5555", None

    def __init__(self, *headers: tuple[str, str], method: str = "POST", path: str = "/a b/é") -> None:
        self.method, self.path, self.query_string, self.headers = method, path, "x=%20", Headers(headers)


class Headers:
    """Headers with repetitions."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = list(pairs)

    def items(self) -> Pairs:
        return self.pairs

    def get(self, name: str) -> str | None:
        return dict(self.pairs).get(name)


class Proto:
    """A connection: gives a body in chunks, then ends, breaks or falls silent; notes the answer."""

    def __init__(self, *chunks: bytes, end: str = "ends") -> None:
        self.chunks, self.end = chunks, end
        self.answers: list[tuple[int, Pairs, bytes]] = []
        self.hangs_up = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            await asyncio.sleep(0)
            yield chunk
        if self.end == "breaks":
            raise RuntimeError
        if self.end == "silent":
            await asyncio.sleep(60)

    async def client_disconnect(self) -> None:
        await self.hangs_up.wait()

    def response_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        self.answers.append((status, headers, body))

    def response_empty(self, status: int, headers: Pairs) -> None:
        self.answers.append((status, headers, b""))

    def response_stream(self, status: int, headers: Pairs) -> Proto:
        self.answers.append((status, headers, b""))
        return self

    async def send_bytes(self, data: bytes) -> None:
        status, headers, body = self.answers.pop()
        self.answers.append((status, headers, body + data))


class Django:
    """What stands behind the adapter."""

    def __init__(self, wishes: int = 0, seconds: float = 5.0) -> None:
        self.seen: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.wishes, self.seconds = wishes, seconds

    def __call__(self, environ: dict[str, Any], start: Callable[..., None]) -> list[bytes]:
        self.seen.append(environ)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        self.bodies.append(environ["wsgi.input"].read(length))
        turn: Turn | None = environ[ENVIRON]
        if turn and len(self.seen) <= self.wishes:
            turn.wish = Wish("e", {"post:1": 7}, self.seconds)
        start("200 OK", [("X-Round", str(len(self.seen)))])
        return [b"ans", b"wer"]


def serve(
    django: Callable[..., Any], scene: Callable[[Server], Coroutine[Any, Any, None]], heads: Mapping[str, int]
) -> None:
    """Run a scene in an event loop; `heads` is what the database would say, and may change."""

    async def main() -> None:
        made = Server(django, threads=2)
        made.__rsgi_init__(asyncio.get_running_loop())
        made._waiting._read = lambda _streams: Heads("e", heads)
        await asyncio.wait_for(scene(made), 10)

    asyncio.run(main())


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "EVERY_SECONDS", 0.01)


def test_django_gets_what_wsgi_promises() -> None:
    django, proto = Django(), None

    async def scene(made: Server) -> None:
        nonlocal proto
        proto = Proto(b"12", b"34")
        await made.__rsgi__(
            Scope(
                ("content-type", "text/plain"),
                ("content-length", "4"),
                ("x-forwarded-for", "1.1.1.1"),
                ("x-forwarded-for", "2.2.2.2"),
                ("x_forwarded_for", "6.6.6.6"),
                ("cookie", "a=1"),
                ("cookie", "b=2"),
            ),
            proto,
        )

    serve(django, scene, {})
    (environ,) = django.seen
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/a b/é"
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"]) == ("text/plain", "4")
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2", "an underscore cannot pose as a dash"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert 0 <= time.monotonic() - environ[ARRIVED] < 60, "since when it stands in line"
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == ("10.0.0.7", "8000")
    assert django.bodies == [b"1234"]
    assert proto
    assert proto.answers == [(200, [("X-Round", "1")], b"answer")]


@pytest.mark.parametrize("end", ["breaks", "silent"])
@pytest.mark.parametrize("size", [1000, 3_000_000])
def test_a_body_that_stops_gives_what_came(monkeypatch: pytest.MonkeyPatch, end: str, size: int) -> None:
    monkeypatch.setattr(bodies, "SILENCE_SECONDS", 0.05)
    django = Django()

    async def scene(made: Server) -> None:
        await made.__rsgi__(Scope(("content-length", str(size))), Proto(b"x" * 300, b"y" * 200, end=end))

    serve(django, scene, {})
    assert django.bodies == [b"x" * 300 + b"y" * 200]
    assert bodies.Body.held == 0


def test_a_large_body_is_read_by_the_thread_piece_by_piece() -> None:
    pieces: list[int] = []

    def django(environ: dict[str, Any], start: Callable[..., None]) -> list[bytes]:
        while piece := environ["wsgi.input"].read(700_000):
            pieces.append(len(piece))
        start("204 No Content", [])
        return []

    async def scene(made: Server) -> None:
        await made.__rsgi__(Scope(("content-length", "2000000")), Proto(*[b"x" * 90_000] * 22, b"x" * 20_000))

    serve(django, scene, {})
    assert pieces == [700_000, 700_000, 600_000]


def test_a_streamed_answer_goes_out_in_large_pieces_and_is_closed() -> None:
    closed: list[bool] = []

    class Streamed:
        streaming = True

        def __iter__(self) -> Any:
            return iter([b"x" * 4096] * 200)

        def close(self) -> None:
            closed.append(True)

    def django(environ: dict[str, Any], start: Callable[..., None]) -> Streamed:
        start("200 OK", [])
        return Streamed()

    async def scene(made: Server) -> None:
        proto = Proto()
        await made.__rsgi__(Scope(method="GET"), proto)
        assert len(proto.answers[0][2]) == 200 * 4096

    serve(django, scene, {})
    assert closed == [True]


def test_a_failing_application_is_a_500() -> None:
    def django(environ: dict[str, Any], start: Callable[..., None]) -> list[bytes]:
        raise LookupError

    async def scene(made: Server) -> None:
        proto = Proto()
        await made.__rsgi__(Scope(method="GET"), proto)
        assert proto.answers == [(500, [], b"")]

    serve(django, scene, {})


def test_a_waiting_phone_is_judged_and_answered_anew_when_its_stream_moves() -> None:
    django, heads = Django(wishes=1), {"post:1": 7}

    async def scene(made: Server) -> None:
        proto = Proto(b"ask")
        request = asyncio.ensure_future(made.__rsgi__(Scope(("content-length", "3")), proto))
        await asyncio.sleep(0.1)
        assert made._waiting.count == 1
        assert not proto.answers
        heads["post:1"] = 8
        await request
        assert proto.answers == [(200, [("X-Round", "2")], b"answer")]
        assert made._waiting.count == 0

    serve(django, scene, heads)
    assert django.bodies == [b"ask", b"ask"], "the same request, from the token on"


def test_waiting_ends_with_its_time_and_then_nobody_waits_again() -> None:
    django = Django(wishes=9, seconds=0.1)

    async def scene(made: Server) -> None:
        proto = Proto()
        await made.__rsgi__(Scope(), proto)
        assert proto.answers == [(200, [("X-Round", "2")], b"answer")]

    serve(django, scene, {"post:1": 7})
    assert django.seen[1][ENVIRON] is None


def test_a_phone_woken_for_nothing_waits_on() -> None:
    django, heads = Django(wishes=2, seconds=0.4), {"post:1": 8}

    async def scene(made: Server) -> None:
        proto = Proto()
        await made.__rsgi__(Scope(), proto)
        assert len(proto.answers) == 1

    serve(django, scene, heads)
    assert len(django.seen) >= 3


def test_a_phone_that_hangs_up_is_let_go_and_costs_nothing_more() -> None:
    django = Django(wishes=9)

    async def scene(made: Server) -> None:
        proto = Proto()
        request = asyncio.ensure_future(made.__rsgi__(Scope(), proto))
        await asyncio.sleep(0.05)
        proto.hangs_up.set()
        await request
        assert made._waiting.count == 0
        assert not proto.answers

    serve(django, scene, {"post:1": 7})
    assert len(django.seen) == 1


def test_a_process_that_ends_answers_all_who_wait() -> None:
    django = Django(wishes=9)

    async def scene(made: Server) -> None:
        protos = [Proto() for _ in range(5)]
        requests = asyncio.gather(*(made.__rsgi__(Scope(), proto) for proto in protos))
        await asyncio.sleep(0.05)
        made._waiting.close()
        await requests
        assert all(len(proto.answers) == 1 for proto in protos)

    serve(django, scene, {"post:1": 7})


def test_a_full_process_answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST", 0)
    django = Django(wishes=9)

    async def scene(made: Server) -> None:
        proto = Proto()
        await made.__rsgi__(Scope(), proto)
        assert proto.answers == [(200, [("X-Round", "1")], b"answer")]

    serve(django, scene, {})


@pytest.mark.parametrize(
    ("heads", "why"),
    [
        (Heads("e", {"a": 1, "b": 2}), OVER),
        (Heads("e", {"a": 1, "b": 3}), CHANGED),
        (Heads("e", {"a": 1, "b": 1}), CHANGED),
        (Heads("e", {"a": 1}), CHANGED),
        (Heads("other", {"a": 1, "b": 2}), CHANGED),
    ],
)
def test_what_wakes(heads: Heads, why: str) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        phones = Waiting(loop, lambda _streams: heads)
        assert await phones.wait(Wish("e", {"a": 1, "b": 2}, 9), 0.1, loop.create_future()) == why

    asyncio.run(scene())


def test_a_database_that_is_away_wakes_nobody() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()

        def read(_streams: list[str]) -> Heads:
            raise OSError

        phones = Waiting(loop, read)
        assert await phones.wait(Wish("e", {"a": 1}, 9), 0.1, loop.create_future()) == OVER

    asyncio.run(scene())


def test_all_share_one_question() -> None:
    asked: list[list[str]] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()

        def read(streams: list[str]) -> Heads:
            asked.append(sorted(streams))
            return Heads("e", dict.fromkeys(streams, 1))

        phones = Waiting(loop, read)
        wishes = [Wish("e", {"ref": 1, f"post:{i}": 1}, 9) for i in range(50)]
        ended = await asyncio.gather(*(phones.wait(w, 0.05, loop.create_future()) for w in wishes))
        assert set(ended) == {OVER}
        assert phones.count == 0
        assert not phones._by_stream

    asyncio.run(scene())
    assert all(len(streams) == 51 for streams in asked[:2])
