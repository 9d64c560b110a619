"""Case 55 of docs/sync.md: a photo whose report never comes, and a report some of whose photos do not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from apps.audit.models import Event
from apps.changes.models import Change, Entry
from apps.common.errors import ExistsDifferent
from apps.evidence import actions
from apps.evidence.models import Attachment, Upload
from apps.evidence.storage import depot, original_name
from apps.inspections.actions import discard_inspection, remove_orphaned_photos, settle_media
from apps.inspections.models import InspectionReport
from tests import evidence_images as images
from tests.cast import Cast
from tests.evidence import declare
from tests.tus import storages_for
from tests.work import Work, check_feed

storage = pytest.fixture(params=["disk", "s3"])(storages_for)


def stored(cast: Cast, data: bytes = b"", **fields: Any) -> Attachment:
    """Declare a photo and store it."""
    content = data or images.jpeg() + uuid4().bytes
    photo = declare(cast.officer, content, **fields)
    return actions.store_original(actor=cast.officer.actor(), attachment_id=photo.pk, data=content)


def grow_old(days: float = 31) -> None:
    """Let time pass for every photo."""
    Attachment.objects.update(created_at=timezone.now() - timedelta(days=days))


def is_there(photo: Attachment) -> bool:
    """Tell whether the bytes of a photo can still be read."""
    try:
        depot().open(original_name(photo.sha256)).close()
    except FileNotFoundError:
        return False
    return True


@pytest.mark.django_db(transaction=True)
def test_case_55_a_photo_without_a_report_goes_after_30_days(storage: str) -> None:
    """Expected: kept for 30 days; then row, upload, bytes and thumbnail go, audited, and its phone gets a `del`."""
    cast = Cast()
    data = images.jpeg() + b"one"
    photo = stored(cast, data)
    actions.derive_thumbnail(attachment_id=photo.pk)
    photo.refresh_from_db()
    grow_old(29.9)
    assert remove_orphaned_photos() == 0
    grow_old()
    assert remove_orphaned_photos() == 1
    assert not Attachment.objects.exists()
    assert not Upload.objects.exists()
    assert not is_there(photo)
    with pytest.raises(FileNotFoundError):
        depot().open(photo.thumbnail)
    assert Entry.objects.get(kind="attachment", oid=photo.pk).op == "del"
    event = Event.objects.get(action="attachment.removed", oid=photo.pk)
    assert (event.data["sha256"], event.actor_id) == (photo.sha256, None)
    assert Change.objects.filter(kind="attachment.removed", oid=photo.pk).count() == 1
    assert remove_orphaned_photos() == 0
    again = stored(cast, data, id=photo.pk, owner_id=photo.owner_id)
    assert again.state == "stored"
    with pytest.raises(ExistsDifferent):
        declare(cast.officer, b"another", id=photo.pk)


@pytest.mark.django_db(transaction=True)
def test_case_55_an_unfinished_upload_goes_with_its_photo(storage: str) -> None:
    """Expected: a photo that was declared and half sent leaves nothing under way."""
    cast = Cast()
    data = images.noisy_jpeg(5_000)
    photo = declare(cast.officer, data)
    upload = actions.open_upload(actor=cast.officer.actor(), attachment_id=photo.pk, length=len(data))
    actions.append_chunk(
        actor=cast.officer.actor(), upload_id=upload.pk, offset=0, size=500, pieces=[data[:500]]
    )
    grow_old()
    assert remove_orphaned_photos() == 1
    assert not list(depot().uploads())


@pytest.mark.django_db(transaction=True)
def test_case_55_the_same_bytes_of_another_photo_stay(storage: str) -> None:
    """Expected: the content address lives as long as anyone's photo has it, also one that is only declared."""
    cast = Cast()
    data = images.jpeg() + b"twice"
    first = stored(cast, data)
    second = declare(cast.officer, data)
    Attachment.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert remove_orphaned_photos() == 1
    assert is_there(second)
    Attachment.objects.filter(pk=second.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert remove_orphaned_photos() == 1
    assert not is_there(second)


@pytest.mark.django_db(transaction=True)
def test_case_55_bytes_that_become_wanted_while_they_go_stay(storage: str) -> None:
    """Expected: a photo with the same bytes that is declared at that very moment finds them where they were."""
    cast = Cast()
    photo = stored(cast)
    asked: list[bool] = []

    def is_wanted() -> bool:
        asked.append(is_there(photo))
        return True

    assert depot().remove(photo.original, is_wanted=is_wanted) is False
    assert (asked, is_there(photo)) == ([False], True)


def test_case_55_what_a_draft_holds_stays(cast: Cast, work: Work, tmp_path: Path) -> None:
    """Expected: a draft's photos live as long as it names them; discarded, or taken out of it, they go."""
    report = uuid4()
    named, loose = stored(cast, owner_id=report), stored(cast, owner_id=report)
    work.save(work.fields(photos={"step_3": [str(named.pk)]}), report=report)
    grow_old()
    assert remove_orphaned_photos() == 1
    assert [photo.pk for photo in Attachment.objects.all()] == [named.pk] != [loose.pk]
    discard_inspection(actor=cast.officer.actor(), report_id=report, base_rev=None)
    assert remove_orphaned_photos() == 1
    assert not Attachment.objects.exists()
    check_feed()


def test_case_55_evidence_of_a_submitted_report_is_never_removed(cast: Cast, work: Work) -> None:
    """Expected: neither named photos nor others of a report that was ever submitted go, however old."""
    report = uuid4()
    named, loose = stored(cast, owner_id=report), stored(cast, owner_id=report)
    work.submit(work.fields(photos={"step_3": [str(named.pk)]}), report=report)
    late = declare(cast.officer, b"late", owner_id=report)
    grow_old(4000)
    assert remove_orphaned_photos() == 0
    assert {named.pk, loose.pk, late.pk} == set(Attachment.objects.values_list("pk", flat=True))
    with pytest.raises(ValueError, match="never removed"):
        actions.remove_attachment(actor=cast.officer.actor(), attachment=Attachment.objects.get(pk=named.pk))


def test_case_55_a_report_without_a_photo_says_how_many_have_come(cast: Cast, work: Work) -> None:
    """Expected: `media_pending`; the reviewer sees "2/3 photos" and may not approve; complete with the third."""
    report = uuid4()
    data = images.jpeg() + b"third"
    photos = [stored(cast, owner_id=report) for _ in range(2)]
    photos.append(declare(cast.officer, data, owner_id=report))
    work.submit(work.fields(photos={"step_3": [str(p.pk) for p in photos]}), report=report)
    assert state_of(report) == "media_pending"
    page = cast.leader.console().get(f"/console/review/{report}/").content.decode()
    assert "2/3 ảnh" in page
    assert "chưa duyệt được" in page
    actions.store_original(actor=cast.officer.actor(), attachment_id=photos[-1].pk, data=data)
    settle_media(actor=cast.officer.actor(), report_id=report)
    assert state_of(report) == "complete"
    assert "3/3 ảnh" in cast.leader.console().get(f"/console/review/{report}/").content.decode()


def state_of(report: UUID) -> str:
    return str(InspectionReport.objects.values_list("state", flat=True).get(pk=report))
