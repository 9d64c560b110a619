"""Photos of seizures: kept while a report may come or names them, removed after 30 days otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.common.records import new_id
from apps.evidence.models import Attachment
from apps.inspections.actions import remove_orphaned_photos as remove_those_of_inspections
from apps.seizures import actions
from apps.seizures.actions import declare_photo, remove_orphaned_photos
from tests.cast import Cast, Member
from tests.seizing import Seizing, flash, sound

OLD = timedelta(days=31)


def declared(by: Member, report: UUID, number: int) -> str:
    photo = new_id()
    claims: Any = {"step_key": "", "sha256": f"{number:064x}", "size": 1000, "mime": "image/jpeg"}
    declare_photo(actor=by.actor(), report_id=report, photo_id=photo, **claims)
    return str(photo)


def grow_old(age: timedelta = OLD) -> None:
    Attachment.objects.update(created_at=timezone.now() - age)


def left() -> set[str]:
    return {str(pk) for pk in Attachment.objects.values_list("pk", flat=True)}


def test_a_photo_without_a_report_goes_after_30_days(seizing: Seizing, cast: Cast) -> None:
    photo = declared(cast.officer, new_id(), 1)
    grow_old(timedelta(days=29))
    assert remove_orphaned_photos() == 0
    grow_old()
    assert remove_those_of_inspections() == 0, "each app looks after its own"
    assert left() == {photo}
    assert remove_orphaned_photos() == 1
    assert left() == set()


def test_a_draft_keeps_the_photos_it_names_and_a_sent_report_keeps_all(seizing: Seizing, cast: Cast) -> None:
    draft, sent = new_id(), new_id()
    named, dropped = declared(cast.officer, draft, 1), declared(cast.officer, draft, 2)
    kept = declared(cast.officer, sent, 3)
    seizing.send(actions.save_seizure, {"photos": [named]}, report=draft)
    seizing.send(actions.submit_seizure, sound(), report=sent)
    grow_old()
    assert remove_orphaned_photos() == 1
    assert left() == {named, kept}
    assert dropped not in left()


def test_the_phone_is_told_what_the_server_holds_of_its_seizures(seizing: Seizing, cast: Cast) -> None:
    report = new_id()
    photo = declared(cast.officer, report, 1)
    badge = cast.team_mate.officer.badge_no
    seizing.send(actions.send_flash, flash(photos=[photo], participants=[badge]), report=report)
    for member in (cast.officer, cast.team_mate):
        (told,) = member.client().get("/mobile/v1/sync/status").json()["reports"]
        assert (told["kind"], told["id"], told["state"]) == ("seizure", str(report), "flash")
        assert told["number"].startswith("SZ-")
        assert set(told["photos"]) == {photo}
    assert cast.neighbour.client().get("/mobile/v1/sync/status").json()["reports"] == []
