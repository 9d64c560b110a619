"""Tampering: whatever is flipped, deleted, inserted, reordered or cut, `verify_evidence` finds it and says where.

Each place is tried inside a savepoint of one sound case, with the triggers taken away as only a database's owner can.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from apps.accounts.actions import report_device_lost
from apps.accounts.actions.server_keys import revoke_server_key, rotate_server_key
from apps.accounts.models import Device
from apps.audit.actions import export_head, log, sign_head
from apps.audit.models import Event, Head, KeyStatement, Leaf, Pending, Tile
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.evidence.models import Attachment, Capture, Receipt
from apps.inspections.actions import return_for_correction
from apps.inspections.models import InspectionReport, ReportVersion, ReviewNote
from apps.seizures import models as seizures
from apps.seizures.actions import amend_seizure
from tests.court import Case, Court
from tests.holding import Holding
from tests.tampering import LEDGER, RECORDS, Row, codes, flips, is_taken, rewrite, swap, undone, verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(court: Court) -> Case:
    """A sound case among others, returned and corrected once, in a ledger with inner hashes and several heads."""
    court.case()
    found = court.case()
    leader = court.work.cast.leader.actor()
    note = [{"step_key": "step_3", "text": "Ghi rõ hơn"}]
    return_for_correction(actor=leader, report_id=found.report_id, notes=note)
    for _ in range(300):
        log(SYSTEM, "thing.done", "thing", new_id())
    sign_head()
    log(SYSTEM, "thing.done", "thing", new_id())
    sign_head()
    assert verify() == (0, [])
    assert verify("--report", str(found.report.number)) == (0, [])
    return found


@pytest.fixture
def find(court: Court, case: Case) -> Case:
    """A sound seizure beside the case: two photos, lines, persons, a correction, an exhibit that was sealed."""
    found = court.seizure()
    holding = Holding(court.work.cast, court.seizing())
    holding.sealed(holding.recorded(found.seizure))
    leader = court.work.cast.leader.actor()
    amend_seizure(actor=leader, report_id=found.report_id, fields={"remarks": "Ghi thêm"}, reason="Sót")
    court.settle(found.phone)
    sign_head()
    assert verify() == (0, [])
    return found


def assert_found(name: str, *places: str) -> None:
    found = verify()[1]
    assert found, f"{name}: not found"
    told = " ".join(f"{finding['place']} {finding['detail']}" for finding in found)
    assert not places or any(place in told for place in places), f"{name}: {places} not named in {told}"


def test_each_stored_field_of_reports_their_photos_and_receipts(case: Case, find: Case) -> None:
    report, photo = case.report, case.photos[0]
    seizure, newest = find.seizure, seizures.ReportVersion.objects.filter(report=find.report_id)[2]
    taken = find.photos[0]
    capture = Capture.objects.get(pk=photo.pk)
    version = ReportVersion.objects.get(report=report)
    rows: list[tuple[Row, tuple[str, ...]]] = [
        (report, (str(report.number), str(report.pk))),
        (photo, (str(photo.pk),)),
        (case.photos[1], (str(case.photos[1].pk),)),
        (capture, (str(photo.pk),)),
        (version, (str(report.pk),)),
        (ReviewNote.objects.get(report=report), (str(report.number),)),
        (case.receipt, (str(case.receipt.pk),)),
        (Device.objects.get(pk=str(photo.device_id)), (str(photo.device_id),)),
        (seizure, (str(seizure.number), str(seizure.pk))),
        (newest, (str(seizure.number),)),
        (seizures.SeizureLine.objects.get(report=seizure), (str(seizure.number),)),
        (find.receipts[2], (str(find.receipts[2].pk),)),
        (Capture.objects.get(pk=taken.pk), (str(taken.pk),)),
    ]
    assert {type(row) for row, _ in rows} == set(RECORDS)
    tried, refused = 0, set()
    for row, places in rows:
        for name, column, values in flips(row):
            with undone():
                if is_taken(row, column, *values):
                    assert_found(name, *places)
                    tried += 1
                else:
                    refused.add(name)
    assert tried > 160
    assert refused == set()


def test_the_report_itself_says_which_field_was_changed(case: Case) -> None:
    with undone():
        rewrite(case.report, state="complete", outcome="finding", remarks="khác")
        found = {f["place"]: f["detail"] for f in verify("--report", str(case.report_id))[1]}
        assert found == {f"inspection {case.report.number}": "outcome, remarks"}


def test_each_field_of_events_leaves_inner_hashes_heads_and_keys(case: Case) -> None:
    events = [
        Event.objects.filter(oid=case.photos[0].pk).order_by("id")[0],
        Event.objects.filter(oid=case.report_id).latest("id"),
        Event.objects.get(oid=case.receipt.pk),
    ]
    heads = list(Head.objects.order_by("id"))
    rows: list[Row] = [
        *events,
        Leaf.objects.get(event_id=events[0].pk),
        Tile.objects.get(),
        heads[0],
        heads[1],
        heads[-1],
        KeyStatement.objects.get(),
    ]
    assert {type(row) for row in rows} == set(LEDGER)
    tried, refused = 0, set()
    for row in rows:
        for name, column, values in flips(row):
            with undone():
                if is_taken(row, column, *values):
                    assert_found(name)
                    tried += 1
                else:
                    refused.add(name)
    assert tried > 50
    assert refused == set()


def test_a_key_of_which_nothing_can_be_read_is_named(case: Case) -> None:
    for said in (
        b"",
        b"[]",
        b"{}",
        b'{"public_key": "abc"}',
        b'{"public_key": 7}',
        b'{"public_key": "YWJj"}',
    ):
        with undone():
            assert is_taken(KeyStatement.objects.get(), "body", said)
            assert {"key-statement", "head-signature", "receipt-signature"} <= codes(), said


def gone(row: Row) -> Callable[[], object]:
    return lambda: type(row)._base_manager.filter(pk=row.pk).delete()


def test_what_is_deleted(case: Case, find: Case) -> None:
    report, photo = case.report, case.photos[0]
    heads = list(Head.objects.order_by("id"))
    first, last = Leaf.objects.order_by("leaf_index")[0], Leaf.objects.latest("leaf_index")
    deeds: dict[str, tuple[Callable[[], object], str]] = {
        "an event": (gone(Event.objects.filter(oid=photo.pk)[0]), "event-missing"),
        "the newest event": (gone(Event.objects.latest("id")), "event-missing"),
        "an event with its leaf": (
            lambda: [gone(Event.objects.get(pk=first.event_id))(), gone(first)()],
            "leaf-missing",
        ),
        "the last leaf": (gone(last), "event-unnumbered"),
        "an inner hash": (gone(Tile.objects.get()), "tile-missing"),
        "the first head": (gone(heads[0]), "head-missing"),
        "a head": (gone(heads[1]), "head-missing"),
        "a key": (gone(KeyStatement.objects.get()), "key-statement"),
        "a capture": (gone(Capture.objects.get(pk=photo.pk)), "capture-missing"),
        "a version": (gone(ReportVersion.objects.get(report=report)), "version-missing"),
        "a receipt": (gone(case.receipt), "receipt-missing"),
        "a note": (gone(ReviewNote.objects.get(report=report)), "record-differs"),
        "a photo": (lambda: _without(photo), "attachment-missing"),
        "the report": (lambda: _without_report(report), "record-missing"),
        "a receipt of a seizure": (gone(find.receipts[0]), "receipt-missing"),
        "a photo of a seizure": (lambda: _without(find.photos[0]), "attachment-missing"),
        "a version of a seizure": (
            gone(seizures.ReportVersion.objects.filter(report=find.report_id)[1]),
            "version-missing",
        ),
        "a line of a seizure": (gone(seizures.SeizureLine.objects.get()), "record-differs"),
    }
    for name, (deed, code) in deeds.items():
        with undone():
            deed()
            assert code in codes(), name


def _without(photo: Attachment) -> None:
    photo.uploads.all().delete()
    Capture.objects.filter(pk=photo.pk).delete()
    Attachment.objects.filter(pk=photo.pk).delete()


def _without_report(report: InspectionReport) -> None:
    ReviewNote.objects.filter(report=report).delete()
    ReportVersion.objects.filter(report=report).delete()
    InspectionReport.objects.filter(pk=report.pk).delete()


def copied(row: Row, **changed: Any) -> Row:
    """Insert a copy of a row with other values."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    made = type(row)(**{**values, **changed})
    made.save(force_insert=True)
    return made


def test_what_is_inserted(case: Case, find: Case) -> None:
    last = Leaf.objects.latest("leaf_index")
    head = Head.objects.latest("id")

    def event() -> None:
        made = copied(Event.objects.latest("id"), id=new_id())
        Pending.objects.filter(event_id=made.pk).delete()

    deeds: dict[str, tuple[Callable[[], object], str]] = {
        "an event beside the ledger": (event, "event-unnumbered"),
        "an event whose bytes are another's": (
            lambda: copied(Event.objects.latest("id"), id=new_id()),
            "event-columns",
        ),
        "a leaf": (lambda: copied(last, leaf_index=last.leaf_index + 1, event_id=new_id()), "event-missing"),
        "a leaf further on": (
            lambda: copied(last, leaf_index=last.leaf_index + 5, event_id=new_id()),
            "leaf-missing",
        ),
        "an inner hash": (lambda: Tile.objects.create(level=1, index=9, hash=bytes(32)), "tile-differs"),
        "a head once more": (lambda: copied(head, id=head.pk + 1), "head-missing"),
        "a capture": (lambda: copied(Capture.objects.all()[0], attachment_id=new_id()), "attachment-missing"),
        "a receipt": (lambda: copied(case.receipt, id=new_id(), version=9), "event-missing"),
        "a version": (
            lambda: copied(ReportVersion.objects.get(report=case.report), id=10**6, version=2),
            "event-missing",
        ),
        "a photo": (lambda: copied(case.photos[0], id=new_id()), "event-missing"),
        "a receipt of a seizure": (lambda: copied(find.receipts[0], id=new_id(), version=9), "event-missing"),
        "a version of a seizure": (
            lambda: copied(
                seizures.ReportVersion.objects.filter(report=find.report_id)[0], id=10**6, version=9
            ),
            "event-missing",
        ),
        "a photo of a seizure": (lambda: copied(find.photos[0], id=new_id()), "event-missing"),
        "a line of a seizure": (
            lambda: copied(seizures.SeizureLine.objects.get(), id=10**6, mark="9"),
            "record-differs",
        ),
        "a key of one's own": (
            lambda: copied(KeyStatement.objects.get(), id=new_id(), key_id="f" * 16),
            "key-statement",
        ),
    }
    for name, (deed, code) in deeds.items():
        with undone():
            deed()
            assert code in codes(), name


def test_what_is_reordered_or_swapped(case: Case, find: Case, court: Court) -> None:
    leaves = list(Leaf.objects.order_by("leaf_index")[:2])
    heads = list(Head.objects.order_by("id")[:2])
    receipts = list(Receipt.objects.order_by("pk")[:2])
    others = Attachment.objects.filter(owner_kind="inspection").exclude(owner_id=case.report_id)
    photos = list(others.order_by("pk")) + case.photos
    seized, versions = find.photos, list(seizures.ReportVersion.objects.filter(report=find.report_id))
    mine, theirs = photos[-1], photos[0]
    captures = [Capture.objects.get(pk=photo.pk) for photo in (mine, theirs)]
    second = court.seizure(court.phone())
    one, two = find.photos[0], second.photos[0]
    assert verify() == (0, []), "two sound seizures"
    pair = [Capture.objects.get(pk=photo.pk) for photo in (one, two)]
    signed = ("body", "signature", "at", "key_id")

    def everything(photos: tuple[Row, Row], captures: list[Capture]) -> None:
        swap(*photos, "sha256", "size", "original")
        said = ("manifest", "signature", "signature_der", "device_seq", "device_id", "verdict")
        swap(captures[0], captures[1], "sha256", "size", *said)

    def owners(photos: tuple[Row, Row], captures: list[Capture]) -> None:
        swap(*photos, "owner_id")
        swap(captures[0], captures[1], "owner_id")

    def named() -> None:
        for of, gone, come in ((find, one, two), (second, two, one)):
            report = of.seizure
            photos = [str(come.pk) if pk == str(gone.pk) else pk for pk in report.fields["photos"]]
            rewrite(report, fields={**report.fields, "photos": photos})
        owners((one, two), pair)

    deeds: dict[str, tuple[Callable[[], object], str]] = {
        "the hashes of two leaves": (lambda: swap(leaves[0], leaves[1], "leaf_hash"), "leaf-differs"),
        "two heads": (lambda: swap(heads[0], heads[1], "origin", "size", "root", *signed), "head-order"),
        "two receipts": (lambda: swap(receipts[0], receipts[1], *signed, "event_id"), "receipt-differs"),
        "photos of two sound reports": (
            lambda: swap(mine, theirs, "sha256", "size", "original"),
            "attachment-differs",
        ),
        "photos with all that was signed of them": (
            lambda: everything((mine, theirs), captures),
            "capture-differs",
        ),
        "the owners of two photos": (lambda: owners((mine, theirs), captures), "capture-differs"),
        "two receipts of one seizure": (
            lambda: swap(find.receipts[0], find.receipts[1], *signed, "event_id"),
            "receipt-differs",
        ),
        "receipts of a seizure and an inspection": (
            lambda: swap(find.receipts[0], receipts[0], *signed, "event_id"),
            "receipt-differs",
        ),
        "two photos of one seizure": (
            lambda: swap(seized[0], seized[1], "sha256", "size", "original"),
            "attachment-differs",
        ),
        "photos of a seizure and an inspection": (
            lambda: swap(mine, seized[0], "sha256", "size", "original"),
            "attachment-differs",
        ),
        "photos of two sound seizures": (
            lambda: swap(one, two, "sha256", "size", "original"),
            "attachment-differs",
        ),
        "photos of two sound seizures with all that was signed of them": (
            lambda: everything((one, two), pair),
            "capture-differs",
        ),
        "the owners of photos of two sound seizures": (lambda: owners((one, two), pair), "capture-differs"),
        "photos of two sound seizures, and what their reports name": (named, "record-differs"),
        "receipts of two sound seizures": (
            lambda: swap(find.receipts[-1], second.receipts[-1], *signed, "event_id"),
            "receipt-differs",
        ),
        "versions of two sound seizures": (
            lambda: swap(
                versions[0], seizures.ReportVersion.objects.filter(report=second.report_id)[0], "body"
            ),
            "version-differs",
        ),
        "two versions of a seizure": (
            lambda: swap(versions[0], versions[1], "body"),
            "version-differs",
        ),
    }
    for name, (deed, code) in deeds.items():
        with undone():
            deed()
            assert code in codes(), name


def test_files(case: Case, find: Case, court: Court) -> None:
    one, two = case.original(case.photos[0]), find.original(find.photos[0])
    three = (second := court.seizure(court.phone())).original(second.photos[0])
    bytes_of = {path: path.read_bytes() for path in (one, two, three)}
    strange = one.with_name("0" * 64)
    deeds: dict[str, tuple[Callable[[], object], str]] = {
        "a bit": (lambda: one.write_bytes(_flipped(bytes_of[one])), "original-bytes"),
        "cut short": (lambda: one.write_bytes(bytes_of[one][:-1]), "original-bytes"),
        "longer": (lambda: one.write_bytes(bytes_of[one] + b"x"), "original-bytes"),
        "emptied": (lambda: one.write_bytes(b""), "original-bytes"),
        "swapped": (
            lambda: [one.write_bytes(bytes_of[two]), two.write_bytes(bytes_of[one])],
            "original-bytes",
        ),
        "swapped between two sound seizures": (
            lambda: [two.write_bytes(bytes_of[three]), three.write_bytes(bytes_of[two])],
            "original-bytes",
        ),
        "gone": (one.unlink, "original-missing"),
        "one too many": (lambda: strange.write_bytes(b"x"), "file-unknown"),
    }
    for path in bytes_of:
        path.chmod(0o644)
    for name, (deed, code) in deeds.items():
        deed()
        assert code in codes(), name
        if code != "file-unknown":
            assert code in codes("--report", case.number) | codes("--report", find.number), name
        strange.unlink(missing_ok=True)
        for path, data in bytes_of.items():
            path.write_bytes(data)
    assert verify() == (0, [])


def _flipped(data: bytes) -> bytes:
    return data[:100] + bytes([data[100] ^ 1]) + data[101:]


class TestWitness:
    def test_an_old_database_that_was_put_back(self, case: Case, tmp_path: Path) -> None:
        with undone():
            for _ in range(3):
                log(SYSTEM, "thing.done", "thing", new_id())
            sign_head()
            export_head(tmp_path / "witness")
            assert codes("--heads", str(tmp_path / "witness")) == set()
        assert verify() == (0, []), "by itself it looks sound"
        assert codes("--heads", str(tmp_path / "witness")) == {"witness-ahead"}

    def test_a_ledger_that_was_written_anew(self, case: Case, tmp_path: Path) -> None:
        with undone():
            log(SYSTEM, "thing.done", "thing", new_id(), {"story": "true"})
            sign_head()
            export_head(tmp_path / "witness")
        log(SYSTEM, "thing.done", "thing", new_id(), {"story": "another"})
        sign_head()
        assert verify() == (0, []), "by itself it looks sound"
        assert codes("--heads", str(tmp_path / "witness")) == {"witness-root"}
        assert codes("--since", "10", "--heads", str(tmp_path / "witness")) == {"witness-root"}

    def test_the_newest_head_deleted_with_all_behind_it(self, case: Case, tmp_path: Path) -> None:
        export_head(tmp_path / "witness")
        last = Head.objects.latest("id")
        with undone():
            gone(last)()
            Leaf.objects.filter(leaf_index=last.size - 1).delete()
            Event.objects.latest("id").delete()
            assert codes("--heads", str(tmp_path / "witness")) == {"witness-ahead"}

    @pytest.mark.parametrize("harm", ["signature", "head", "rubbish"])
    def test_a_copy_that_is_not_ours(self, case: Case, tmp_path: Path, harm: str) -> None:
        path = export_head(tmp_path / "witness")
        assert path is not None
        told = json.loads(path.read_text())
        path.chmod(0o644)
        if harm == "rubbish":
            path.write_text("[1, 2")
        else:
            path.write_text(json.dumps({**told, harm: told[harm][:10] + "AAAA" + told[harm][14:]}))
        assert codes("--heads", str(path.parent)) == {"witness-signature"}

    def test_a_witness_that_cannot_be_read(self, case: Case, tmp_path: Path) -> None:
        assert verify("--heads", str(tmp_path / "nowhere"))[0] == 2


class TestKeysAndDevices:
    def test_a_later_upload_of_a_device_that_was_shut_out(self, case: Case, find: Case) -> None:
        report_device_lost(actor=SYSTEM, device=Device.objects.get(pk=str(find.photos[0].device_id)))
        device = Device.objects.get(pk=str(case.photos[0].device_id))
        report_device_lost(actor=SYSTEM, device=device)
        sign_head()
        assert verify() == (0, []), "what came before stays sound"
        for photo in (case.photos[0], find.photos[0]):
            capture = Capture.objects.get(pk=photo.pk)
            late = capture.received_at + timedelta(days=1)
            with undone():
                made = copied(photo, id=new_id())
                copied(capture, attachment_id=made.pk, received_at=late, device_seq=99)
                declared = Event.objects.get(oid=photo.pk, action="attachment.declared")
                data = {**declared.data, "received_at": late.isoformat(), "device_seq": 99}
                log(SYSTEM, "attachment.declared", "attachment", UUID(str(made.pk)), data)
                assert "device-revoked" in codes()

    def test_what_a_revoked_key_signed_later(self, case: Case) -> None:
        old = case.receipt.key_id
        rotate_server_key(actor=SYSTEM)
        sign_head()
        assert verify() == (0, [])
        with undone():
            revoke_server_key(
                actor=SYSTEM, key_id=old, since=case.receipt.at - timedelta(days=9), reason="lộ"
            )
            assert "key-revoked" in codes()
        late = Head.objects.latest("id").at + timedelta(days=1)
        revoke_server_key(actor=SYSTEM, key_id=old, since=late, reason="lộ khóa")
        sign_head()
        assert verify() == (0, []), "what it signed before stays sound"

    def test_two_manifests_under_one_number(self, case: Case) -> None:
        one, two = (Capture.objects.get(pk=photo.pk) for photo in case.photos)
        with undone():
            rewrite(two, device_seq=one.device_seq)
            assert "sequence-reused" in codes()

    def test_a_gap_is_told_and_is_no_mismatch(self, case: Case, court: Court) -> None:
        phone = court.phone()
        phone.put("manifest_seq", "6")
        court.case(phone)
        out = StringIO()
        call_command("verify_evidence", stdout=out)
        assert f"device {phone.get('device_id')}: numbers 1 to 6 have not come" in out.getvalue()
        assert "sound." in out.getvalue()


def test_a_gap_of_the_ledger_is_one_finding_however_wide(case: Case) -> None:
    last = Leaf.objects.latest("leaf_index")
    for wide in (7, 2**62):
        with undone():
            Leaf.objects.filter(pk=last.pk).update(leaf_index=last.leaf_index + wide)
            found = [f for f in verify()[1] if f["code"] == "leaf-missing"]
            assert [f["place"] for f in found] == [
                f"numbers {last.leaf_index} to {last.leaf_index + wide - 1}"
            ]


def test_a_range_is_checked_by_itself(case: Case) -> None:
    size = Leaf.objects.count()
    assert verify("--since", str(size - 20)) == (0, [])
    with undone():
        rewrite(Event.objects.get(pk=Leaf.objects.get(leaf_index=5).event_id), note="x")
        assert codes("--since", str(size - 20)) == set()
        assert codes("--since", "0") == {"event-columns"}


def test_a_check_that_breaks_hides_nothing_of_what_others_found(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_bench: object, _id: UUID | None = None) -> None:
        raise KeyError("rev")

    monkeypatch.setattr("backend.management.commands.verify_evidence.check_custody", broken)
    errors = StringIO()
    with undone():
        rewrite(case.report, remarks="Khác")
        with pytest.raises(SystemExit) as end:
            call_command("verify_evidence", stdout=StringIO(), stderr=errors)
    assert end.value.code == 2
    assert str(case.report.number) in errors.getvalue()
    assert "could not check the rest" in errors.getvalue()


def test_a_report_that_does_not_exist(case: Case) -> None:
    with pytest.raises(Exception, match="no such report"):
        verify("--report", "IR-0000-XXX-000000")
    assert codes("--report", str(new_id())) == set()


def test_the_database_refuses_what_no_action_does(case: Case) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rewrite(case.report, is_draft=True)
