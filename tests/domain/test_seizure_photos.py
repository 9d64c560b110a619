"""Photos of seizures: kept while a report may come or names them, removed after 30 days otherwise."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from apps.common.errors import InvalidFields
from apps.common.records import new_id
from apps.evidence.actions import derive_thumbnail, store_original
from apps.evidence.models import Attachment
from apps.inspections.actions import remove_orphaned_photos as remove_those_of_inspections
from apps.inspections.errors import PhotosMissing
from apps.seizures import actions
from apps.seizures.actions import declare_photo, remove_orphaned_photos
from apps.seizures.errors import DuplicatesOpen
from apps.seizures.models import SeizureReport
from tests import evidence_images as images
from tests.cast import Cast, Member
from tests.seizing import Seizing, flash, line, sound

OLD = timedelta(days=31)


def declared(by: Member, report: UUID, number: int, purpose: str = "") -> str:
    photo = new_id()
    claims: Any = {"purpose": purpose, "sha256": f"{number:064x}", "size": 1000, "mime": "image/jpeg"}
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


PICTURE = images.noisy_jpeg(3000)


def taken(by: Member, report: UUID, purpose: str) -> Attachment:
    """Declare the picture from the member's phone; its bytes are here."""
    assert by.phone.tokens.access_token
    return declare_photo(
        actor=by.actor(),
        report_id=report,
        photo_id=new_id(),
        purpose=purpose,
        sha256=hashlib.sha256(PICTURE).hexdigest(),
        size=len(PICTURE),
        mime="image/jpeg",
    )


VERIFIABLE: dict[str, Any] = {"watch_linked": "no", "handover_plan": "PC04", "no_scale_photo_reason": ""}


def lacks(seizing: Seizing, cast: Cast, **changed: Any) -> set[str]:
    """Submit a report and try to verify it; gives the codes of what is missing."""
    report = seizing.submitted(**{**VERIFIABLE, **changed})
    try:
        seizing.decide(report, "verify_unit", cast.leader)
    except InvalidFields as refusal:
        return {problem.code for problem in refusal.errors}
    except DuplicatesOpen:  # asked for when nothing is missing; these reports are all alike
        return set()
    return set()


def test_what_was_weighed_is_verified_with_a_photo_of_the_scale_or_the_reason(
    seizing: Seizing, cast: Cast
) -> None:
    assert lacks(seizing, cast) == {"scale-photo-or-reason"}
    assert lacks(seizing, cast, lines={"1": line(measure_basis="scale_gross")}) == {"scale-photo-or-reason"}
    assert lacks(seizing, cast, lines={"1": line(measure_basis="estimated")}) == set()
    assert (
        lacks(seizing, cast, lines={"1": line(measure_basis="estimated"), "2": line(removed="Nhầm")}) == set()
    )
    assert lacks(seizing, cast, no_scale_photo_reason="Cân bàn của kho, không chụp kịp") == set()


def test_the_photo_must_be_one_that_the_report_names(seizing: Seizing, cast: Cast) -> None:
    report = new_id()
    overview = declared(cast.officer, report, 1, "overview")
    loose = declared(cast.officer, report, 2, "scale")
    fields = sound(**VERIFIABLE, photos=[overview])
    sent = seizing.send(actions.submit_seizure, fields, report=report).report
    with pytest.raises(InvalidFields) as refused:
        seizing.decide(sent, "verify_unit", cast.leader)
    (problem,) = refused.value.errors
    assert (problem.pointer, problem.code) == ("/fields/no_scale_photo_reason", "scale-photo-or-reason")
    assert loose not in sent.fields["photos"]


def test_verified_once_the_photo_of_the_scale_is_stored(seizing: Seizing, cast: Cast) -> None:
    report = new_id()
    photo = taken(cast.officer, report, "scale")
    fields = sound(**VERIFIABLE, photos=[str(photo.pk)])
    sent = seizing.send(actions.submit_seizure, fields, report=report).report
    with pytest.raises(PhotosMissing):
        seizing.decide(sent, "verify_unit", cast.leader)
    store_original(actor=cast.officer.actor(), attachment_id=photo.pk, data=PICTURE)
    assert seizing.decide(sent, "verify_unit", cast.leader).stage == "unit_verified"


@pytest.mark.parametrize("photos", [[], [str(new_id())]])
def test_a_correction_does_not_take_the_photo_of_the_scale_away(
    seizing: Seizing, cast: Cast, photos: list[str]
) -> None:
    """Not by naming no photo, nor by naming one that nobody has taken."""
    report = new_id()
    photo = taken(cast.officer, report, "scale")
    store_original(actor=cast.officer.actor(), attachment_id=photo.pk, data=PICTURE)
    fields = sound(**VERIFIABLE, photos=[str(photo.pk)])
    seizing.send(actions.submit_seizure, fields, report=report)
    seizing.decide(SeizureReport.objects.get(), "verify_unit", cast.leader)
    with pytest.raises(InvalidFields) as refused:
        actions.amend_seizure(
            actor=cast.leader.actor(), report_id=report, fields={"photos": photos}, reason="Sửa"
        )
    assert {fault.code for fault in refused.value.errors} == {"scale-photo-or-reason"}
    said = {"photos": photos, "no_scale_photo_reason": "Ảnh chụp nhầm gói"}
    done = actions.amend_seizure(actor=cast.leader.actor(), report_id=report, fields=said, reason="Sửa")
    assert done.fields["photos"] == photos


def test_a_photo_that_is_still_to_be_declared_is_waited_for(seizing: Seizing, cast: Cast) -> None:
    sent = seizing.submitted(**VERIFIABLE, photos=[str(new_id())])
    with pytest.raises(PhotosMissing):
        seizing.decide(sent, "verify_unit", cast.leader)


def asked(client: Client, *paths: str) -> list[int]:
    """Ask for files, and take what is given; gives the statuses."""
    answers = [client.get(path) for path in paths]
    assert all(answer.getvalue() for answer in answers)
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("purpose", ["document", "person"])
def test_who_somebody_is_shows_for_a_stated_purpose_alone(seizing: Seizing, cast: Cast, purpose: str) -> None:
    report = new_id()
    photo = taken(cast.officer, report, purpose)
    store_original(actor=cast.officer.actor(), attachment_id=photo.pk, data=PICTURE)
    derive_thumbnail(attachment_id=photo.pk)
    seizing.send(actions.submit_seizure, sound(photos=[str(photo.pk)]), report=report)
    at = [f"/console/photos/{photo.pk}/{what}" for what in ("thumbnail", "original")]
    through_api = [f"/mobile/v1/attachments/{photo.pk}/{what}" for what in ("thumbnail", "original")]

    leader, page = cast.leader.console(), f"/console/seizures/{report}/"
    assert asked(leader, *at) == [403, 403]
    refused = cast.leader.client().get(through_api[1])
    assert (refused.status_code, refused.json()["code"]) == (403, "purpose-needed")
    shown = leader.get(page).content.decode()
    assert "Chỉ xem ở mục danh tính" in shown
    assert str(photo.pk) not in shown
    assert asked(cast.officer.client(), *through_api) == [200, 200], "who took it"

    persons = leader.post(f"{page}persons/", {"purpose": "Đối chiếu hộ chiếu"}).content.decode()
    assert at[0] in persons
    assert asked(leader, *at) == [200, 200]
    assert "Chỉ xem ở mục danh tính" in leader.get(page).content.decode(), "the page itself stays as it is"
    assert asked(cast.hq_analyst.console(), at[0]) == [403], "everybody says so for themselves"
    assert asked(cast.region_leader.console(), at[0]) == [403]

    later = timezone.now() + timedelta(minutes=16)
    with mock.patch("django.utils.timezone.now", return_value=later):
        assert asked(cast.leader.console(), at[1]) == [403]


def test_a_unit_that_took_part_is_told_where_the_photos_are(seizing: Seizing, cast: Cast) -> None:
    report = new_id()
    photo = declared(cast.officer, report, 1, "overview")
    roles = [{"unit": "NBA", "role": "lead"}, {"unit": "TSN", "role": "support"}]
    seizing.send(actions.submit_seizure, sound(photos=[photo], participations=roles), report=report)
    here, there = (
        desk.console().get(f"/console/seizures/{report}/").content.decode()
        for desk in (cast.leader, cast.other_leader)
    )
    assert "Chờ tải lên" in here
    assert "Đơn vị lập báo cáo giữ" in there
    assert "Chưa khai báo" not in there
