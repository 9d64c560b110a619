"""How quick the phone's engine is in a real Chromium: a large photo, a full store, and typing beside a long sync."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from tests.field.engine_page import PIN, EnginePage
from tests.reports import header

pytestmark = [pytest.mark.live, pytest.mark.browser]

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
return [performance.now() - began, phone.reports.value.length];
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


def allowed(phone: EnginePage, milliseconds: float) -> float:
    """Give the limit; a machine that others use at the same time gets more in proportion."""
    return milliseconds * max(1.0, float(phone.run(YARDSTICK)) / AT_REST)


@pytest.fixture
def phone(engine: Callable[..., EnginePage]) -> EnginePage:
    """An enrolled phone in step with its server, which keeps its store on disk."""
    return engine(on_disk=True)


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
    assert min(times) <= allowed(phone, 1500)


def test_a_store_of_two_thousand_reports_opens_within_a_second(phone: EnginePage) -> None:
    phone.run("return window.fill(2000)")
    times = []
    for _ in range(3):
        phone.again()
        phone.context.set_offline(True)
        spent, reports = phone.run(UNLOCKED, PIN)
        phone.context.set_offline(False)
        times.append(spent)
        assert reports == 2000
    print(f"PIN to 2,000 reports: {[round(one) for one in times]} ms")
    assert min(times) <= allowed(phone, 1000)


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
