"""Receipts: signed when all bytes are durable, pulled by the phone, believed only when the signature fits."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.actions.server_keys import revoke_server_key, rotate_server_key
from apps.audit.keys import is_signed_by, server_key
from apps.audit.models import Event, Head
from apps.changes.models import Change, Entry
from apps.common.actor import SYSTEM
from apps.evidence.models import Attachment, Capture, Receipt
from apps.inspections import actions
from apps.inspections.models import InspectionReport, ReportVersion
from apps.sync.comparison import compare_records
from tests import phone_receipts
from tests.court import Court, work_off
from tests.phone import Phone

pytestmark = pytest.mark.django_db


def receipted(phone: Phone) -> int:
    (count,) = phone.store.execute("SELECT count(*) FROM photo WHERE receipt IS NOT NULL").fetchone()
    return int(count)


def test_a_receipt_says_what_was_stored_under_a_signature(court: Court) -> None:
    case = court.case()
    receipt = case.receipt
    assert is_signed_by(server_key().public, bytes(receipt.signature), bytes(receipt.body))
    said = json.loads(bytes(receipt.body))
    event = Event.objects.get(pk=receipt.event_id)
    version = ReportVersion.objects.get(report=case.report)
    assert event.action == "inspection.completed"
    assert said["event"] == {"id": str(event.pk), "leaf_hash": bytes(event.leaf_hash).hex()}
    assert (said["record_id"], said["version"], said["number"]) == (
        str(case.report_id),
        1,
        case.report.number,
    )
    assert said["content_sha256"] == hashlib.sha256(bytes(version.content)).hexdigest()
    manifests = {
        c.attachment_id: hashlib.sha256(bytes(c.manifest)).hexdigest() for c in Capture.objects.all()
    }
    assert said["photos"] == [
        {
            "id": str(photo.pk),
            "sha256": hashlib.sha256(case.original(photo).read_bytes()).hexdigest(),
            "size": case.original(photo).stat().st_size,
            "signed": "signed",
            "manifest_sha256": manifests[photo.pk],
        }
        for photo in case.photos
    ]
    assert said["head"]["root"] in {bytes(head.root).hex() for head in Head.objects.all()}
    assert receipted(case.phone) == 2
    assert [d for found in compare_records(kinds=["receipt"]) for d in found] == []


def test_there_is_no_receipt_while_a_photo_is_on_its_way(court: Court) -> None:
    phone = court.phone()
    report = court.report(phone)
    phone.push()
    work_off()
    assert InspectionReport.objects.get(pk=report).state == "media_pending"
    assert not Receipt.objects.exists()
    phone.sync()
    work_off()
    assert Receipt.objects.filter(owner_id=report).count() == 1


@pytest.mark.parametrize("harm", ["gone", "damaged", "short"])
def test_there_is_no_receipt_for_bytes_that_are_not_there(court: Court, harm: str) -> None:
    phone = court.phone()
    report = court.report(phone)
    phone.sync()
    path = court.root / Attachment.objects.filter(owner_id=report)[0].original
    path.chmod(0o644)
    if harm == "gone":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data[:-1] if harm == "short" else bytes([data[0] ^ 1]) + data[1:])
    work_off("evidence.derive")
    phone.pull()
    assert not Receipt.objects.exists()
    assert receipted(phone) == 0


def test_a_backlog_is_signed_together_and_one_bad_file_holds_up_no_other(court: Court) -> None:
    phone = court.phone()
    reports = [court.report(phone) for _ in range(4)]
    phone.sync()
    work_off("evidence.derive", "inspections.issue_receipts")
    photo = Attachment.objects.filter(owner_id=reports[1])[0]
    path = court.root / photo.original
    path.chmod(0o644)
    path.write_bytes(b"other")
    assert actions.issue_receipts(actor=SYSTEM, report_ids=map(UUID, reports)) == 3
    signed = set(Receipt.objects.values_list("owner_id", flat=True))
    assert {str(pk) for pk in signed} == {reports[i] for i in (0, 2, 3)}
    call_command("verify_evidence", "--report", reports[0], "--json")


def test_the_work_done_twice_signs_once(court: Court) -> None:
    case = court.case()
    assert actions.issue_receipts(actor=SYSTEM, report_ids=[case.report_id]) == 0
    assert Change.objects.filter(kind="receipt.issued").count() == 1


def test_each_version_that_is_complete_has_its_receipt(court: Court) -> None:
    case = court.case()
    leader = court.work.cast.leader.actor()
    actions.return_for_correction(actor=leader, report_id=case.report_id, notes=[], note="Bổ sung")
    work_off()
    case.phone.pull()
    case.phone.submit({"remarks": "Đã bổ sung"}, str(case.report_id))
    case.phone.sync()
    work_off()
    versions = (
        Receipt.objects.filter(owner_id=case.report_id).order_by("version").values_list("version", flat=True)
    )
    assert list(versions) == [1, 2]


def forged(court: Court, change: dict[str, Any]) -> int:
    """Let a phone pull a receipt that was changed on the way; gives how many of its photos it takes for receipted."""
    phone = court.phone()
    report = court.report(phone)
    phone.sync()
    work_off()
    entry = Entry.objects.get(kind="receipt", oid=Receipt.objects.get(owner_id=report).pk)
    body = {**json.loads(entry.body), **change}
    Entry.objects.filter(pk=entry.pk).update(body=json.dumps(body))
    phone.pull()
    return receipted(phone)


def test_a_phone_believes_no_receipt_without_a_fitting_signature(court: Court) -> None:
    other = court.case().receipt
    assert forged(court, {"signature": base64.b64encode(bytes(64)).decode()}) == 0
    assert forged(court, {"key_id": "0" * 16}) == 0
    assert forged(court, {"receipt": base64.b64encode(b'{"photos": []}').decode()}) == 0
    swapped = {
        "receipt": base64.b64encode(bytes(other.body)).decode(),
        "signature": base64.b64encode(bytes(other.signature)).decode(),
    }
    assert forged(court, swapped) == 0, "a sound receipt for somebody else's photos"


def test_a_phone_follows_a_key_that_the_pinned_one_announced_and_no_other(court: Court) -> None:
    phone = court.phone()
    pinned = server_key().id
    rotate_server_key(actor=SYSTEM)
    case = court.case(phone)
    assert case.receipt.key_id != pinned
    assert receipted(phone) == 2
    rotate_server_key(actor=SYSTEM)
    revoke_server_key(actor=SYSTEM, key_id=case.receipt.key_id, since=timezone.now(), reason="lộ khóa")
    phone.pull()
    assert set(phone_receipts.trusted(phone.store)) == {pinned, server_key().id}


def test_an_unannounced_key_convinces_no_phone() -> None:
    store = sqlite3.connect(":memory:")
    store.execute("CREATE TABLE meta(key, value)")
    store.execute("CREATE TABLE base(kind, body)")
    assert phone_receipts.trusted(store) == {}
