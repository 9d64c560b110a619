"""The network between one phone and the server: it cuts, loses, delays, repeats, and brings old requests late."""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.crashes import POINTS, Crash
from tests.simulation.server import Server
from tests.wire import Answer, ConnectionCut, Faults

# What may happen to one request. A crash point kills the server at its n-th passing; `power` cuts the power there.
TROUBLES = (
    "lost",
    "answer-lost",
    "twice",
    "echo",
    "delayed",
    "cut",
    "answer-cut",
    "overtaken",
    "database",
    *POINTS,
    "power",
)


@dataclass(frozen=True)
class Trouble:
    """What happens to the n-th request of a contact; `degree` is a byte, a statement or a passing."""

    nth: int
    kind: str
    degree: int

    def crash(self) -> tuple[str, int]:
        """Give the crash point, and at which passing the server dies there."""
        if self.kind == "power":
            return POINTS[self.degree % len(POINTS)], 1 + self.degree // 8 % 3
        if self.kind == "statement":
            return self.kind, 1 + self.degree % 12
        return self.kind, (1, 1, 1, 2, 3)[self.degree % 5]


@dataclass(frozen=True)
class Request:
    """A request on its way, as bytes."""

    who: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Network:
    """All wires, and the requests that will still arrive although nobody waits for an answer."""

    def __init__(self, server: Server, tell: Callable[[str], None]) -> None:
        self.server = server
        self.tell = tell
        self.late: list[Request] = []

    def deliver(self, request: Request, upto: int | None = None) -> Answer:
        """Bring a request to the server, with its body up to a byte. Raises Crash."""
        body = Body(request.body if upto is None else request.body[:upto])
        headers = {**request.headers, "Content-Length": str(len(request.body))}
        if not request.body and request.method in {"GET", "HEAD", "DELETE"}:
            headers.pop("Content-Length")
        return self.server.answer(request.method, request.path, headers, body)

    def bring_late(self, index: int) -> None:
        """Let one late request arrive; its answer reaches nobody."""
        request = self.late.pop(index % len(self.late))
        answer = self.deliver(request)
        self.tell(
            f"late, {request.who}'s {request.method} {_short(request.path)} arrives (answered {answer.status})"
        )


class Body(io.BytesIO):
    """The body of a request as the server reads it; something may happen before its first byte is read."""

    before: Callable[[], None] | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on."""
        happens, self.before = self.before, None
        if happens:
            happens()
        return super().read(size)


class SimulatedWire:
    """Takes the place of `tests.wire.Wire` in a phone."""

    def __init__(self, network: Network, who: str) -> None:
        self.network = network
        self.who = who
        self.faults = Faults()
        self.troubles: dict[int, Trouble] = {}
        self.count = self.resets = 0
        self.heard: Callable[[str, Answer], None] = lambda _path, _answer: None

    def expect(self, troubles: list[Trouble]) -> None:
        """Order what will happen to the requests of the next contact."""
        self.troubles = {trouble.nth: trouble for trouble in troubles}
        self.count = 0

    def close(self) -> None:
        """Close the connection: there is none."""

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request and read its answer. Raises ConnectionCut."""
        trouble = self.troubles.pop(self.count, None)
        self.count += 1
        self.resets += path.endswith("/sync/pull") and b'"reset": ["' in body
        request = Request(self.who, method, path, headers, body)
        if trouble is None:
            answer = self.network.deliver(request)
        else:
            self.network.tell(
                f"  {self.who}: {method} {_short(path)} meets {trouble.kind} ({trouble.degree})"
            )
            answer = self._in_trouble(request, trouble)
        self.heard(path, answer)
        return answer

    def _in_trouble(self, request: Request, trouble: Trouble) -> Answer:
        network, degree = self.network, trouble.degree
        match trouble.kind:
            case "lost":
                raise ConnectionCut("lost")
            case "delayed":
                network.late.append(request)
                raise ConnectionCut("delayed")
            case "cut":
                if request.body:
                    network.deliver(request, upto=degree % len(request.body))
                raise ConnectionCut("the body was cut")
            case "answer-lost":
                network.deliver(request)
                raise ConnectionCut("the answer was lost")
            case "answer-cut":
                return cut_short(network.deliver(request), degree, request.method)
            case "twice":
                network.deliver(request)
                return network.deliver(request)
            case "echo":
                network.late.append(request)
                return network.deliver(request)
            case "overtaken":
                return self._overtaken(request)
            case _:
                return self._with_failure(request, trouble)

    def _overtaken(self, request: Request) -> Answer:
        """Let late requests be processed after the server took this one up and before it reads the body."""
        network = self.network
        body = Body(request.body)

        def others() -> None:
            while network.late:
                network.bring_late(0)

        body.before = others
        headers = {**request.headers, "Content-Length": str(len(request.body))}
        return network.server.answer(request.method, request.path, headers, body)

    def _with_failure(self, request: Request, trouble: Trouble) -> Answer:
        """Let the server meet a failing database, or die on the way."""
        server = self.network.server
        if trouble.kind == "database":
            server.crasher.fail_at(1 + trouble.degree % 12)
        else:
            server.crasher.crash_at(*trouble.crash())
        try:
            return self.network.deliver(request)
        except Crash as crash:
            power = trouble.kind == "power"
            self.network.tell(f"  {'the power fails' if power else 'the server dies'} at {crash}")
            server.restart(power=power)
            raise ConnectionCut("the server died") from None
        finally:
            server.crasher.disarm()


class _Socket:
    """What `http.client` reads an answer from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: Any, **__: Any) -> io.BytesIO:
        """Give the bytes."""
        return io.BytesIO(self._data)


def cut_short(answer: Answer, degree: int, method: str) -> Answer:
    """Read an answer of which only the first bytes arrive, as a phone's HTTP library does."""
    head = [f"HTTP/1.1 {answer.status} -", *(f"{k}: {v}" for k, v in answer.headers.items())]
    if not any(k.lower() == "content-length" for k in answer.headers):
        head.append(f"Content-Length: {len(answer.body)}")
    raw = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1") + answer.body
    came = raw[: degree % len(raw)]
    if b"\r\n\r\n" not in came:  # `http.client` would take the head for complete; browsers do not
        raise ConnectionCut("the answer was cut in its head")
    response = http.client.HTTPResponse(_Socket(came), method=method)  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionCut(str(error)) from error
    return Answer(response.status, dict(response.headers), body)


def _short(path: str) -> str:
    return path.removeprefix("/mobile/v1/").partition("?")[0][:22]
