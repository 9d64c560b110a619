"""The phone's engine on a page of a real Chromium, against a real server: what the tests of this directory drive.

The page is built from `client/harness.html` (the engine and nothing else) and put in the place of the app by the
browser; every request to the API goes to the server.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

from apps.field.views import CONTENT_POLICY
from backend.phone_app import CLIENT
from tests.field.handset import PIN

LONG = 60.0
Handler = Callable[[Route], None]


def harness() -> Path:
    """Give the directory of the built page, built once per state of the sources."""
    sources = [path for path in sorted((CLIENT / "src").rglob("*.ts")) if ".test." not in path.name]
    names = ("harness.html", "package-lock.json", "vite.harness.ts")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in [*sources, *map(CLIENT.joinpath, names)]))
    place = Path(sys.prefix) / f"field-harness-{digest.hexdigest()[:16]}"
    if not place.is_dir():
        new = place.with_suffix(".new")
        command = ["-m", "backend.phone_app", "--run", "vite", "build", "--config", "vite.harness.ts"]
        done = subprocess.run(
            [sys.executable, *command, "--outDir", str(new), "--emptyOutDir", "--logLevel", "warn"],
            cwd=CLIENT.parents[2], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        for old in place.parent.glob("field-harness-*"):
            if old != new:
                shutil.rmtree(old)
        new.rename(place)
    return place


def serve_harness(context: BrowserContext) -> None:
    """Put the engine's page in the place of the app."""
    files = harness()

    def serve(route: Route) -> None:
        name = route.request.url.split("/field/", 1)[1].split("#")[0] or "harness.html"
        file = files / name
        kind = mimetypes.guess_type(name)[0] or "text/html"
        headers = {"Content-Type": kind, "Content-Security-Policy": CONTENT_POLICY}
        route.fulfill(status=200, headers=headers, body=file.read_bytes())

    context.route("**/field/**", serve)


class EnginePage:
    """One tab of a phone: the engine's commands, and what its signals say."""

    def __init__(self, context: BrowserContext, base: str, officer: str) -> None:
        self.context, self.base, self.officer = context, base, officer
        self.faults: list[str] = []
        self.page = self._open()

    def _open(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.goto(f"{self.base}/field/")
        page.wait_for_selector("body[data-ready=yes]", state="attached")
        return page

    def again(self) -> None:
        """Close the tab in the middle of whatever it does, and open another."""
        self.page.close()
        self.page = self._open()

    def run(self, body: str, given: Any = None) -> Any:
        """Run `body` with `phone` (the engine) and `given`; an EngineError comes back as its code."""
        return self.page.evaluate(
            "async (given) => { const phone = window.phone; try { return await (async () => {"
            + body
            + "})(); } catch (error) { if (error?.name === 'EngineError') return { refused: error.code };"
            " throw error; } }",
            given,
        )

    def enrol(self, code: str) -> None:
        """Enrol the phone; its first sync begins."""
        assert (
            self.run("return phone.enrol(given.code, given.pin, 'Máy thử')", {"code": code, "pin": PIN})
            is None
        )

    def unlock(self) -> None:
        assert self.run("return phone.unlock(given)", PIN) is None

    def sync_state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.run("return phone.sync.value")
        return state

    def lock_state(self) -> str:
        return str(self.run("return phone.lock.value.state"))

    def reports(self) -> dict[str, dict[str, Any]]:
        """Give the reports by id."""
        found: list[dict[str, Any]] = self.run("return phone.reports.value")
        return {report["id"]: report for report in found}

    def photos(self) -> dict[str, dict[str, Any]]:
        found: list[dict[str, Any]] = self.run("return [...phone.photos.value.values()]")
        return {photo["id"]: photo for photo in found}

    def begin(self, code: str = "plain", **header: Any) -> str:
        """Begin a report on a checklist."""
        return str(
            self.run(
                "const version = phone.checklists.value.find((one) => one.code === given.code && "
                "one.status === 'published'); return phone.beginReport(version.id, given.header)",
                {"code": code, "header": header},
            )
        )

    def answer(self, report: str, answers: dict[str, Any]) -> None:
        """Answer steps one by one, as an officer does."""
        self.run(
            "for (const [step, answer] of Object.entries(given.answers)) "
            "phone.saveAnswer(given.report, step, answer)",
            {"report": report, "answers": answers},
        )

    def photograph(self, report: str, step: str, picture: bytes, *, mime: str = "image/jpeg") -> str:
        """Take a photo; gives its id."""
        given = {
            "report": report,
            "step": step,
            "picture": base64.b64encode(picture).decode(),
            "mime": mime,
        }
        return str(
            self.run(
                "const bytes = Uint8Array.from(atob(given.picture), (c) => c.charCodeAt(0));"
                "const blob = new Blob([bytes], { type: given.mime });"
                "return phone.addPhoto(given.report, given.step, blob, 'camera')",
                given,
            )
        )

    def submit(self, report: str) -> None:
        assert self.run("return phone.submit(given)", report) is None

    def kick(self) -> None:
        self.run("void phone.syncNow().catch(() => undefined)")

    def until(self, condition: Callable[[], Any], seconds: float = LONG) -> None:
        """Wait until something is so; tells the state of sync when it does not come about."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{self.sync_state()} {self.faults}"
            self.page.wait_for_timeout(50)

    def in_step(self, seconds: float = LONG) -> None:
        """Ask for a sync, and wait until nothing waits and the server has been heard."""
        self.run("return phone.flush()")
        self.kick()
        self.until(self._is_in_step, seconds)

    def _is_in_step(self) -> bool:
        state = self.sync_state()
        is_done = state["last_sync_at"] is not None and (state["first"] is None or state["first"]["done"])
        is_sent = not state["waiting"] and not state["photos_waiting"] and not state["attention"]
        return bool(is_done and is_sent and state["error"] is None and state["phase"] == "idle")


class Cuts:
    """Cuts connections: lets the server do its work, and loses its answer."""

    def __init__(
        self, context: BrowserContext, address: str, method: str, *, times: int, before: bool = False
    ) -> None:
        self.left, self.method, self.before = times, method, before
        self.context, self.address = context, address
        context.route(address, self._handle)

    def _handle(self, route: Route) -> None:
        if route.request.method != self.method or self.left <= 0:
            route.fallback()
            return
        self.left -= 1
        if not self.before:
            route.fetch()
        route.abort("connectionreset")

    def end(self) -> None:
        self.context.unroute(self.address, self._handle)
