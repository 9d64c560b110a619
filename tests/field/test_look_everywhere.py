"""Every screen in both languages, themes and sizes: axe, the size of what is tapped, nothing beyond the edge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from backend.phone_app import CLIENT
from tests.evidence_images import noisy_jpeg
from tests.field.conftest import Stage
from tests.field.handset import AS_PHONE, PIN, SIZES, Handset
from tests.field.line import Line
from tests.field.test_journey_seizure import flash

pytestmark = [pytest.mark.live, pytest.mark.browser]

AXE = CLIENT / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What can be tapped and is smaller than 44 by 44 CSS pixels. A control inside a label is as large as its label.
SMALL = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter((found) => found.checkVisibility() && !found.closest('.skip'))
  .map((found) => {
    const inside = ['radio', 'checkbox', 'file'].includes(found.type) ? found.closest('label') : null;
    const { width, height } = (inside ?? found).getBoundingClientRect();
    return [found.outerHTML.slice(0, 120), width, height];
  })
  .filter(([, width, height]) => width < 44 || height < 44)"""
BEYOND = "document.documentElement.scrollWidth > innerWidth"
LOOKS = [(lang, theme, size) for lang in ("vi", "en") for theme in ("light", "dark") for size in SIZES]


class Eye:
    """Looks at what a phone shows and collects what is wrong with it."""

    def __init__(self, phone: Handset) -> None:
        self.phone = phone
        self.faults: list[str] = []
        self.seen = 0

    def look(self, name: str) -> None:
        page = self.phone.page
        page.locator("#content:not([aria-busy])").wait_for()
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("rules => axe.run({ runOnly: rules, resultTypes: ['violations'] })", RULES)
        for fault in found["violations"]:
            where = "; ".join(node["html"][:120] for node in fault["nodes"][:3])
            self.faults.append(f"{name}: {fault['id']}: {where}")
        self.faults += [f"{name}: small: {one}" for one in page.evaluate(SMALL)]
        if page.evaluate(BEYOND):
            self.faults.append(f"{name}: wider than the screen")
        self.seen += 1

    def dress(self, lang: str, theme: str, size: str) -> None:
        """Choose language and theme as a person does, and turn the screen to a size."""
        page = self.phone.page
        page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]  # a plain dict
        self.phone.go("#/me")
        page.locator("input[type=radio]").nth(0 if lang == "vi" else 1).check()
        page.locator("input[type=radio]").nth(6 if theme == "light" else 7).check()


@pytest.fixture(scope="module")
def furnished(stage: Stage, browser: Browser) -> Iterator[tuple[Handset, dict[str, str]]]:
    """A phone with a draft, a returned report, one on its way and a conflict; and the places of its screens."""
    phones: list[Handset] = []
    officer = stage.officer()
    for _ in range(2):
        phones.append(Handset(browser.new_context(**AS_PHONE), Line(stage.stack.port)))
        phones[-1].enrol(stage.backstage("code", officer=officer))
    try:
        yield phones[0], _furnish(stage, phones[0], phones[1])
    finally:
        for phone in phones:
            phone.close()
            phone.line.close()


def _furnish(stage: Stage, phone: Handset, other: Handset) -> dict[str, str]:
    returned = phone.begin("Kiểm tra nhanh")
    phone.reason()
    phone.next()
    phone.choose("step_0", "Có")
    phone.choose("step_1", "Đạt")
    phone.type("step_2", "3")
    phone.type("step_3", "Không có gì")
    phone.next()
    phone.page.get_by_label("Không phát hiện").check()
    phone.stored()
    phone.send()
    draft = phone.begin("Mọi loại bước")
    phone.reason()
    phone.next()
    phone.choose("a_bool", "Có")
    phone.photograph("a_photo", [noisy_jpeg(40_000)])
    phone.step("a_sign").get_by_role("button", name="Tôi ký").click()
    phone.type("a_scan", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<")  # no place to break
    phone.type("a_number", "99")  # too many: a fault to look at
    phone.stored()
    phone.sync_all()
    stage.give_back(returned, "step_3", "Ghi rõ hơn.")
    other.sync_all()
    phone.sync_all()
    phone.line.down()
    for one, text in ((other, "máy hai"), (phone, "máy một")):
        one.go(f"#/fill/{draft}/all")
        one.type("a_text", text)
        one.stored()
    other.sync_all()
    phone.line.up()
    phone.sync()
    finds = _finds(phone)
    phone.sync()
    phone.page.get_by_role("link", name="Hai bản khác nhau").click()
    decide = phone.page.url.split("#")[1]
    places = [
        "today",
        "inspect",
        "sync",
        "me",
        f"report/{returned}",
        f"report/{draft}",
        f"fill/{returned}/all",
    ]
    places += [f"fill/{draft}/{page}" for page in ("general", "all", "result")]
    return {f"#/{place}": place for place in [*places, *finds]} | {f"#{decide}": "decide"}


def _finds(phone: Handset) -> list[str]:
    """Give the screens of a find with faults on each page of its form, a package and its steps, and a flash begun."""
    phone.go("#/flash/new")
    phone.page.wait_for_url("**/#/flash/0*")
    draft = phone.page.url.split("/flash/")[1]
    phone.page.get_by_role("button", name="Gửi báo nhanh").click()  # its faults show from now on
    phone.page.get_by_role("button", name="Thêm", exact=True).click()
    report = flash(phone)
    phone.go(f"#/seizure/{report}/send")
    phone.go(f"#/package/{report}")
    phone.page.get_by_label("Mô tả gói").fill("1 túi")
    phone.page.get_by_label("Khối lượng cả bì").fill("1215,5")
    phone.page.get_by_role("button", name="Ghi tang vật").click()
    phone.page.wait_for_url("**/#/exhibit/**")
    exhibit = phone.page.url.split("/exhibit/")[1]
    pages = ("basic", "lines", "finding", "route", "people", "record", "send")
    steps = [
        f"exhibit/{exhibit}{step}"
        for step in ("", "/seal", "/unseal", "/store", "/move", "/sample", "/receive")
    ]
    forms = [f"seizure/{report}/{page}" for page in pages]
    return [
        "finds",
        f"flash/{draft}",
        f"seizure/{report}",
        *forms,
        f"package/{report}",
        *steps,
        f"offer/{report}",
    ]


@pytest.mark.parametrize(("lang", "theme", "size"), LOOKS)
def test_every_screen(furnished: tuple[Handset, dict[str, str]], lang: str, theme: str, size: str) -> None:
    phone, places = furnished
    eye = Eye(phone)
    eye.dress(lang, theme, size)
    for place, name in places.items():
        phone.go(place)
        eye.look(name)
    phone.go(
        [place for place in places if place.endswith("/all")][-1]
    )  # the draft's, which has every kind of step
    for opener in (".bar button", "#step-a_sign button.quiet >> nth=-1", ".fold summary"):
        phone.page.locator(opener).first.click()
        eye.look(f"with {opener} open")
        phone.page.keyboard.press("Escape")
    phone.go(next(place for place in places if place.endswith("/general")))
    phone.page.locator(".part summary").first.click()
    phone.page.locator(".part button.quiet").first.click()
    eye.look("with an entry")
    phone.go("#/me")
    phone.page.get_by_role("button", name="Khóa ngay" if lang == "vi" else "Lock now").click()
    eye.look("locked")
    phone.page.locator("input").first.fill(PIN)
    phone.page.keyboard.press("Enter")
    phone.page.locator(".inside").wait_for()
    assert eye.faults == []
    assert eye.seen == len(places) + 5


def test_the_doors(stage: Stage, handset: Callable[..., Any]) -> None:
    phone = handset()
    eye = Eye(phone)
    code = stage.backstage("code", officer=stage.officer())
    phone.open()
    for theme in ("light", "dark"):
        phone.page.emulate_media(color_scheme=theme)
        eye.look(f"enrol {theme}")
    phone.open(f"enrol#c={code}")
    eye.look("enrol by link")
    assert code not in phone.page.url
    phone.page.get_by_role("button", name="Tiếp: đặt mã PIN").click()
    eye.look("PIN")
    phone.page.get_by_label("Mã PIN (ít nhất 6 số)").fill(PIN)
    phone.page.get_by_label("Nhập lại PIN").fill("1")
    phone.page.get_by_role("button", name="Kích hoạt").click()
    eye.look("PIN with a fault")
    phone.page.get_by_label("Nhập lại PIN").fill(PIN)
    phone.page.get_by_role("button", name="Kích hoạt").click()
    phone.page.get_by_role("button", name="Bắt đầu làm việc").wait_for()
    eye.look("first sync")
    assert eye.faults == []
