"""The records the access matrix speaks of, made through the product's own actions.

A record is named as in the file: whose it is, how closely it is held, how far it has come. Only the handling level is
set by hand: no action lowers or raises it yet.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ClassVar
from uuid import UUID, uuid4

from PIL import Image

from apps.accounts.actions import suspend_device
from apps.accounts.models import Device, Handling, Posting
from apps.checklists import actions as checklists
from apps.checklists.models import ChecklistVersion
from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.custody.models import Exhibit, HandOver
from apps.evidence.actions import open_upload, store_original
from apps.evidence.models import Attachment
from apps.evidence.storage import depot
from apps.inspections.actions import (
    approve_inspection,
    declare_photo,
    return_for_correction,
    save_inspection,
    submit_inspection,
    void_inspection,
)
from apps.inspections.models import InspectionReport
from apps.organisation.models import Unit
from apps.reference.actions import import_list
from apps.reference.models import ReferenceList
from apps.seizures.actions import save_seizure, submit_seizure
from apps.seizures.models import SeizureReport
from apps.sync.models import SnapshotPart
from apps.sync.snapshots import build_snapshot
from tests.cast import Cast, Member
from tests.evidence_images import jpeg
from tests.holding import Holding, sealing
from tests.reports import plain_content, plain_report
from tests.seed import publish
from tests.seizing import Seizing, line, sound

PHOTO = jpeg()
THUMBNAIL = "thumbnails/access.webp"
# (whose, handling, state) of every report; each has one photo, stored unless `expected` is said below.
REPORTS = (
    ("officer", "internal", "draft"),
    ("officer", "internal", "complete"),
    ("officer", "restricted", "complete"),
    ("officer", "compartment", "complete"),
    ("officer", "internal", "returned"),
    ("officer", "internal", "approved"),
    ("officer", "internal", "voided"),
    ("outsider", "internal", "complete"),
    ("moved", "internal", "complete"),
    ("leader", "internal", "complete"),
)


SEIZURES = (
    ("officer", "internal", "draft"),
    ("officer", "internal", "submitted"),
    ("officer", "restricted", "submitted"),
    ("officer", "compartment", "submitted"),
    ("officer", "internal", "voided"),
    ("outsider", "internal", "submitted"),
    ("leader", "internal", "submitted"),
)


@dataclass
class Records:
    """What exists: by kind, then by (whose, handling, state)."""

    cast: Cast
    reports: dict[tuple[str, str, str], InspectionReport] = field(default_factory=dict)
    photos: dict[tuple[str, str, str], Attachment] = field(default_factory=dict)
    seizures: dict[tuple[str, str, str], SeizureReport] = field(default_factory=dict)
    exhibits: dict[tuple[str, str, str], Exhibit] = field(default_factory=dict)
    hand_overs: dict[tuple[str, str, str], HandOver] = field(default_factory=dict)
    uploads: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    versions: dict[tuple[str, str, str], ChecklistVersion] = field(default_factory=dict)
    devices: dict[tuple[str, str, str], Device] = field(default_factory=dict)
    lists: dict[tuple[str, str, str], ReferenceList] = field(default_factory=dict)
    snapshot: dict[str, str] = field(default_factory=dict)
    nowhere: ClassVar[dict[str, str]] = {"stream": "list:nowhere", "sha256": "0" * 64}

    def find(self, kind: str, key: tuple[str, str, str]) -> Any:
        """Give the record that a line of the matrix means; None for an id that nothing has."""
        if key[0] in {"", "nobody"}:
            return None
        if kind == "units":
            return getattr(self.cast, key[0])
        return getattr(self, kind)[key]

    def report(self, pk: UUID) -> InspectionReport:
        """Find a report by its id."""
        return next(report for report in self.reports.values() if report.pk == pk)

    def units(self) -> list[Unit]:
        """Give the units of the cast."""
        return list(Unit.objects.filter(level__in=["hq", "region", "gate"]))

    def officer_id(self, actor: str) -> UUID:
        """Tell who an actor is."""
        return UUID(str(getattr(self.cast, actor).officer.pk))


def make_records(cast: Cast) -> Records:
    """Make all of them."""
    records = Records(cast)
    _make_versions(records)
    depot().write(THUMBNAIL, _webp())
    plain = records.versions["trainer", "", "published"]
    for key in REPORTS:
        records.reports[key] = _report(cast, key, str(plain.pk))
        records.photos[key] = Attachment.objects.get(owner_id=records.reports[key].pk)
    officer = cast.officer
    waiting = _declare(officer, officer.posting, records.reports["officer", "internal", "complete"].pk)
    records.photos["officer", "internal", "expected"] = waiting
    records.uploads["officer", "", "open"] = open_upload(
        actor=officer.actor(), length=waiting.size, attachment_id=waiting.pk
    )
    records.devices["officer", "", ""] = officer.phone.device
    second = cast.team_mate.another_phone().device
    records.devices["team_mate", "", "suspended"] = suspend_device(actor=SYSTEM, device=second)
    _make_list(records)
    seizing = Seizing(cast)
    for key in SEIZURES:
        records.seizures[key] = _seizure(seizing, key)
    _make_exhibits(records, Holding(cast, seizing))
    for key, report in records.seizures.items():
        SeizureReport.objects.filter(pk=report.pk).update(handling=Handling(key[1]))
        report.refresh_from_db()
    stored = records.photos["officer", "internal", "complete"]
    records.uploads["officer", "", "finished"] = stored.uploads.get()
    return records


def _make_list(records: Records) -> None:
    """A list with a snapshot, as if it were large."""
    lines = [b"key,label_vi,label_en\n", "VNHPH,Hải Phòng,Hai Phong\n".encode()]
    import_list(actor=SYSTEM, slug="ports", lines=lines, names=("Cảng biển", "Seaports"))
    build_snapshot("list:ports")
    records.lists["service", "", ""] = ReferenceList.objects.get(slug="ports")
    records.snapshot |= {"stream": "list:ports", "sha256": SnapshotPart.objects.get().sha256}


def _seizure(seizing: Seizing, key: tuple[str, str, str]) -> SeizureReport:
    whose, _, state = key
    member: Member = getattr(seizing.cast, whose)
    unit = member.posting.unit.code
    number = SEIZURES.index(key)  # each is another seizure, so that nothing is asked about duplicates
    told = sound(
        watch_linked="no",
        handover_plan="PC04",
        participations=[{"unit": unit, "role": "lead"}],
        consignments={"1": {"courier_no": f"KIEN-{number:04}"}},
        lines={"1": line(net_mass_g=str(2**number), seal_numbers=[f"NP-{number:06}"])},
    )
    write = save_seizure if state == "draft" else submit_seizure
    report = seizing.send(write, told, by=member).report
    if state == "voided":
        seizing.decide(report, "void", seizing.cast.leader, "Trùng báo cáo")
    return SeizureReport.objects.get(pk=report.pk)


def _make_exhibits(records: Records, holding: Holding) -> None:
    """A sealed package of each report; of the plain one also one in the store, and one offered to the custodian."""
    reports = {key: report for key, report in records.seizures.items() if key[2] == "submitted"}
    for number, ((whose, handling, _), report) in enumerate(reports.items()):
        member: Member = getattr(records.cast, whose)
        exhibit = holding.recorded(report, by=member)
        done = holding.step(exhibit, "sealed", sealing(f"TV-{number:04}"), by=member)
        records.exhibits[whose, handling, "sealed"] = done.exhibit
    plain = records.seizures["officer", "internal", "submitted"]
    stored = holding.stored(holding.sealed(holding.recorded(plain), "TV-0100"))
    records.exhibits["officer", "internal", "unit_store"] = stored
    offered = holding.sealed(holding.recorded(plain), "TV-0101")
    records.hand_overs["officer", "internal", "offered"] = holding.offer(offered)
    offered.refresh_from_db()
    records.exhibits["officer", "internal", "in_transit"] = offered


def _make_versions(records: Records) -> None:
    cast = records.cast
    trainer = cast.trainer.actor()
    published = ChecklistVersion.objects.get(pk=publish(cast, "plain", "express", with_photo()))
    records.versions["trainer", "", "published"] = published
    for semver, state in (("1.1.0", "draft"), ("1.2.0", "in_review")):
        version = checklists.create_version(
            actor=trainer, checklist=published.checklist, semver=semver, content=with_photo()
        )
        if state == "in_review":
            version = checklists.submit_for_review(actor=trainer, version_id=version.pk)
        records.versions["trainer", "", state] = version


def _report(cast: Cast, key: tuple[str, str, str], version: str) -> InspectionReport:
    whose, handling, state = key
    member: Member = getattr(cast, whose)
    member.client()  # from now on the person acts through a phone
    # For the one who moved: where the report was made.
    posting = member.officer.postings.earliest("valid_from")
    pk, actor = new_id(), member.actor()
    photo = _declare(member, posting, pk)
    store_original(actor=actor, attachment_id=photo.pk, data=PHOTO)
    patch = plain_report(version, posting=str(posting.pk), photos={"parcel": [str(photo.pk)]})
    write = save_inspection if state == "draft" else submit_inspection
    write(actor=actor, report_id=pk, base_rev=None, fields=patch)
    _review(cast, pk, state)
    InspectionReport.objects.filter(pk=pk).update(handling=Handling(handling))
    Attachment.objects.filter(pk=photo.pk).update(handling=Handling(handling), thumbnail=THUMBNAIL)
    return InspectionReport.objects.get(pk=pk)


def _review(cast: Cast, pk: UUID, state: str) -> None:
    leader = cast.leader.actor()
    if state == "returned":
        return_for_correction(
            actor=leader, report_id=pk, notes=[{"step_key": "step_1", "text": "Ghi rõ hơn."}]
        )
    elif state == "approved":
        approve_inspection(actor=leader, report_id=pk)
    elif state == "voided":
        void_inspection(actor=leader, report_id=pk, reason="Trùng báo cáo")


def _declare(member: Member, posting: Posting, report: UUID) -> Attachment:
    return declare_photo(
        actor=member.actor(),
        report_id=report,
        photo_id=uuid4(),
        posting=str(posting.pk),
        sha256=hashlib.sha256(PHOTO).hexdigest(),
        size=len(PHOTO),
        mime="image/jpeg",
        step_key="parcel",
        purpose="overview",
    )


def with_photo() -> dict[str, Any]:
    """Give the plain checklist with one step for photos."""
    content = plain_content()
    content["sections"][0]["steps"].append(
        {
            "key": "parcel",
            "kind": "photo",
            "text": {"vi": "Chụp kiện hàng", "en": "Photograph the parcel"},
            "photos": {"min": 1, "max": 4, "purpose": "overview", "original": False},
        }
    )
    return content


def _webp() -> bytes:
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "WEBP")
    return out.getvalue()
