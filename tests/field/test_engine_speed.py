"""How quick the phone is in a real Chromium: a cold start, a large photo, a full store, typing beside a long sync."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Playwright

from tests.field.conftest import Stage
from tests.field.engine_page import EnginePage, serve_harness
from tests.field.handset import AS_PHONE, PIN, Handset, open_profile
from tests.field.line import Line
from tests.reports import header

pytestmark = [pytest.mark.live, pytest.mark.browser, pytest.mark.alone]

TAKEN = """
const bytes = Uint8Array.from(atob(given.picture), (c) => c.charCodeAt(0));
const blob = new Blob([bytes], { type: 'image/jpeg' });
const times = [];
for (let i = 0; i < 3; i++) {
  const began = performance.now();
  await phone.addPhoto(given.report, 'step_0', blob, 'camera');
  times.push(performance.now() - began);
}
return times;
"""
UNLOCKED = """
const began = performance.now();
await phone.unlock(given);
const spent = performance.now() - began;
while (phone.reports.value.length < 2000) await new Promise((next) => setTimeout(next, 10));
return [spent, performance.now() - began];
"""
TYPED = """
const slow = [];
for (let i = 0; i < 200; i++) {
  const began = performance.now();
  phone.saveAnswer(given, 'step_3', { value: 'chữ '.repeat(i + 1) });
  slow.push(performance.now() - began);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
return slow.sort((a, b) => b - a);
"""


YARDSTICK = """
const began = performance.now();
const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
const how = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(16), iterations: 600000 };
await crypto.subtle.deriveBits(how, key, 256);
return performance.now() - began;
"""
AT_REST = 200.0  # what the yardstick takes, in milliseconds, on a machine that does nothing else


# When the door and Today first stood on the screen, in milliseconds since the navigation began.
WATCHED = """
addEventListener('DOMContentLoaded', () => {
  const seen = (window.seen = {});
  const look = () => {
    if (document.querySelector('main.door form input')) seen.door ??= performance.now();
    if (document.querySelector('.inside main .hero')) seen.today ??= performance.now();
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
  look();
});
"""
UNLOCKED_BY_HAND = """
async (pin) => {
  const field = document.querySelector('main.door form input');
  field.value = pin;
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
  const began = performance.now();
  field.form.requestSubmit();
  while (!window.seen.today) await new Promise((next) => setTimeout(next, 5));
  const frame = () => new Promise((shown) => requestAnimationFrame(() => setTimeout(shown)));
  await frame();
  return [window.seen.door, performance.now() - began];
}
"""


def allowed(page: Page, milliseconds: float) -> float:
    """Give the limit; a machine that others use at the same time gets more in proportion."""
    measured = float(page.evaluate("async () => {" + YARDSTICK + "}"))
    return milliseconds * max(1.0, measured / AT_REST)


@pytest.fixture
def phone(engine: Callable[..., EnginePage]) -> EnginePage:
    """An enrolled phone in step with its server, which keeps its store on disk."""
    return engine(on_disk=True)


def test_a_cold_start_from_the_cache_takes_a_second_at_most(
    stage: Stage, playwright: Playwright, chromium: str, tmp_path: Path
) -> None:
    """From the address to the door and from the PIN to Today, with 2,000 reports, without a network; thrice anew."""
    line, place = Line(stage.stack.port), tmp_path / "profile"
    officer = stage.officer()
    with closing(open_profile(playwright, chromium, place, **AS_PHONE)) as context:
        serve_harness(context)
        engine = EnginePage(context, line.url, officer)
        engine.enrol(stage.backstage("code", officer=officer))
        engine.in_step()
        engine.run("return window.fill(2000)")
        engine.page.close()
        context.unroute_all()
        handset = Handset(context, line)
        handset.open()
        handset.until("navigator.serviceWorker.controller !== null")
    line.down()
    times, over = [], []
    for _ in range(3):
        with closing(open_profile(playwright, chromium, place, **AS_PHONE)) as context:
            context.add_init_script(WATCHED)
            handset = Handset(context, line)
            handset.open()
            handset.page.locator("main.door form input").wait_for()
            times.append(handset.page.evaluate(UNLOCKED_BY_HAND, PIN))
            over.append(sum(times[-1]) - allowed(handset.page, 1000))
            assert handset.page.locator(".group li").count() > 0
    line.close()
    print(
        f"cold starts, to the door and from the PIN to Today: {[[round(t) for t in pair] for pair in times]} ms"
    )
    assert min(over) <= 0


def test_a_photo_of_twelve_megapixels_is_kept_within_a_second_and_a_half(phone: EnginePage) -> None:
    """Decoded, scaled, hashed, signed, sealed and stored; the best of three, for a machine that others use too."""
    report = phone.begin("plain", **header())
    size = (4032, 3024)
    picture = Image.blend(
        Image.linear_gradient("L").resize(size), Image.effect_noise(size, 60), 0.15
    ).convert("RGB")
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=92)
    given = {"report": report, "picture": base64.b64encode(held.getvalue()).decode()}
    times = phone.run(TAKEN, given)
    print(f"12 megapixels, {held.tell():,} bytes: {[round(one) for one in times]} ms")
    assert min(times) <= allowed(phone.page, 1500)


def test_a_store_of_two_thousand_reports_opens_within_a_second(phone: EnginePage) -> None:
    """From the PIN to the newest reports, and to all of them."""
    phone.run("return window.fill(2000)")
    times = []
    for _ in range(3):
        phone.again()
        phone.context.set_offline(True)
        times.append(phone.run(UNLOCKED, PIN))
        phone.context.set_offline(False)
    print(f"PIN to the newest and to all of 2,000 reports: {[[round(t) for t in pair] for pair in times]} ms")
    assert min(whole for _, whole in times) <= allowed(phone.page, 1000)


def test_typing_never_waits_for_the_store(phone: EnginePage) -> None:
    phone.run("return window.fill(2000)")
    phone.again()
    phone.unlock()
    report = phone.begin("plain", **header())
    slowest = phone.run(TYPED, report)
    print(f"200 strokes: slowest {slowest[0]:.1f} ms, 10th {slowest[9]:.1f} ms")
    assert slowest[9] < 16, "a stroke fits into a frame"
    phone.run("return phone.flush()")
    phone.again()
    phone.unlock()
    assert phone.reports()[report]["answers"]["step_3"]["value"] == "chữ " * 200
