"""How many statements the product's most used requests send to the database, frozen in `queries.json`.

A number that changes is a question: which statement came or went, and why? When the answer is good, write the new
numbers with `UPDATE_QUERIES=1 python3 manage.py test tests/architecture/test_queries.py` (docs/testing.md).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.checklists.actions import create_checklist, create_version
from apps.common.actor import SYSTEM
from apps.evidence.models import Attachment
from apps.inspections.actions import save_inspection, submit_inspection
from apps.inspections.models import InspectionReport
from apps.organisation.actions import create_unit
from apps.organisation.models import Level, UnitType
from apps.reporting.actions import recount
from tests import evidence_images as images
from tests.access.records import Records, make_records
from tests.cast import SINCE, Cast
from tests.evidence import declare, on_disk
from tests.reports import plain_content, plain_report
from tests.seed import publish
from tests.tus import Tus

FROZEN = Path(__file__).with_name("queries.json")
NOT_COUNTED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
PULL, PUSH = "/mobile/v1/sync/pull", "/mobile/v1/sync/push"


class Desk:
    """The cast with a checklist, an officer's phone and the leaders' browsers."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.version = publish(cast, "plain", "express", plain_content())
        self.phone: Any = cast.officer.client()
        self.leader: Any = cast.leader.console()
        self.reviewer: Any = cast.hq_reviewer.console()

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Send JSON from the phone."""
        answer = self.phone.post(path, json.dumps(content), content_type="application/json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def submit(self, count: int) -> list[UUID]:
        """Submit reports and count them."""
        made = [uuid4() for _ in range(count)]
        for pk in made:
            fields = plain_report(self.version)
            submit_inspection(actor=self.cast.officer.actor(), report_id=pk, base_rev=None, fields=fields)
        recount(actor=SYSTEM)
        return made

    def mutation(self) -> dict[str, Any]:
        """Give one new submission as a phone sends it."""
        fields = plain_report(self.version)
        sent = {"id": str(uuid4()), "type": "inspection.submit", "object": str(uuid4()), "base_rev": None}
        return {"mutations": [{**sent, "fields": fields}]}


def counted(request: Callable[[], Any]) -> int:
    """Count the statements of a request, without the marks of transactions."""
    with CaptureQueriesContext(connection) as captured:
        request()
    return sum(not query["sql"].startswith(NOT_COUNTED) for query in captured.captured_queries)


def read(client: Any, path: str) -> Callable[[], Any]:
    """Give a read of a page that must succeed; the first read has filled what is kept between requests."""

    def get() -> None:
        answer = client.get(path)
        assert answer.status_code == 200, answer.content

    get()
    return get


def idle_pull(desk: Desk) -> int:
    cursor = desk.post(PULL, {})["cursor"]
    return counted(lambda: desk.post(PULL, {"cursor": cursor}))


def pull_of_ten_changes(desk: Desk) -> int:
    cursor = desk.post(PULL, {})["cursor"]
    for _ in range(10):
        save_inspection(
            actor=desk.cast.officer.actor(),
            report_id=uuid4(),
            base_rev=None,
            fields=plain_report(desk.version),
        )
    return counted(
        lambda: len(desk.post(PULL, {"cursor": cursor})["changes"]) == 10 or pytest.fail("not ten")
    )


def push_of_one_new_report(desk: Desk) -> int:
    desk.post(PUSH, desk.mutation())
    fresh = desk.mutation()
    return counted(lambda: desk.post(PUSH, fresh))


def push_of_one_repeat(desk: Desk) -> int:
    sent = desk.mutation()
    desk.post(PUSH, sent)
    return counted(lambda: desk.post(PUSH, sent))


def photo(desk: Desk) -> tuple[Tus, Attachment, bytes]:
    """Declare a photo that nobody has."""
    data = images.noisy_jpeg(20_000) + uuid4().bytes
    return Tus(desk.cast.officer), declare(desk.cast.officer, data), data


def photo_with_its_creation(desk: Desk) -> int:
    tus, attachment, data = photo(desk)
    return counted(lambda: arrived(tus.post(len(data), attachment, data=data), data))


def photo_creation(desk: Desk) -> int:
    tus, attachment, _ = photo(desk)
    return counted(lambda: tus.opened(attachment))


def photo_in_one_patch(desk: Desk) -> int:
    tus, attachment, data = photo(desk)
    place = tus.opened(attachment)
    return counted(lambda: arrived(tus.patch(place, 0, data), data))


def arrived(answer: Any, data: bytes) -> None:
    assert answer["Upload-Offset"] == str(len(data))


def review_queue_of_20_reports(desk: Desk) -> int:
    desk.submit(20)
    return counted(read(desk.leader, "/console/review/"))


def report_page(desk: Desk) -> int:
    pk = desk.submit(3)[1]
    return counted(read(desk.leader, f"/console/review/{pk}/"))


def board_page(desk: Desk) -> int:
    desk.submit(3)
    return counted(read(desk.reviewer, "/console/"))


SCENARIOS = {
    make.__name__: make
    for make in (
        idle_pull,
        pull_of_ten_changes,
        push_of_one_new_report,
        push_of_one_repeat,
        photo_with_its_creation,
        photo_creation,
        photo_in_one_patch,
        review_queue_of_20_reports,
        report_page,
        board_page,
    )
}


@pytest.fixture
def desk(cast: Cast) -> Desk:
    return Desk(cast)


@pytest.fixture
def records(cast: Cast, settings: Any, tmp_path: Path) -> Records:
    """Made for one test alone: the others of this file make their own people."""
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path)}
    return make_records(cast)


def check(scenario: str, now: int) -> None:
    """Compare with the frozen number, or write it down when asked to."""
    frozen = json.loads(FROZEN.read_text())
    if os.environ.get("UPDATE_QUERIES"):
        FROZEN.write_text(json.dumps(dict(sorted((frozen | {scenario: now}).items())), indent=2) + "\n")
        return
    assert now == frozen.get(scenario), f"{scenario}: {now} statements, {frozen.get(scenario)} written down"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_statements_of_a_request(scenario: str, desk: Desk) -> None:
    check(scenario, SCENARIOS[scenario](desk))


def test_statements_of_attachment_metadata(records: Records) -> None:
    photo = records.photos["officer", "internal", "complete"]
    check(
        "attachment_metadata",
        counted(read(records.cast.officer.client(), f"/mobile/v1/attachments/{photo.pk}")),
    )


def test_the_file_names_no_scenario_that_is_gone() -> None:
    assert set(json.loads(FROZEN.read_text())) == {*SCENARIOS, "attachment_metadata"}


# ---- A list costs the same with 20 rows as with 3.


def more_reports(desk: Desk, count: int) -> None:
    desk.submit(count)


def more_checklists(desk: Desk, count: int) -> None:
    trainer = desk.cast.trainer.actor()
    for _ in range(count):
        code = f"list_{uuid4().hex[:8]}"
        checklist = create_checklist(actor=trainer, code=code, applies_to="express", title=("Thử", "Test"))
        create_version(actor=trainer, checklist=checklist, semver="1.0.0", content=plain_content())


def more_devices(desk: Desk, count: int) -> None:
    for _ in range(count):
        desk.cast.officer.another_phone()


def more_units(desk: Desk, count: int) -> None:
    for _ in range(count):
        create_unit(
            actor=SYSTEM,
            code=uuid4().hex[:8].upper(),
            level=Level.GATE,
            type=UnitType.AIRPORT,
            names=("Cửa khẩu", "Gate"),
            valid_from=SINCE,
            parent=desk.cast.region.pk,
        )


# page → whose browser or phone, its address, what makes it longer
LISTS: Mapping[str, tuple[Callable[[Desk], Any], str, Callable[[Desk, int], None]]] = {
    "review queue": (lambda desk: desk.leader, "/console/review/", more_reports),
    "checklists": (lambda desk: desk.cast.trainer.console(), "/console/checklists/", more_checklists),
    "devices": (lambda desk: desk.leader, "/console/devices/", more_devices),
    "board by unit": (lambda desk: desk.cast.region_leader.console(), "/console/", more_units),
    "board with reports": (lambda desk: desk.reviewer, "/console/", more_reports),
    "status of a phone": (lambda desk: desk.phone, "/mobile/v1/sync/status", more_reports),
}


@pytest.mark.parametrize("page", LISTS)
def test_a_list_costs_the_same_however_long_it_is(page: str, desk: Desk) -> None:
    who, path, more = LISTS[page]
    client = who(desk)
    more(desk, 3)
    few = counted(read(client, path))
    more(desk, 17)
    many = counted(read(client, path))
    assert many == few, f"{few} statements for 3 rows, {many} for 20"


def test_a_report_page_costs_the_same_with_every_photo(records: Records) -> None:
    """The page of a report shows its photos; each is one more picture, not one more statement."""
    browser = records.cast.leader.console()
    report = records.reports["officer", "internal", "complete"]
    with_two = counted(read(browser, f"/console/review/{report.pk}/"))  # one stored, one still expected
    with_one = counted(
        read(browser, f"/console/review/{records.reports['moved', 'internal', 'complete'].pk}/")
    )
    assert InspectionReport.objects.count() > 2
    assert with_one == with_two
