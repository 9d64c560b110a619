"""What the phone's engine does when the phone is lost, moved, copied, opened twice, or wrong about the time."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Request, Route

from tests import evidence_images as images
from tests.field.conftest import Stage
from tests.field.engine_page import EnginePage
from tests.field.handset import PIN
from tests.reports import header, plain_answers

pytestmark = [pytest.mark.live, pytest.mark.browser]

Make = Callable[..., EnginePage]
# Everything the database holds, as text in the spellings in which a text could lie there.
DUMP = """
const open = () => new Promise((resolve, reject) => {
  const asked = indexedDB.open(given);
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});
const all = (table) => new Promise((resolve, reject) => {
  const keys = table.getAllKeys(), values = table.getAll();
  values.onsuccess = () => resolve([keys.result, values.result]);
  values.onerror = () => reject(values.error);
});
const seen = [];
const walk = (value) => {
  if (value instanceof CryptoKey) return;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer);
    for (const spelling of ['utf-8', 'utf-16le', 'latin1']) seen.push(new TextDecoder(spelling).decode(bytes));
  } else if (value && typeof value === 'object') {
    for (const [key, one] of Object.entries(value)) { seen.push(key); walk(one); }
  } else seen.push(String(value));
};
const db = await open();
for (const name of db.objectStoreNames) walk(await all(db.transaction(name).objectStore(name)));
db.close();
return seen.join('\\n');
"""
DATABASE = "haidang-field"
COMMON = "Trần Văn Kín"
# A second of waiting takes a fifth of it: what is counted is how often the app's own clock has ticked.
QUICKLY = "(() => { const real = setInterval; globalThis.setInterval = (f, ms) => real(f, ms === 1000 ? 200 : ms); })()"


def dump(phone: EnginePage) -> str:
    """Give everything in the phone's database as text."""
    return str(phone.run(DUMP, DATABASE))


def planted() -> list[str]:
    """Give fifty strings that stand nowhere else."""
    return [f"Bí mật {i:02d} {COMMON} {i * 7919:06d}" for i in range(50)]


def test_nothing_typed_can_be_read_from_the_store(engine: Make, tmp_path: Path) -> None:
    """50 planted strings in every field, in answers, notes and in a photo's bytes: none lies in the profile."""
    phone = engine(on_disk=True)
    words = planted()
    report = phone.begin(
        "plain",
        place=words[0],
        remarks=words[1],
        witnesses=[{"name": word} for word in words[2:8]],
        participants=[{"name": word} for word in words[8:20]],
        transport={"plate": words[20], "vessel": words[21]},
        goods={"description": words[22]},
        equipment_unavailable=[{"name": word} for word in words[25:28]],
    )
    noted = zip(plain_answers().items(), words[28:48], strict=True)
    answers = {step: {**answer, "note": word} for (step, answer), word in noted}
    answers["step_7"]["value"], answers["step_11"]["value"] = words[23:25]
    phone.answer(report, answers)
    picture = images.jpeg(64, 48)
    marked = (
        picture[:2] + b"\xff\xfe" + (2 + 400).to_bytes(2) + words[48].encode().ljust(400, b".") + picture[2:]
    )
    phone.photograph(report, "step_1", marked)
    phone.run("return phone.flush()")
    phone.in_step()  # the journal has it too
    phone.run(
        "phone.saveAnswer(given.report, 'step_3', { value: given.word })",
        {"report": report, "word": words[49]},
    )
    phone.run("return phone.flush()")
    # A control: a text in plain view is found, so the search looks in the right place and in the right way.
    control = "KHÔNG MẬT 0123456789 đối chứng"
    phone.run(
        "const asked = indexedDB.open('control'); await new Promise((resolve) => {"
        "asked.onupgradeneeded = () => asked.result.createObjectStore('t'); asked.onsuccess = resolve; });"
        "const tx = asked.result.transaction('t', 'readwrite'); tx.objectStore('t').put({ word: given }, 'k');"
        "await new Promise((resolve) => { tx.oncomplete = resolve; }); asked.result.close()",
        control,
    )
    assert control in str(phone.run(DUMP, "control"))
    stored = dump(phone)
    assert report in stored, "ids stand in plain view"
    secrets = [*words, "Nguyễn Văn", "Nội Bài", "Kiểm tra", "step_3", "nothing_found"]
    assert [word for word in secrets if word in stored] == []
    phone.context.close()
    kept = (path for path in sorted((tmp_path / "profile-0").rglob("*")) if path.is_file())
    raw = b"\n".join(path.read_bytes() for path in kept)
    assert _lies(control, raw)
    assert all(COMMON in word for word in words)
    assert not _lies(COMMON, raw)


def _lies(word: str, raw: bytes) -> bool:
    return any(word.encode(spelling) in raw for spelling in ("utf-8", "utf-16-le", "utf-16-be"))


def _is_wiped(tab: EnginePage) -> Callable[[], bool]:
    return lambda: tab.lock_state() == "wiped"


def _shows(tab: EnginePage, report: str, part: str, value: object) -> Callable[[], bool]:
    return lambda: tab.reports()[report][part] == value


def test_a_revoked_phone_erases_itself_and_says_so(engine: Make, stage: Stage) -> None:
    phone = engine()
    other_tab = EnginePage(phone.context, phone.base, phone.officer)
    other_tab.unlock()
    report = phone.begin("plain", **header())
    phone.photograph(report, "step_0", images.jpeg())
    phone.in_step()
    stage.backstage("lose", officer=phone.officer)
    phone.kick()
    for tab in (phone, other_tab):
        tab.until(_is_wiped(tab))
        assert tab.reports() == {}
        assert tab.run("return phone.checklists.value.length + phone.postings.value.length") == 0
    names = phone.run("return (await indexedDB.databases()).map((one) => one.name)")
    assert DATABASE not in names or not re.sub(r"[01\s]", "", dump(phone)), (
        "nothing but the numbers of empty lists"
    )
    phone.again()
    assert phone.lock_state() == "wiped", "still told after the app was closed"
    assert phone.run("return phone.unlock(given)", PIN)["refused"] == "unexpected"


def test_an_officer_who_moved_takes_nothing_along(engine: Make, stage: Stage) -> None:
    """The old gate's records are gone from the database, not only from the screen; unsent work still goes to it."""
    phone = engine()
    old = phone.run("return phone.postings.value[0].id")
    sent = phone.begin("plain", **header(remarks="của cửa khẩu cũ"))
    phone.answer(sent, plain_answers())
    phone.submit(sent)
    phone.in_step()
    phone.context.set_offline(True)
    unsent = phone.begin("plain", **header(remarks="chưa gửi"))
    phone.answer(unsent, plain_answers())
    phone.submit(unsent)
    stage.backstage("move", officer=phone.officer)
    phone.context.set_offline(False)
    phone.kick()
    phone.in_step()
    posts = phone.run("return phone.postings.value.map((one) => one.id)")
    assert len(posts) == 1
    assert old not in posts
    assert phone.reports() == {}, "the late one went to the old gate and does not come back"
    held = phone.run(
        "const open = indexedDB.open(given.name); await new Promise((resolve) => { open.onsuccess = resolve; });"
        "const read = (table) => new Promise((resolve) => { const asked = open.result.transaction(table)"
        ".objectStore(table).getAllKeys(); asked.onsuccess = () => resolve(asked.result); });"
        "const keys = [...await read('base'), ...await read('body'), ...await read('stream'), ...await read('outbox'),"
        " ...await read('local')]; open.result.close(); return JSON.stringify(keys)",
        {"name": DATABASE},
    )
    assert old not in held
    assert sent not in held
    reached = stage.backstage("reports", officer=phone.officer)
    assert [(one["id"], one["state"]) for one in reached] == [(sent, "complete"), (unsent, "complete")]


def test_two_tabs_are_one_phone(engine: Make) -> None:
    phone = engine()
    other = EnginePage(phone.context, phone.base, phone.officer)
    other.unlock()
    calls: dict[str, int] = {"one": 0, "other": 0}
    for name, tab in (("one", phone), ("other", other)):
        _count_calls(tab, calls, name)
    report = phone.begin("plain", **header())
    phone.run("return phone.flush()")
    other.until(lambda: report in other.reports())
    phone.answer(report, {"step_0": {"value": True}})
    other.answer(report, {"step_1": {"value": "a"}})
    phone.answer(report, {"step_2": {"value": 7}})
    both = {"step_0": {"value": True}, "step_1": {"value": "a"}, "step_2": {"value": 7}}
    for tab in (phone, other):
        tab.run("return phone.flush()")
    for tab in (phone, other):
        tab.until(_shows(tab, report, "answers", both))
    other.answer(report, plain_answers())
    other.submit(report)
    for tab in (phone, other):
        tab.until(_shows(tab, report, "state", "complete"))
    assert sorted(bool(n) for n in calls.values()) == [False, True], (
        f"one tab at a time speaks to the server: {calls}"
    )
    other.page.close()
    phone.page.bring_to_front()
    late = phone.begin("plain", **header())
    phone.answer(late, plain_answers())
    phone.submit(late)
    phone.until(lambda: phone.reports()[late]["number"] is not None)


def _count_calls(tab: EnginePage, calls: dict[str, int], name: str) -> None:
    def count(request: Request) -> None:
        if "/mobile/v1/sync/p" in request.url:
            calls[name] += 1

    tab.page.on("request", count)


@pytest.mark.parametrize("years", [2, -56])
def test_a_wrong_clock_changes_nothing(engine: Make, years: int) -> None:
    shift = years * 31_556_952_000
    script = (
        f"(() => {{ const Real = Date; const by = {shift}; class Wrong extends Real {{ constructor(...given) {{"
        "if (given.length) super(...given); else super(Real.now() + by); } static now() { return Real.now() + by; } }"
        "globalThis.Date = Wrong; })()"
    )
    phone = engine(script=script)
    claimed = {"started_on_device_at", "ended_on_device_at"}
    report = phone.begin("plain", **{key: value for key, value in header().items() if key not in claimed})
    phone.answer(report, plain_answers())
    phone.submit(report)
    phone.in_step()
    shown = phone.reports()[report]
    assert shown["number"]
    assert "clock-doubtful" in shown["warnings"]
    last = dt.datetime.fromisoformat(phone.sync_state()["last_sync_at"])
    assert abs((dt.datetime.now(dt.UTC) - last).total_seconds()) < 120, "the time shown is the server's"


def test_the_pin_guards_the_store(engine: Make) -> None:
    phone = engine(script=QUICKLY)
    report = phone.begin("plain", **header())
    phone.run("phone.lockNow()")
    phone.until(lambda: phone.lock_state() == "locked")
    assert phone.reports() == {}
    assert phone.run("return phone.submit(given)", report)["refused"] == "locked"
    answers = [phone.run("return phone.unlock('000111')")["refused"] for _ in range(6)]
    assert answers == ["wrong-pin"] * 5 + ["pin-wait"]
    assert 0 < phone.run("return phone.lock.value.wait_seconds") <= 30
    assert phone.run("return phone.unlock(given)", PIN)["refused"] == "pin-wait", (
        "the right one has to wait too"
    )
    phone.again()
    assert phone.run("return phone.unlock(given)", PIN)["refused"] == "pin-wait", (
        "closing the app is no way round"
    )
    phone.until(lambda: phone.run("return phone.lock.value.wait_seconds") == 0, 50)
    phone.unlock()
    assert report in phone.reports()
    assert phone.run("return phone.changePin(given, '123456')", PIN)["refused"] == "weak-pin"
    assert phone.run("return phone.changePin(given, '805173')", PIN) is None
    phone.again()
    assert phone.run("return phone.unlock(given)", PIN)["refused"] == "wrong-pin"
    assert phone.run("return phone.unlock('805173')") is None
    assert report in phone.reports()


def test_signing_out_is_refused_while_work_waits(engine: Make) -> None:
    phone = engine()
    phone.context.set_offline(True)
    report = phone.begin("plain", **header())
    phone.photograph(report, "step_0", images.jpeg())
    told = phone.run("return phone.signOut()")
    assert told == {"done": False, "waiting": 2, "photos": 1, "attention": 0}
    stuck = json.loads(phone.run("return (await phone.exportStuckWork()).text()"))
    assert [one["type"] for one in stuck["mutations"]] == ["inspection.save", "attachment.create"]
    assert len(stuck["photos"][0]["bytes"]) > 100
    phone.context.set_offline(False)
    phone.kick()
    phone.in_step()
    assert phone.run("return phone.signOut()") == {"done": True}
    assert phone.lock_state() == "none"
    assert DATABASE not in phone.run("return (await indexedDB.databases()).map((one) => one.name)")


def test_an_app_that_is_too_old_keeps_its_work_and_says_so(engine: Make) -> None:
    phone = engine()

    def be_old(route: Route) -> None:
        route.continue_(headers={**route.request.headers, "app-version": "0.9.0"})

    phone.context.route("**/sync/**", be_old)
    report = phone.begin("plain", **header())
    phone.answer(report, plain_answers())
    phone.submit(report)
    phone.until(lambda: (phone.sync_state()["error"] or {}).get("code") == "upgrade")
    assert phone.reports()[report]["state"] == "waiting"
    phone.context.unroute("**/sync/**", be_old)
    phone.kick()
    phone.in_step()
    assert phone.reports()[report]["number"]


def test_the_same_field_from_two_phones_is_the_officers_to_decide(engine: Make) -> None:
    one = engine()
    report = one.begin("plain", **header(remarks="thứ nhất"))
    one.in_step()
    other = engine(officer=one.officer)
    other.until(lambda: report in other.reports())
    other.context.set_offline(True)
    other.run("phone.saveHeader(given, { remarks: 'của máy hai', place: 'Kho B' })", report)
    one.run("phone.saveHeader(given, { remarks: 'của máy một' })", report)
    one.in_step()
    other.context.set_offline(False)
    other.kick()
    other.until(lambda: other.reports()[report]["state"] == "attention")
    other.until(lambda: other.reports()[report]["header"]["remarks"] == "của máy một")
    (trouble,) = other.reports()[report]["troubles"]
    assert (trouble["kind"], trouble["code"], trouble["fields"]) == (
        "conflict",
        "field-conflict",
        ["remarks"],
    )
    assert (trouble["mine"]["remarks"], trouble["theirs"]["remarks"]) == ("của máy hai", "của máy một")
    other.run("return phone.decide(given, 'insist')", trouble["id"])
    other.in_step()
    assert other.reports()[report]["header"]["remarks"] == "của máy hai"
    one.kick()
    one.until(lambda: one.reports()[report]["header"].get("place") == "Kho B")
    assert one.reports()[report]["header"]["remarks"] == "của máy hai"
