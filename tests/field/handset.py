"""A phone in a test: a Chromium with its own profile, which can be killed and comes back with what it had stored."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import BrowserContext, Locator, Page, Playwright

from tests.chromium import ARGUMENTS
from tests.field.line import Line

PIN = "274913"
SIZES = {"phone": {"width": 360, "height": 740}, "tablet": {"width": 768, "height": 1024}}

# What makes a browser context a phone.
AS_PHONE: dict[str, Any] = {
    "viewport": SIZES["phone"],
    "locale": "vi-VN",
    "timezone_id": "Asia/Ho_Chi_Minh",
    "accept_downloads": True,
    "reduced_motion": "reduce",
}


def open_profile(playwright: Playwright, chromium: str, place: Path, **given: Any) -> BrowserContext:
    """Start a Chromium of its own that keeps everything in a directory, as a phone does."""
    return playwright.chromium.launch_persistent_context(
        str(place), executable_path=chromium, args=ARGUMENTS, **given
    )


class Handset:
    """One phone with one officer's fingers on it. Texts are those of the Vietnamese app."""

    def __init__(self, context: BrowserContext, line: Line) -> None:
        self.context, self.line = context, line
        self.officer = ""
        self.complaints: list[str] = []
        self.context.set_default_timeout(30_000)
        self.page = self._watched(self.context.new_page())

    def _watched(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.complaints.append(said.text) if "Content Security Policy" in said.text else None
            ),
        )
        return page

    def close(self) -> None:
        """Switch it off."""
        self.context.close()

    def kill(self, place: Path) -> None:
        """End the tab as the system does when memory is short: nothing of the app runs any more. Names the profile."""
        browser = next(found for found in psutil.process_iter(["cmdline"]) if _keeps(found, place))
        dead, self.page = self.page, self._watched(self.context.new_page())
        for child in browser.children(recursive=True):
            if "--type=renderer" in child.cmdline():
                child.kill()
        dead.close()
        self.page.close()
        self.page = self._watched(self.context.new_page())

    def open(self, place: str = "") -> None:
        """Open the app, or a place in it."""
        self.page.goto(f"{self.line.url}/field/{place}")

    def go(self, place: str) -> None:
        """Go to a place by its address, as a link would."""
        self.page.evaluate("place => { location.hash = place }", place)

    # -- the doors ----------------------------------------------------------------------------------------------

    def enrol(self, code: str) -> None:
        """Follow the link of the QR code, set a PIN, wait for the first sync, and go to work."""
        self.open(f"enrol#c={code}")
        self.page.get_by_role("button", name="Tiếp: đặt mã PIN").click()
        self.page.get_by_label("Mã PIN (ít nhất 6 số)").fill(PIN)
        self.page.get_by_label("Nhập lại PIN").fill(PIN)
        self.page.get_by_role("button", name="Kích hoạt").click()
        self.page.get_by_role("button", name="Bắt đầu làm việc").click()
        self.heading("Hôm nay").wait_for()

    def unlock(self) -> None:
        """Give the PIN."""
        self.page.get_by_label("Mã PIN (ít nhất 6 số)").fill(PIN)
        self.page.get_by_role("button", name="Mở khóa").click()
        self.page.locator(".inside").wait_for()

    def heading(self, text: str) -> Locator:
        """The heading of a screen."""
        return self.page.get_by_role("heading", level=1, name=text)

    # -- filling in ---------------------------------------------------------------------------------------------

    def begin(self, title: str) -> str:
        """Begin an inspection; gives the report's id."""
        self.go("#/inspect")
        self.page.get_by_role("button", name=title).first.click()
        self.page.wait_for_url("**/#/fill/**")
        return self.page.url.split("/fill/")[1].split("/")[0]

    def reason(self, label: str = "Trọng điểm") -> None:
        """Give the reason for the selection, on the general page."""
        self.page.get_by_label(label, exact=True).check()

    def next(self) -> None:
        """Go to the next page of the form."""
        self.page.locator(".bar a.button").last.click()

    def step(self, key: str) -> Locator:
        """The card of a step."""
        return self.page.locator(f"#step-{key}")

    def choose(self, key: str, *labels: str) -> None:
        """Choose options of a step."""
        for label in labels:
            self.step(key).get_by_label(label, exact=True).check()

    def type(self, key: str, text: str) -> None:
        """Type into the input of a step, key by key as a person does."""
        field = (
            self.step(key).locator("input:not([type=radio], [type=checkbox], [type=file]), textarea").first
        )
        field.fill("")
        field.press_sequentially(text)

    def photograph(self, key: str, pictures: Iterable[bytes], *, gallery: bool = False) -> None:
        """Take photos at a step, or bring them from the gallery."""
        which = "input[type=file]:not([capture])" if gallery else "input[type=file][capture]"
        for number, picture in enumerate(pictures):
            before = self.step(key).locator(".shot").count()
            self.step(key).locator(which).set_input_files(
                {"name": f"{key}-{number}.jpg", "mimeType": "image/jpeg", "buffer": picture}
            )
            self.step(key).locator(".shot").nth(before).wait_for()

    def stored(self) -> None:
        """Wait until the form says that everything is on the phone."""
        self.page.locator(".saved", has_text="Đã lưu trên máy").wait_for()

    def send(self) -> None:
        """Press the button that sends, on the last page."""
        self.page.locator(".bar button").last.click()
        self.page.wait_for_url("**/#/report/**")

    # -- sync ---------------------------------------------------------------------------------------------------

    def ask_for_sync(self) -> None:
        """Press the button of the sync centre."""
        self.go("#/sync")
        self.page.locator(".status > button").click()

    def sync(self) -> None:
        """Ask for a sync in the sync centre and wait until it has ended, well or not."""
        self.ask_for_sync()
        self.page.get_by_role("button", name="Đồng bộ ngay", disabled=False).wait_for()

    def sync_all(self) -> None:
        """Sync until the server has everything."""
        self.sync()
        self.told("Máy chủ đã có mọi việc của bạn")

    def told(self, text: str) -> None:
        """Wait until the sync centre says so of the whole."""
        self.go("#/sync")
        self.page.locator(".status .big", has_text=text).wait_for()

    def until(self, expression: str, *, seconds: float = 20) -> None:
        """Wait until an expression is true in the page; its content policy forbids Playwright's own way of polling."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, expression
            self.page.wait_for_timeout(50)


def _keeps(process: psutil.Process, place: Path) -> bool:
    line = process.info["cmdline"] or []
    return f"--user-data-dir={place}" in line and not any(part.startswith("--type=") for part in line)
