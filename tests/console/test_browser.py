"""The console in a real Chromium: keys, dialogs, refresh that keeps the focus, contrast, no complaint of the policy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from apps.common.actor import SYSTEM
from apps.inspections.models import InspectionReport
from apps.reporting.actions import recount
from tests.chromium import ARGUMENTS
from tests.console.scene import PASSWORD, Scene, make_scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Texts whose contrast is below WCAG 2.2 AA (1.4.3), by the colours the browser computed.
FAINT = """() => {
  const channel = (x) => { x /= 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; };
  const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const read = (s) => { const m = s.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3]));
  const behind = (e) => {
    const layers = [];
    for (let n = e; n && layers.at(-1)?.[3] !== 1; n = n.parentElement) {
      layers.push(read(getComputedStyle(n).backgroundColor));
    }
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ground = behind(element);
    const ink = over(read(element.closest("svg") ? style.fill : style.color), ground);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) found.push(walk.currentNode.textContent.trim());
  }
  return found;
}"""


class Desk:
    """A person at a desk: a page of a signed-in browser, and what its console complained of."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.complaints: list[str] = []
        page.on(
            "console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda e: self.complaints.append(str(e)))

    def sign_in(self, name: str) -> None:
        self.page.goto(f"{self.base}/accounts/login/")
        self.page.fill("#id_login", name)
        self.page.fill("#id_password", PASSWORD)
        self.page.press("#id_password", "Enter")
        self.page.wait_for_url(f"{self.base}/console/**")

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))


@pytest.fixture
def full_scene(transactional_db: None) -> Scene:
    scene = make_scene()
    for photos in (3, 2, 2):
        scene.report(photos=photos)
    recount(actor=SYSTEM)
    return scene


@pytest.fixture
def desk(
    full_scene: Scene, live_server: Any, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1366, "height": 850}, locale="vi-VN")
        yield Desk(page, live_server.url)
        browser.close()
        # Inside Playwright's loop Django opened a connection of its own, which nobody else would close.
        connections.close_all()


def test_review_by_keyboard_alone(desk: Desk) -> None:
    desk.sign_in("leader")
    desk.go("/console/review/")
    page = desk.page
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.wait_for_selector("#approve")
    assert first in page.inner_text("h1")
    page.keyboard.press("?")
    assert page.locator("#keys-help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    assert desk.focused() == "note"
    page.keyboard.type("ja")
    assert page.input_value("#note") == "ja"
    page.fill("#note", "")
    page.locator("#back").focus()
    page.keyboard.press("a")
    assert page.locator("#approve-dialog").is_visible()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert first not in page.inner_text("h1")
    assert "đã duyệt" in page.inner_text(".notices")
    assert InspectionReport.objects.filter(state="approved", number=first).exists()
    assert desk.complaints == []


def test_photos_open_turn_and_close(desk: Desk) -> None:
    desk.sign_in("leader")
    desk.go("/console/review/")
    page = desk.page
    page.click("a.row-link")
    page.click("a.zoom >> nth=0")
    viewer = page.locator("#photo-viewer")
    assert viewer.is_visible()
    assert "(1/3)" in viewer.inner_text()
    page.keyboard.press("ArrowRight")
    assert "(2/3)" in viewer.inner_text()
    assert page.evaluate("document.querySelector('#photo-viewer img').decode().then(() => true)")
    page.keyboard.press("Escape")
    assert not viewer.is_visible()
    assert desk.complaints == []


def test_board_refreshes_and_keeps_focus_and_open_tables(desk: Desk, full_scene: Scene) -> None:
    desk.page.clock.install()
    desk.sign_in("reviewer")
    page = desk.page
    page.click("#chart-table-open")
    page.focus("#u-HNI")
    assert "3" in page.inner_text(".totals li:nth-child(1) .figure")
    full_scene.report()
    recount(actor=SYSTEM)
    with page.expect_response(lambda r: r.request.resource_type == "fetch"):
        page.clock.run_for(61_000)
    page.wait_for_function("document.querySelector('.totals .figure').textContent.includes('4')")
    assert desk.focused() == "u-HNI"
    assert page.get_attribute("#chart-table", "open") is not None
    page.click("#pause")
    assert page.get_attribute("#pause", "aria-pressed") == "true"
    assert desk.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
def test_pages_are_legible_and_fit(desk: Desk, full_scene: Scene, theme: Any, width: int) -> None:
    desk.sign_in("leader")
    page = desk.page
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 850})
    report = InspectionReport.objects.order_by("pk")[0]
    for path in (
        "/console/",
        "/console/review/",
        f"/console/review/{report.pk}/",
        "/console/checklists/",
        f"/console/checklists/versions/{full_scene.version.pk}/",
        "/console/devices/",
        "/console/account/",
        "/accounts/2fa/",
        "/accounts/password/change/",
    ):
        desk.go(path)
        assert page.evaluate(FAINT) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    # What this measure would say of a heading in the colour of its ground.
    page.evaluate(
        "document.querySelector('h1').style.color = getComputedStyle(document.documentElement).backgroundColor"
    )
    assert page.evaluate(FAINT) == [page.inner_text("h1")]
    assert desk.complaints == []


def test_shortcuts_can_be_turned_off(desk: Desk) -> None:
    desk.sign_in("leader")
    desk.go("/console/account/")
    page = desk.page
    page.select_option("#keys", "off")
    page.select_option("#theme", "dark")
    with page.expect_navigation():
        page.click("main button:not(.plain)")
    assert page.get_attribute("html", "data-theme") == "dark"
    desk.go("/console/review/")
    page.keyboard.press("?")
    assert not page.locator("#keys-help").is_visible()
