"""The phone's engine in a real Chromium against the real server: what is typed arrives once, on any network."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests import evidence_images as images
from tests.field.engine_page import Cuts, EnginePage
from tests.reports import header, plain_answers
from tests.stack import Stack

pytestmark = [pytest.mark.live, pytest.mark.browser]

Profile = Callable[..., BrowserContext]
Running = tuple[Stack, dict[str, Any]]


def rows(stack: Stack, query: str, *given: object) -> list[tuple[Any, ...]]:
    """Ask the server's own database."""
    with contextlib.closing(sqlite3.connect(stack.data / "haidang.sqlite3", timeout=20)) as connection:
        return connection.execute(query, given).fetchall()


def report_of(stack: Stack, report: str) -> dict[str, Any]:
    """Give a report as the server has it."""
    found = rows(
        stack,
        "SELECT state, answers, photos, remarks, outcome, version FROM inspections_inspectionreport WHERE id = ?",
        report.replace("-", ""),
    )
    assert len(found) == 1
    state, answers, photos, remarks, outcome, version = found[0]
    return {
        "state": state,
        "answers": json.loads(answers),
        "photos": json.loads(photos),
        "remarks": remarks,
        "outcome": outcome,
        "version": version,
    }


@pytest.fixture
def phone(engine_stack: Running, profile: Profile) -> EnginePage:
    """An enrolled phone in step with its server."""
    stack, told = engine_stack
    page = EnginePage(profile(), stack.url)
    page.enrol(told["codes"][0])
    page.in_step()
    return page


def filled(phone: EnginePage) -> str:
    """Fill a report on the plain checklist, one answer at a time."""
    report = phone.begin("plain", **header())
    phone.answer(report, plain_answers())
    return report


def test_a_report_with_photos_arrives_as_typed(phone: EnginePage, engine_stack: Running) -> None:
    stack, _ = engine_stack
    assert phone.sync_state()["first"]["done"]
    report = filled(phone)
    photo = phone.photograph(report, "step_0", images.jpeg(3000, 2000))
    phone.submit(report)
    phone.in_step()
    there = report_of(stack, report)
    assert there["answers"] == plain_answers()
    assert there["photos"] == {"step_0": [photo]}
    mine = phone.photos()[photo]
    assert (mine["width"], mine["height"]) == (2560, 1707), "scaled by policy"
    ((sha256, state, size),) = rows(stack, "SELECT sha256, state, size FROM evidence_attachment")
    assert (sha256, state, size) == (mine["sha256"], "stored", mine["size"])
    assert mine["state"] == "stored"
    phone.until(lambda: phone.reports()[report]["state"] == "complete")
    shown = phone.reports()[report]
    assert (shown["photos_stored"], shown["photos_total"]) == (1, 1)
    assert shown["number"]
    assert not phone.faults


def test_the_answer_to_a_push_is_lost_twice(phone: EnginePage, engine_stack: Running) -> None:
    stack, _ = engine_stack
    cuts = Cuts(phone.context, "**/sync/push", "POST", times=2)
    report = filled(phone)
    phone.submit(report)
    phone.until(lambda: phone.sync_state()["error"])
    assert phone.sync_state()["error"]["code"] == "offline"
    assert phone.reports()[report]["state"] == "waiting"
    phone.until(lambda: not cuts.left)
    phone.kick()
    phone.in_step()
    assert report_of(stack, report)["answers"] == plain_answers()
    assert rows(stack, "SELECT version FROM inspections_reportversion") == [(1,)]
    statuses = rows(stack, "SELECT status, count(*) FROM sync_mutation GROUP BY status")
    assert statuses == [("applied", 1)]


def test_a_photo_is_cut_twice_and_goes_on_at_the_byte(phone: EnginePage, engine_stack: Running) -> None:
    stack, _ = engine_stack
    cuts = Cuts(phone.context, "**/uploads/*", "PATCH", times=2)
    sent: list[int] = []
    phone.page.on(
        "request",
        lambda request: (
            sent.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None
        ),
    )
    report = filled(phone)
    photo = phone.photograph(report, "step_0", images.noisy_jpeg(900_000))
    phone.submit(report)
    for _ in range(2):
        phone.until(lambda: phone.sync_state()["error"])
        phone.kick()
    phone.until(lambda: not cuts.left)
    phone.kick()
    phone.in_step()
    mine = phone.photos()[photo]
    ((sha256, state),) = rows(stack, "SELECT sha256, state FROM evidence_attachment")
    assert (sha256, state) == (mine["sha256"], "stored")
    assert sent == sorted(set(sent)), "no byte was sent twice"
    assert rows(stack, "SELECT count(*) FROM evidence_upload") == [(1,)]


def test_a_tab_that_is_killed_loses_nothing_and_the_photo_survives(
    phone: EnginePage, engine_stack: Running
) -> None:
    phone.context.set_offline(True)
    report = phone.begin("plain", **header())
    phone.answer(report, dict(list(plain_answers().items())[:5]))
    phone.run("return phone.flush()")
    photo = phone.photograph(report, "step_1", images.jpeg(640, 480))
    phone.context.set_offline(False)  # for the page itself, whose worker is not part of this test
    phone.again()
    assert phone.lock_state() == "locked"
    assert phone.reports() == {}
    phone.context.set_offline(True)
    phone.unlock()
    there = phone.reports()[report]
    assert there["state"] == "draft"
    assert list(there["answers"]) == list(plain_answers())[:5]
    assert there["photos"] == {"step_1": [photo]}
    assert phone.run("return (await phone.picture(given)).size", photo) == phone.photos()[photo]["size"]
    phone.answer(report, plain_answers())
    phone.submit(report)
    phone.context.set_offline(False)
    phone.kick()
    phone.in_step()
    stack, _ = engine_stack
    assert report_of(stack, report)["answers"] == plain_answers()


def test_the_server_restarts_in_the_middle(phone: EnginePage, engine_stack: Running) -> None:
    stack, _ = engine_stack
    stack.kill("web")
    report = filled(phone)
    phone.photograph(report, "step_0", images.noisy_jpeg(600_000))
    phone.submit(report)
    phone.until(lambda: phone.sync_state()["error"])
    stack.start_web()
    phone.kick()
    phone.in_step()
    phone.until(lambda: report_of(stack, report)["state"] == "complete")


def test_a_restored_server_gets_back_what_it_lost(phone: EnginePage, engine_stack: Running) -> None:
    stack, _ = engine_stack
    stack.stop()
    backup = stack.data.with_name("backup")
    shutil.copytree(stack.data, backup)
    stack.start_web()
    stack.start_worker()
    phone.kick()
    report = filled(phone)
    photo = phone.photograph(report, "step_0", images.noisy_jpeg(300_000))
    phone.submit(report)
    phone.in_step()
    stack.stop()
    shutil.rmtree(stack.data)
    shutil.copytree(backup, stack.data)
    stack.manage("sync_new_epoch")
    stack.start_web()
    stack.start_worker()
    phone.kick()
    phone.until(lambda: rows(stack, "SELECT count(*) FROM inspections_inspectionreport") == [(1,)])
    phone.in_step()
    there = report_of(stack, report)
    assert (there["answers"], there["photos"]) == (plain_answers(), {"step_0": [photo]})
    assert rows(stack, "SELECT state FROM evidence_attachment") == [("stored",)]
    phone.until(lambda: phone.reports()[report]["state"] == "complete")


def test_returned_corrected_offline_and_sent_again(phone: EnginePage, engine_stack: Running) -> None:
    stack, _ = engine_stack
    report = filled(phone)
    phone.submit(report)
    phone.in_step()
    give_back(stack, report)
    phone.until(lambda: phone.reports()[report]["state"] == "returned")
    shown = phone.reports()[report]
    assert [(note["step_key"], note["text"]) for note in shown["notes"]] == [("step_3", "Ghi rõ hơn.")]
    assert shown["is_editable"]
    phone.context.set_offline(True)
    phone.answer(report, {"step_3": {"value": "Đã ghi rõ"}})
    phone.submit(report)
    assert phone.reports()[report]["state"] == "waiting"
    phone.context.set_offline(False)
    phone.kick()
    phone.in_step()
    there = report_of(stack, report)
    assert (there["version"], there["answers"]["step_3"]) == (2, {"value": "Đã ghi rõ"})
    phone.until(lambda: phone.reports()[report]["state"] == "complete")


def give_back(stack: Stack, report: str) -> None:
    """Return the report with a note at a question, as a leader does."""
    stack.manage(
        "shell",
        "-c",
        "from apps.inspections.actions import return_for_correction as back\n"
        "from apps.accounts.queries import actor_for\n"
        "from apps.accounts.models import Officer\n"
        "leader = Officer.objects.get(username='leader')\n"
        f"back(actor=actor_for(leader), report_id='{report}', notes=[{{'step_key': 'step_3', 'text': 'Ghi rõ hơn.'}}])",
    )


def test_the_photo_kept_is_the_photo_sent(phone: EnginePage, engine_stack: Running) -> None:
    """The hash that was signed is the hash of the bytes on the phone and on the server."""
    report = filled(phone)
    photo = phone.photograph(report, "step_0", images.jpeg(800, 600))
    digest = phone.run(
        "const bytes = await (await phone.picture(given)).arrayBuffer();"
        "return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))",
        photo,
    )
    assert bytes(digest).hex() == phone.photos()[photo]["sha256"]
    phone.submit(report)
    phone.in_step()
    stack, _ = engine_stack
    ((path,),) = rows(stack, "SELECT original FROM evidence_attachment")
    stored = (stack.data / "evidence" / path).read_bytes()
    assert hashlib.sha256(stored).hexdigest() == phone.photos()[photo]["sha256"]
