"""Receipts of seizures: one for each version, for every officer whose photos they are, and for photos taken out."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

import pytest

from apps.audit.models import Event
from apps.changes.models import Entry
from apps.changes.rules import post_stream
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.evidence.models import Attachment, Receipt
from apps.evidence.queries import receipts_of
from apps.seizures import actions
from apps.seizures.models import ReportVersion, SeizureReport
from apps.seizures.queries import content_of
from apps.sync.comparison import compare_records
from tests.court import Case, Court, work_off
from tests.phone import Phone
from tests.seizing import flash
from tests.sync.test_receipts import receipted
from tests.tampering import verify
from tests.work import check_feed

pytestmark = pytest.mark.django_db


def bodies(case: Case) -> list[dict[str, Any]]:
    return [json.loads(bytes(receipt.body)) for receipt in case.receipts]


def ids(photos: list[dict[str, Any]]) -> list[str]:
    return [photo["id"] for photo in photos]


def test_each_version_has_a_receipt_that_says_what_it_said(court: Court) -> None:
    case = court.seizure()
    actions.amend_seizure(
        actor=court.work.cast.leader.actor(), report_id=case.report_id, fields={"remarks": "x"}, reason="Sót"
    )
    work_off()
    case.phone.pull()
    said = bodies(case)
    assert [body["version"] for body in said] == [1, 2, 3]
    for body, version in zip(said, ReportVersion.objects.filter(report=case.report_id), strict=True):
        assert (body["record_kind"], body["number"]) == ("seizure", case.number)
        assert body["content_sha256"] == hashlib.sha256(content_of(version)).hexdigest()
        event = Event.objects.get(pk=body["event"]["id"])
        assert event.data["content_sha256"] == body["content_sha256"]
        assert ids(body["photos"]) == sorted(version.body["fields"]["photos"])
    assert [photo["sha256"] for photo in said[1]["photos"]] == [photo.sha256 for photo in case.photos]
    assert receipted(case.phone) == 2
    assert verify() == (0, [])
    assert verify("--report", case.number) == (0, [])
    assert [d for found in compare_records(kinds=["receipt"]) for d in found] == []
    check_feed()


def test_a_version_waits_for_its_photos_and_is_signed_also_when_others_followed(court: Court) -> None:
    phone = court.phone()
    report = court.flash(phone)
    phone.push()
    phone.pull()
    phone.write("seizure.preliminary", report, {"summary": "Đang cân"})
    assert [result["status"] for result in phone.push()] == ["applied"]
    work_off()
    assert ReportVersion.objects.filter(report=UUID(report)).count() == 2
    assert not Receipt.objects.exists()
    court.settle(phone)
    assert sorted(Receipt.objects.values_list("version", flat=True)) == [1, 2]
    assert receipted(phone) == 1
    assert actions.issue_receipts(actor=SYSTEM, report_ids=[UUID(report)]) == 0


@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_there_is_no_receipt_for_a_file_that_is_not_what_was_declared(court: Court, harm: str) -> None:
    phone = court.phone()
    report = court.flash(phone)
    phone.sync()
    path = court.root / Attachment.objects.get(owner_id=report).original
    path.chmod(0o644)
    path.unlink() if harm == "gone" else path.write_bytes(b"other")
    work_off("evidence.derive")
    phone.pull()
    assert not Receipt.objects.exists()
    assert receipted(phone) == 0


def test_a_photo_that_was_never_declared_holds_the_receipt_back(court: Court) -> None:
    phone = court.phone()
    court.flash(phone, photos=["0192f0b0-1111-7222-8333-444455556666"])
    court.settle(phone)
    assert ReportVersion.objects.exists()
    assert not Receipt.objects.exists()


def without_first(court: Court, phone: Phone) -> tuple[str, str]:
    """Store a photo with a draft and send a flash that names another; gives the report and the first photo."""
    court.seizing()
    report = str(new_id())
    first = court.photo(phone, report)
    phone.write("seizure.save", report, {"photos": [first]})
    court.settle(phone)
    phone.write("seizure.flash", report, flash(photos=[court.photo(phone, report)]))
    return report, first


def test_a_photo_that_was_taken_out_is_receipted_by_the_version_without_it(court: Court) -> None:
    phone = court.phone()
    report, first = without_first(court, phone)
    court.settle(phone)
    last = json.loads(bytes(Receipt.objects.get(owner_id=report).body))
    assert ids(last["unnamed"]) == [first]
    assert first not in ids(last["photos"])
    assert receipted(phone) == 2
    assert verify() == (0, [])


def test_damage_to_a_photo_that_was_taken_out_keeps_it_on_the_phone_and_holds_up_nothing(
    court: Court,
) -> None:
    phone = court.phone()
    report, first = without_first(court, phone)
    path = court.root / Attachment.objects.get(pk=first).original
    path.chmod(0o644)
    path.write_bytes(b"other")
    court.settle(phone)
    last = json.loads(bytes(Receipt.objects.get(owner_id=report).body))
    assert last["unnamed"] == []
    assert receipted(phone) == 1


def test_the_receipt_goes_to_all_whose_photos_it_is_about_and_to_nobody_else(court: Court) -> None:
    cast = court.work.cast
    author, other = court.phone(), court.near.phone(cast.team_mate)
    stranger = court.near.phone(cast.neighbour)
    report = court.flash(author, participants=[cast.team_mate.officer.badge_no])
    court.settle(author)
    for phone in (other, stranger):
        phone.sync()
    (first,) = other.rows("seizure")[report]["fields"]["photos"]
    other.write(
        "seizure.preliminary", report, {"summary": "x", "photos": [first, court.photo(other, report)]}
    )
    court.settle(other)
    for phone in (author, stranger):
        phone.sync()
    assert (receipted(author), receipted(other), receipted(stranger)) == (1, 1, 0)
    newest = Receipt.objects.get(owner_id=report, version=2)
    streams = set(Entry.objects.filter(kind="receipt", oid=newest.pk).values_list("stream_id", flat=True))
    assert streams == {post_stream(cast.officer.posting.pk), post_stream(cast.team_mate.posting.pk)}
    assert {phone: len(phone.rows("receipt")) for phone in (author, other, stranger)} == {
        author: 2,
        other: 1,
        stranger: 0,
    }
    seen = SeizureReport.objects.visible_to(cast.team_mate.actor()).get(pk=report)
    assert receipts_of(seen)[0] == newest
    assert not Receipt.objects.visible_to(cast.neighbour.actor()).exists()
    assert [d for found in compare_records(kinds=["receipt"]) for d in found] == []
    check_feed()
