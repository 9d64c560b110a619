"""HTTP as a phone meets it: one connection at a time, which a test can cut at a byte or whose answer it can lose.

Standard library only, so that nothing between the test and the socket retries or buffers on its own.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


class ConnectionCut(ConnectionError):
    """The connection broke; the phone does not know what the server did. `got` is what had come of the answer."""

    got = b""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body, inflated when the server packed it."""
        packed = any((k.lower(), v) == ("content-encoding", "gzip") for k, v in self.headers.items())
        return json.loads(gzip.decompress(self.body) if packed else self.body)


class Refused(Exception):
    """The server answered with a problem."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        try:
            self.problem: dict[str, Any] = answer.json()
        except ValueError:
            self.problem = {"code": "no-json", "text": answer.body[:200].decode("latin-1")}
        told = {key.lower(): value for key, value in answer.headers.items()}.get("retry-after", "")
        self.retry_after = float(told) if told.isdecimal() else None
        super().__init__(f"{answer.status} {self.problem.get('code')}: {self.problem.get('detail', '')}")

    @property
    def code(self) -> str:
        """The problem's code."""
        return str(self.problem.get("code"))


@dataclass
class Faults:
    """What goes wrong next: each is used up by the first request it applies to."""

    cut_upload_after: int | None = None
    lose_answers: int = 0
    offline: bool = False
    only_paths: str = ""
    log: list[str] = field(default_factory=list)

    def applies(self, path: str) -> bool:
        """Tell whether the fault is meant for this path."""
        return self.only_paths in path


class Wire:
    """A keep-alive connection to one server, with faults to order."""

    def __init__(self, base_url: str, *, timeout: float = 30) -> None:
        parts = urlsplit(base_url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.timeout = timeout
        self.faults = Faults()
        self._connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send a request and read its answer. Raises ConnectionCut."""
        if self.faults.offline:
            raise ConnectionCut("no network")
        self.faults.log.append(f"{method} {path}")
        cut = self.faults.cut_upload_after
        if cut is not None and "/uploads" in path and self.faults.applies(path) and cut < len(body):
            self.faults.cut_upload_after = None
            self._send_part(method, path, headers, body, cut)
        try:
            answer = self._exchange(method, path, headers, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            broken = ConnectionCut(str(error))
            broken.got = getattr(error, "partial", b"")
            raise broken from error
        if self.faults.lose_answers and self.faults.applies(path):
            self.faults.lose_answers -= 1
            self.close()
            raise ConnectionCut("the answer was lost")
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        fresh = self._connection is None
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._connection.request(method, path, body or None, dict(headers))
            response = self._connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if fresh:
                raise
            return self._exchange(method, path, headers, body)  # the server had closed an idle connection

    def _send_part(self, method: str, path: str, headers: Mapping[str, str], body: bytes, cut: int) -> None:
        """Send the head and the first bytes of the body, then drop the connection."""
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{key}: {value}" for key, value in headers.items() if key.lower() != "content-length"]
        with socket.create_connection((self.host, self.port), timeout=self.timeout) as raw:
            raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body[:cut])
            raw.shutdown(socket.SHUT_RDWR)
        raise ConnectionCut(f"cut after {cut} bytes of the body")
