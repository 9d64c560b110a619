"""A small service for the console's tests: three levels of units, one person per role, a checklist, a few reports."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

from django.utils import timezone
from PIL import Image, ImageDraw

from apps.accounts.models import Device, Officer, Posting, Role
from apps.accounts.queries import actor_for
from apps.checklists.actions import create_version
from apps.checklists.models import Checklist, ChecklistVersion
from apps.checklists.rules import content_hash
from apps.common.actor import SYSTEM, Actor
from apps.common.records import new_id
from apps.evidence.models import Attachment
from apps.evidence.storage import depot
from apps.inspections.actions import submit_inspection
from apps.inspections.models import InspectionReport
from apps.organisation.actions import create_unit
from apps.organisation.models import Unit

PASSWORD = "hai-dang-tren-bien-2024"
LONG_AGO = dt.date(2020, 1, 1)


def w(vi: str, en: str) -> dict[str, str]:
    return {"vi": vi, "en": en}


CONTENT: dict[str, Any] = {
    "sections": [
        {
            "key": "before",
            "title": w("Trước khi kiểm tra", "Before the inspection"),
            "steps": [
                {
                    "key": "reason",
                    "kind": "bool",
                    "text": w("Đã xác nhận lý do lựa chọn?", "Is the reason for selection confirmed?"),
                    "required": True,
                    "allow_na": True,
                },
                {
                    "key": "lane",
                    "kind": "choice",
                    "text": w("Luồng kiểm tra", "Channel of the check"),
                    "required": True,
                    "options": [
                        {"value": "green", "label": w("Luồng xanh", "Green channel")},
                        {"value": "red", "label": w("Luồng đỏ", "Red channel")},
                    ],
                },
                {
                    "key": "weight",
                    "kind": "measure",
                    "text": w("Cân kiện hàng", "Weigh the parcel"),
                    "unit": "kg",
                    "decimals": 2,
                    "allow_na": True,
                },
            ],
        },
        {
            "key": "opening",
            "title": w("Mở kiểm tra", "Opening"),
            "steps": [
                {
                    "key": "photo_open",
                    "kind": "photo",
                    "text": w(
                        "Chụp kiện hàng trước và sau khi mở", "Photograph the parcel before and after opening"
                    ),
                    "required": True,
                    "photos": {"min": 2, "max": 4, "purpose": "overview", "original": False},
                },
                {
                    "key": "signs",
                    "kind": "multi",
                    "text": w("Dấu hiệu nghi vấn", "Suspicious signs"),
                    "options": [
                        {"value": "powder", "label": w("Có bột lạ", "Unknown powder")},
                        {"value": "glue", "label": w("Keo dán mới", "Fresh glue")},
                    ],
                },
                {
                    "key": "field_test",
                    "kind": "text",
                    "text": w("Kết quả thử nhanh", "Result of the field test"),
                    "visible_if": "selected(signs, 'powder')",
                    "required_if": "selected(signs, 'powder')",
                    "max_length": 200,
                },
            ],
        },
    ]
}

FIELDS: dict[str, Any] = {
    "mode": "express",
    "direction": "import",
    "place_type": "express_hub",
    "place": "Kho số 2",
    "selection_reason": "targeted",
    "outcome": "nothing_found",
    "means_used": ["xray_baggage", "physical_search"],
    "remarks": "Kiện hàng khai báo bánh kẹo.",
}


@dataclass
class Scene:
    """Who and what there is."""

    hq: Unit
    region: Unit
    gate: Unit
    other_gate: Unit
    people: dict[str, Officer]
    version: ChecklistVersion
    device: Device

    def actor(self, name: str) -> Actor:
        return actor_for(self.people[name], device_id=self.device.pk if name == "officer" else None)

    def draft(self) -> ChecklistVersion:
        """Draft the next version by the trainer."""
        return create_version(
            actor=self.actor("trainer"), checklist=self.version.checklist, semver="1.1.0", content=CONTENT
        )

    def give(self, name: str, role: str) -> None:
        """Give a person one more role at headquarters."""
        Posting.objects.create(officer=self.people[name], unit=self.hq, role=role, valid_from=timezone.now())

    def report(
        self, *, photos: int = 0, missing: int = 0, days_ago: int = 0, by: str = "officer", **fields: Any
    ) -> InspectionReport:
        """Submit a report with photos, some of which have not arrived."""
        start = timezone.now() - dt.timedelta(days=days_ago, minutes=30)
        report_id, ids = new_id(), [new_id() for _ in range(max(photos, 2))]
        actor = self.actor(by)
        answers = {
            "reason": {"value": True},
            "lane": {"value": "red", "note": "Theo chỉ đạo của trực ban"},
            "weight": {"na": True, "reason": "Cân đang hiệu chuẩn"},
        }
        patch = {
            "checklist_version": str(self.version.pk),
            **FIELDS,
            "started_on_device_at": start.isoformat(),
            "ended_on_device_at": (start + dt.timedelta(minutes=20)).isoformat(),
            "answers": answers,
            "photos": {"photo_open": [str(i) for i in ids]},
            **fields,
        }
        for n, photo in enumerate(ids):
            self._photo(photo, report_id, by, is_stored=n < len(ids) - missing, shade=n)
        submit_inspection(actor=actor, report_id=report_id, base_rev=None, fields=patch)
        return InspectionReport.objects.get(pk=report_id)

    def _photo(self, pk: UUID, report_id: UUID, by: str, *, is_stored: bool, shade: int) -> None:
        post = self.actor(by).posts[0]
        name = ""
        if is_stored:
            name = f"tests/{pk}"
            depot().write(name, picture(shade))
        Attachment.objects.create(
            id=pk,
            owner_kind="inspection",
            owner_id=report_id,
            step_key="photo_open",
            purpose="overview",
            unit_id=post.unit_id,
            posting_id=post.posting_id,
            officer_id=self.people[by].pk,
            device=self.device,
            sha256=pk.hex * 2,
            size=2000,
            mime="image/jpeg",
            state="stored" if is_stored else "expected",
            original=name,
            thumbnail=name,
            captured_on_device_at=timezone.now(),
        )


def picture(shade: int = 0) -> bytes:
    """Draw a small parcel."""
    image = Image.new("RGB", (480, 360), (226 - shade * 14, 214, 190))
    pen = ImageDraw.Draw(image)
    pen.rectangle((90, 90, 390, 290), fill=(176, 132, 84), outline=(90, 60, 30), width=4)
    pen.rectangle((225, 90, 255, 290), fill=(210, 190, 150))
    if shade:
        pen.polygon([(90, 90), (60, 40), (250, 40), (225, 90)], fill=(196, 156, 110), outline=(90, 60, 30))
    out = BytesIO()
    image.save(out, "WEBP", quality=80)
    return out.getvalue()


def make_scene() -> Scene:
    """Make the units, people and the published checklist."""
    hq = create_unit(
        actor=SYSTEM,
        code="HQ",
        level="hq",
        type="hq_dept",
        names=("Cục Hải quan", "Customs Headquarters"),
        valid_from=LONG_AGO,
    )
    region = create_unit(
        actor=SYSTEM,
        code="HNI",
        level="region",
        type="hq_dept",
        names=("Hải quan Hà Nội", "Hà Nội Customs"),
        valid_from=LONG_AGO,
        parent=hq.pk,
    )
    gate = create_unit(
        actor=SYSTEM,
        code="NBA",
        level="gate",
        type="airport",
        names=("Hải quan Nội Bài", "Nội Bài Gate"),
        valid_from=LONG_AGO,
        parent=region.pk,
    )
    other = create_unit(
        actor=SYSTEM,
        code="LBO",
        level="gate",
        type="land_border",
        names=("Hải quan Lao Bảo", "Lao Bảo Gate"),
        valid_from=LONG_AGO,
        parent=hq.pk,
    )
    where = {
        "officer": (Role.OFFICER, gate),
        "other_officer": (Role.OFFICER, other),
        "leader": (Role.LEADER, gate),
        "other_leader": (Role.LEADER, other),
        "region_leader": (Role.LEADER, region),
        "reviewer": (Role.HQ_REVIEWER, hq),
        "analyst": (Role.ANALYST, hq),
        "statistics": (Role.STATISTICS, hq),
        "trainer": (Role.TRAINER, hq),
        "approver": (Role.APPROVER, hq),
        "administrator": (Role.ADMINISTRATOR, hq),
        "auditor": (Role.AUDITOR, hq),
        "liaison": (Role.LIAISON, hq),
    }
    people = {
        name: person(name, n, role, unit) for n, (name, (role, unit)) in enumerate(where.items(), start=1)
    }
    checklist = Checklist.objects.create(
        code="express", applies_to="express", title_vi="Kiện chuyển phát nhanh", title_en="Express parcel"
    )
    version = ChecklistVersion.objects.create(
        checklist=checklist,
        semver="1.0.0",
        status="published",
        content=CONTENT,
        content_hash=content_hash(CONTENT),
        author=people["trainer"],
        approver=people["approver"],
        approved_at=timezone.now(),
        published_at=timezone.now(),
    )
    device = Device.objects.create(
        officer=people["officer"],
        name="Máy của An",
        public_key="x",
        enrolled_at=timezone.now() - dt.timedelta(days=9),
        last_seen_at=timezone.now() - dt.timedelta(hours=30),
        app_version="1.0.0",
    )
    return Scene(hq, region, gate, other, people, version, device)


def person(name: str, n: int, role: str, unit: Unit) -> Officer:
    """Make an officer with one posting."""
    officer = Officer(username=name, badge_no=f"HQ-{n:04d}", full_name=_NAMES[n % len(_NAMES)], rank_title="")
    officer.set_password(PASSWORD)
    officer.save()
    Posting.objects.create(
        officer=officer, unit=unit, role=role, valid_from=timezone.now() - dt.timedelta(days=400)
    )
    return officer


_NAMES = (
    "Phạm Thu Hà",
    "Nguyễn Văn An",
    "Lê Quang Minh",
    "Trần Thị Bình",
    "Đỗ Hữu Phước",
    "Vũ Ngọc Lan",
    "Hoàng Đức Thịnh",
)
