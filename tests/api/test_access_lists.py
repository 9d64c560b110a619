"""A list holds a record if and only if the record itself may be opened: for everyone, on every list there is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from apps.accounts.models import Device, Officer
from apps.audit.models import Event
from apps.checklists.models import ChecklistVersion
from apps.common.actor import SYSTEM, Actor
from apps.evidence.models import Attachment, Upload
from apps.inspections.models import InspectionReport
from apps.organisation.models import Unit
from apps.reporting.actions import recount
from apps.reporting.models import CountedDay, RollUp
from tests.access.matrix import load
from tests.access.records import Records
from tests.access.requests import Person
from tests.architecture.test_visibility import READ_BY_NOBODY, label, own_models

SIGNED_IN = [actor for actor in load().actors if actor not in {"anonymous", "suspended"}]


def get(client: Any, path: str) -> Any:
    """Read a page as if nobody had read it before."""
    with transaction.atomic():
        answer = client.get(path)
        if answer.streaming:
            list(answer.streaming_content)  # to its end, which closes the file
        transaction.set_rollback(True)
    return answer


def listed(client: Any, path: str, ids: Iterable[UUID]) -> set[UUID]:
    """Give the records whose ids stand on a page; none when the page is not there for this person."""
    answer = get(client, path)
    assert answer.status_code in {200, 404}
    return {pk for pk in ids if str(pk).encode() in answer.content} if answer.status_code == 200 else set()


def opened(client: Any, path: str, ids: Iterable[UUID]) -> set[UUID]:
    """Give the records that can be opened one by one."""
    return {pk for pk in ids if get(client, path.format(pk)).status_code == 200}


@pytest.mark.parametrize("actor", SIGNED_IN)
def test_lists_hold_what_can_be_opened(actor: str, records: Records) -> None:
    person = Person.of(records.cast, actor)
    check_rooms(person.browser, records)
    check_photos_of_reports(person.browser, records)
    if actor != "revoked":
        check_phone(person.phone, records, records.officer_id(actor))


def check_rooms(browser: Any, records: Records) -> None:
    """Queue, checklists and boards of the console."""
    reports = [report.pk for report in records.reports.values()]
    seen = listed(browser, "/console/review/?state=all", reports)
    assert seen == opened(browser, "/console/review/{}/", reports)
    waiting = listed(browser, "/console/review/", reports)
    assert waiting == {pk for pk in seen if records.report(pk).state == "complete"}
    seizures = [report.pk for report in records.seizures.values()]
    assert listed(browser, "/console/seizures/", seizures) == opened(
        browser, "/console/seizures/{}/", seizures
    )
    versions = [version.pk for version in records.versions.values()]
    assert listed(browser, "/console/checklists/", versions) == opened(
        browser, "/console/checklists/versions/{}/", versions
    )
    units = [unit.pk for unit in records.units()]
    boards = opened(browser, "/console/board/{}/", units)
    for board in boards:
        assert listed(browser, f"/console/board/{board}/", units) <= boards


def check_photos_of_reports(browser: Any, records: Records) -> None:
    """The pages of reports show exactly the photos that can be opened."""
    photos = [photo.pk for photo in records.photos.values() if photo.state == "stored"]
    shown: set[UUID] = set()
    for report in records.reports.values():
        shown |= listed(browser, f"/console/review/{report.pk}/", photos)
    assert shown == opened(browser, "/console/photos/{}/thumbnail", photos)
    assert shown == opened(browser, "/console/photos/{}/original", photos)


def check_phone(phone: Any, records: Records, officer: UUID) -> None:
    """Pull tells of one's own photos that can be opened, status of nothing else."""
    answer = phone.post("/mobile/v1/sync/pull", json.dumps({}), content_type="application/json")
    told = {UUID(c["id"]) for c in answer.json()["changes"] if c["k"] == "attachment"}
    # No action puts a record into a compartment yet, so the feed cannot have taken it back from the phone.
    photos = {p.pk: p for key, p in records.photos.items() if key[1] != "compartment"}
    may = opened(phone, "/mobile/v1/attachments/{}", photos)
    own = {pk for pk in may if photos[pk].officer_id == officer}
    assert told & set(photos) == own
    status = phone.get("/mobile/v1/sync/status").content
    hidden = {photo.owner_id for photo in records.photos.values() if photo.pk not in own}
    assert not [pk for pk in hidden if str(pk).encode() in status]


def test_an_actor_without_posts_sees_no_row(records: Records) -> None:
    """Whoever is nobody in particular: no rule may match by a comparison with NULL."""
    nobody, seen = Actor(officer_id=None), {}
    for model in own_models():
        if label(model) not in READ_BY_NOBODY:
            seen[label(model)] = model._default_manager.visible_to(nobody).count()  # type: ignore[attr-defined]
    assert not any(seen.values()), seen
    full = [InspectionReport, Attachment, Upload, ChecklistVersion, Officer, Device, Unit, Event]
    assert all(model._default_manager.exists() for model in full)


# Who reads the figures of which gates; everyone else of the cast reads none.
FIGURES = {
    "leader": {"NBA"},
    "region_leader": {"NBA"},
    "other_leader": {"TSN"},
    "hq_reviewer": {"NBA", "TSN"},
    "hq_analyst": {"NBA", "TSN"},
    "hq_statistics": {"NBA", "TSN"},
}


def test_figures_are_read_within_reach(records: Records) -> None:
    recount(actor=SYSTEM)
    for name in (actor for actor in load().actors if actor != "anonymous"):
        actor = getattr(records.cast, name).actor()
        for model in (RollUp, CountedDay):
            rows = model.objects.visible_to(actor).values_list("unit__code", flat=True)
            assert set(rows) == FIGURES.get(name, set()), (name, model)
