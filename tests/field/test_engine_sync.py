"""The phone's engine in a real Chromium against the real server: what is typed arrives once, on any network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route

from tests import evidence_images as images
from tests.field.conftest import Stage
from tests.field.engine_page import Cuts, EnginePage
from tests.reports import header, plain_answers

pytestmark = [pytest.mark.live, pytest.mark.browser]

Make = Callable[..., EnginePage]


def report_of(stage: Stage, report: str) -> dict[str, Any]:
    """Give a report as the server has it."""
    found = stage.rows(
        "SELECT state, answers, photos, remarks, outcome, version FROM inspections_inspectionreport WHERE id = ?",
        bare(report),
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


def bare(identity: str) -> str:
    """Give an id as SQLite holds it."""
    return identity.replace("-", "")


def stored_as(stage: Stage, photo: str) -> tuple[Any, ...]:
    """Give hash, state, size and place of a photo as the server has it."""
    ((sha256, state, size, original),) = stage.rows(
        "SELECT sha256, state, size, original FROM evidence_attachment WHERE id = ?", bare(photo)
    )
    return sha256, state, size, original


@pytest.fixture
def phone(engine: Make) -> EnginePage:
    """An enrolled phone in step with its server."""
    return engine()


def filled(phone: EnginePage) -> str:
    """Fill a report on the plain checklist, one answer at a time."""
    report = phone.begin("plain", **header())
    phone.answer(report, plain_answers())
    return report


def test_a_report_with_photos_arrives_as_typed(phone: EnginePage, stage: Stage) -> None:
    assert phone.sync_state()["first"]["done"]
    report = filled(phone)
    photo = phone.photograph(report, "step_0", images.jpeg(3000, 2000))
    phone.submit(report)
    phone.in_step()
    there = report_of(stage, report)
    assert there["answers"] == plain_answers()
    assert there["photos"] == {"step_0": [photo]}
    mine = phone.photos()[photo]
    assert (mine["width"], mine["height"]) == (2560, 1707), "scaled by policy"
    assert stored_as(stage, photo)[:3] == (mine["sha256"], "stored", mine["size"])
    assert mine["state"] == "stored"
    phone.until(lambda: phone.reports()[report]["state"] == "complete")
    shown = phone.reports()[report]
    assert (shown["photos_stored"], shown["photos_total"]) == (1, 1)
    assert shown["number"]
    phone.until(lambda: phone.photos()[photo]["has_receipt"])
    assert not phone.faults


def test_the_answer_to_a_push_is_lost_twice(phone: EnginePage, stage: Stage) -> None:
    cuts = Cuts(phone.context, "**/sync/push", "POST", times=2)
    report = filled(phone)
    phone.submit(report)
    phone.until(lambda: phone.sync_state()["error"])
    assert phone.sync_state()["error"]["code"] == "offline"
    assert phone.reports()[report]["state"] == "waiting"
    phone.until(lambda: not cuts.left)
    phone.kick()
    phone.in_step()
    assert report_of(stage, report)["answers"] == plain_answers()
    versions = "SELECT version FROM inspections_reportversion WHERE report_id = ?"
    assert stage.rows(versions, bare(report)) == [(1,)]
    assert stage.backstage("mutations", officer=phone.officer) == {"applied": 1}


def test_a_photo_is_cut_twice_and_goes_on_at_the_byte(phone: EnginePage, stage: Stage) -> None:
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
    assert stored_as(stage, photo)[:2] == (mine["sha256"], "stored")
    assert sent == sorted(set(sent)), "no byte was sent twice"
    uploads = "SELECT count(*) FROM evidence_upload WHERE attachment_id = ?"
    assert stage.rows(uploads, bare(photo)) == [(1,)]


def test_a_photo_of_one_request_whose_answer_is_lost_is_not_sent_again(
    phone: EnginePage, stage: Stage
) -> None:
    cuts = Cuts(phone.context, "**/uploads", "POST", times=1)
    sent: list[tuple[str, int]] = []
    phone.page.on(
        "request",
        lambda request: (
            sent.append((request.method, len(request.post_data_buffer or b"")))
            if "/uploads" in request.url
            else None
        ),
    )
    report = filled(phone)
    picture = images.noisy_jpeg(100_000)
    photo = phone.photograph(report, "step_0", picture)
    phone.submit(report)
    phone.until(lambda: not cuts.left)
    phone.kick()
    phone.in_step()
    mine = phone.photos()[photo]
    assert stored_as(stage, photo)[:2] == (mine["sha256"], "stored")
    assert sent[0] == ("POST", mine["size"])
    assert not any(size for _, size in sent[1:]), (
        "the next pull, or the server when asked, says that it has it"
    )


def test_a_tab_that_is_killed_loses_nothing_and_the_photo_survives(phone: EnginePage, stage: Stage) -> None:
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
    assert report_of(stage, report)["answers"] == plain_answers()


def test_the_server_restarts_in_the_middle(phone: EnginePage, stage: Stage) -> None:
    stage.stack.kill("web")
    report = filled(phone)
    photo = phone.photograph(report, "step_0", images.noisy_jpeg(600_000))
    phone.submit(report)
    phone.until(lambda: phone.sync_state()["error"])
    stage.stack.start_web()
    phone.kick()
    phone.in_step()
    phone.until(lambda: stage.state(report) == "complete")
    there = report_of(stage, report)
    assert (there["answers"], there["photos"]) == (plain_answers(), {"step_0": [photo]})


def test_returned_corrected_offline_and_sent_again(phone: EnginePage, stage: Stage) -> None:
    report = filled(phone)
    phone.submit(report)
    phone.in_step()
    stage.backstage("give_back", report=report, step="step_3", note="Ghi rõ hơn.")
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
    there = report_of(stage, report)
    assert (there["version"], there["answers"]["step_3"]) == (2, {"value": "Đã ghi rõ"})
    phone.until(lambda: phone.reports()[report]["state"] == "complete")


def test_a_list_comes_in_parts_and_what_came_whole_of_a_cut_answer_is_kept(
    engine: Make, stage: Stage
) -> None:
    assert stage.backstage("build_snapshot", stream="list:places")
    asked: list[list[str]] = []

    def cut(route: Route) -> None:
        names = route.request.url.partition("names=")[2].split(",")
        asked.append(names)
        if len(asked) > 1:
            route.continue_()
            return
        answer = route.fetch().body()
        # The browser cannot be made to break off in the middle: what is missing at the end is not a part either.
        route.fulfill(status=200, body=answer[: len(answer) // 2], content_type="application/gzip")

    phone = engine(before=lambda context: context.route("**/snapshots/**/parts?*", cut))
    places = phone.run("return (await phone.reference('places')).map((one) => one.key)")
    assert sorted(places) == [f"K{number:05d}" for number in range(300)]
    first, again, *_ = asked
    assert 0 < len(set(first) - set(again)) < len(first)
    assert len({name for names in asked for name in names}) == 32
    assert sum(len(names) for names in asked) < 32 + len(first)


def test_the_photo_kept_is_the_photo_sent(phone: EnginePage, stage: Stage) -> None:
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
    stored = (stage.stack.data / "evidence" / stored_as(stage, photo)[3]).read_bytes()
    assert hashlib.sha256(stored).hexdigest() == phone.photos()[photo]["sha256"]
