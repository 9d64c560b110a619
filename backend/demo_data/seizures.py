"""Seizures of the last six weeks, one in each stage and state, so that a reader meets every page with something on it.

People, numbers and cases are invented; the names of persons say so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.common.actor import SYSTEM, Actor
from apps.reporting.actions import count_seizures
from apps.seizures import actions
from backend.demo_data.answers import airway_bill, s10
from backend.demo_data.checklists import Library
from backend.demo_data.custody import Custody
from backend.demo_data.people import Person, Service
from backend.demo_data.photos import Camera
from backend.demo_data.simulation import Simulation

Lines = Mapping[str, Mapping[str, Any]]
UPTO = ("unit_verified", "region_verified", "hq_accepted", "lab_confirmed")


def grams(substance: str, net: str, form: str = "powder") -> dict[str, Any]:
    """Give a line weighed net."""
    return {"substance": substance, "net_mass_g": net, "measure_basis": "scale_net", "form": form}


@dataclass(frozen=True)
class Find:
    """One seizure of the story: how many days ago, where, how, what, and how far it has come."""

    days: int
    unit: str
    mode: str
    lines: Lines
    upto: str
    place: str
    more: Mapping[str, Any] = field(default_factory=dict)


# What reports of before the phones say of their photos.
ON_PAPER = {
    "no_photo_reason": "Ảnh kèm theo biên bản giấy",
    "no_scale_photo_reason": "Ảnh mặt cân kèm theo biên bản giấy",
}
POLICE = {
    "lead_force": "police",
    "participations": [{"unit": "PC04-HN", "role": "lead"}, {"unit": "NBA", "role": "support"}],
}
CO_LED = {"participations": [{"unit": "NBA", "role": "lead"}, {"unit": "CPN", "role": "co_lead"}]}
TABLETS = {
    "substance": "mdma",
    "form": "tablet",
    "count": 930,
    "count_unit": "tablet",
    "measure_basis": "scale_net",
}
LIQUID = {"substance": "gbl", "form": "liquid", "volume_ml": "750", "measure_basis": "scale_net"}
FINDS = (
    Find(41, "NBA", "air_cargo", {"1": grams("ketamine", "12850.5")}, "closed", "Kho hàng không NCTS"),
    Find(
        36,
        "CPN",
        "express",
        {"1": grams("mdma", "4210.25", "crystal"), "2": TABLETS},
        "lab_confirmed",
        "Kho CPN số 1",
    ),
    Find(30, "NBA", "air_passenger", {"1": grams("cocaine", "2980")}, "hq_accepted", "Ga T2, băng chuyền 4"),
    Find(24, "NBA", "air_cargo", {"1": grams("cannabis", "8400", "herb")}, "hq_accepted", "Kho ALS", POLICE),
    Find(19, "BHN", "inland", {"1": grams("pseudoephedrine", "18000")}, "region_verified", "Bãi kiểm hóa"),
    Find(
        14,
        "CPN",
        "postal",
        {"1": grams("khat", "14800", "herb"), "2": LIQUID},
        "unit_verified",
        "Bưu cục ngoại dịch",
    ),
    Find(12, "CPN", "express", {"1": grams("ketamine", "640")}, "negative", "Kho CPN số 2"),
    Find(9, "GTH", "inland", {"1": grams("heroin", "350")}, "voided", "Địa điểm kiểm tra Gia Thụy"),
    Find(
        6,
        "NBA",
        "air_cargo",
        {"1": grams("methamphetamine", "5120", "crystal")},
        "submitted",
        "Kho NCTS",
        CO_LED,
    ),
    Find(4, "CPN", "express", {"1": grams("ketamine", "3100")}, "submitted", "Kho CPN số 1"),
    Find(4, "NBA", "express", {"1": grams("ketamine", "3080")}, "twin", "Kho NCTS, khu chuyển phát"),
    Find(1, "NBA", "air_passenger", {"1": grams("mdma", "1500")}, "returned", "Ga T2, luồng đỏ"),
    Find(
        0,
        "CPN",
        "express",
        {"1": {"substance": "unknown_pending_lab", "net_mass_g": "900"}},
        "flash",
        "Kho CPN số 1",
    ),
)


class Seizures:
    """Lets the finds happen, through the same actions as phones and desks."""

    def __init__(self, story: Simulation, service: Service, library: Library) -> None:
        self.story, self.service = story, service
        self.edition = library.at("suspected_drugs", story.end)
        self.checklist = str(self.edition.id)
        self.waybill = airway_bill(story)
        self.custody = Custody(story, service)
        self.made: list[UUID] = []

    def happen(self, after: dt.datetime, camera: Camera) -> int:
        """Let all of them happen that began after a moment, with their photos; gives how many reports there are."""
        moments = [(self.story.end - dt.timedelta(days=find.days, hours=3), find) for find in FINDS]
        late = [(began, find) for began, find in moments if began > after]
        for began, find in late:
            self._happen(find, began, camera)
            count_seizures(actor=SYSTEM, report_ids=self.made)
        return len(late)

    def _happen(self, find: Find, began: dt.datetime, camera: Camera) -> None:
        self.story.at(began)
        person, told = self.reported(find)
        pk = self.story.new_id()
        shoot = partial(camera.of_seizure, pk, person, self.acting(person), self.edition)
        photos = shoot(("overview", "close_up"))
        told = {key: value for key, value in told.items() if key not in ON_PAPER}
        flash = (
            "place",
            "mode",
            "lead_force",
            "handling",
            "persons_count",
            "detected_on_device_at",
        )
        first: dict[str, Any] = {**{key: told[key] for key in flash}, "photos": photos}
        first["lines"] = {"1": {**find.lines["1"], "measure_basis": "estimated"}}
        first["posting"] = str(person.posting_at(began).pk)
        report = actions.send_flash(
            actor=self.acting(person), report_id=pk, base_rev=None, fields=first
        ).report
        self.made = [pk]
        if find.upto == "flash":
            return
        self.story.at(began + dt.timedelta(hours=2))
        if find.upto != "returned":
            photos = [*photos, *shoot(("scale",))]
        full = {**told, "photos": photos}
        actions.submit_seizure(actor=self.acting(person), report_id=pk, base_rev=report.rev, fields=full)
        exhibits = self.custody.happen(pk, self.acting(person), told["lines"], find.upto, find.unit)
        if find.upto == "closed":
            self.custody.hand_over(exhibits, self.acting(person), self.leader(find.unit))
        self._decide(find, pk, began)

    def reported(self, find: Find) -> tuple[Person, dict[str, Any]]:
        """Give who reports the find, and the full report."""
        team = [p for p in self.service.at(find.unit, "officer") if p.device]
        person = self.story.one_of(team)
        return person, self._told(find, person, team)

    def _told(self, find: Find, person: Person, team: list[Person]) -> dict[str, Any]:
        now = self.story.now
        badges = [p.officer.badge_no for p in (person, next((q for q in team if q is not person), person))]
        badges = badges if badges[0] != badges[1] else [badges[0], "HQ-PHỐI-HỢP"]
        number = self.story.digits(6)
        parts = {
            mark: {
                "id_basis": "field_test",
                "scale_id": f"CAN-{find.unit}-02",
                "weighed_by": badges,
                "seal_numbers": [f"NP-{number}-{mark}"],
                **line,
            }
            for mark, line in find.lines.items()
        }
        return {
            "place": find.place,
            "summary": "Qua soi chiếu phát hiện hình ảnh nghi vấn, mở kiểm tra có chất nghi ma túy.",
            "mode": find.mode,
            "direction": "inward_passenger" if find.mode == "air_passenger" else "import",
            "lead_force": "customs",
            "handling": "internal",
            "occurred_on_device_at": (now - dt.timedelta(minutes=50)).isoformat(),
            "detected_on_device_at": (now - dt.timedelta(minutes=25)).isoformat(),
            "persons_count": 1,
            **ON_PAPER,
            "first_cue": "xray_baggage",
            "means": ["xray_baggage", "field_test_kit", "physical_search"],
            "concealment_places": ["checked_baggage" if find.mode == "air_passenger" else "parcel"],
            "concealment_techniques": ["factory_repacked"],
            "departure": self.story.one_of(("NL", "DE", "CZ", "FR", "BE", "CA")),
            "destination": "VN",
            "record_doc_number": f"{number[:3]}/BB-HC",
            "record_doc_on": timezone.localdate(now).isoformat(),
            "is_subject_present": "yes",
            "witnesses": ["Người chứng kiến (hư cấu)"],
            "participations": [{"unit": find.unit, "role": "lead"}],
            "checklist_version": self.checklist,
            "lines": parts,
            "persons": {
                "1": {"full_name": f"Đối tượng hư cấu {number}", "role": "consignee", "status": "arrested"}
            },
            "conveyances": {"1": {"flight_no": "VN36", "flight_on": timezone.localdate(now).isoformat()}},
            "consignments": {"1": self._goods(find)},
            **find.more,
        }

    def _goods(self, find: Find) -> dict[str, Any]:
        """Give the consignment; the two reports of one parcel bear the same waybill."""
        same = find.days == 4
        return {
            "mawb": self.waybill if same else airway_bill(self.story),
            "courier_no": f"1Z{self.story.digits(12)}",
            "s10": s10(self.story),
            "declared_goods": "Bánh kẹo, thực phẩm chức năng",
        }

    def _decide(self, find: Find, report: UUID, began: dt.datetime) -> None:
        leader, region = self.leader(find.unit), self.leader("HN")
        hq = self.acting(self.service.at("HQ", "hq_reviewer")[0])
        self.story.at(began + dt.timedelta(hours=2, minutes=30))
        if find.upto in {"returned", "voided"}:
            note = (
                "Cân lại, ghi rõ người cân và chụp mặt cân."
                if find.upto == "returned"
                else "Trùng với báo cáo đã gửi bằng giấy."
            )
            verb = "return" if find.upto == "returned" else "void"
            actions.decide_seizure(actor=leader, report_id=report, verb=verb, note=note)
        elif find.upto == "negative":
            self.lab(report, leader, {"lab_outcome": "negative", "lab_note": "Bột ngọt, không phải ma túy."})
        elif find.upto in {*UPTO, "closed"}:
            self.verify(find, report, (leader, region, hq))

    def verify(self, find: Find, report: UUID, desk: tuple[Actor, Actor, Actor]) -> None:
        """Take a report as far as the find says, with the laboratory where that is asked for."""
        leader, region, hq = desk
        told: dict[str, Any] = {"watch_linked": "no", "handover_plan": "Bàn giao PC04 Công an TP Hà Nội"}
        actions.amend_seizure(
            actor=leader, report_id=report, fields=told, reason="Bổ sung trước khi xác nhận"
        )
        steps = (("verify_unit", leader), ("verify_region", region), ("accept", hq), ("confirm_lab", hq))
        for verb, who in steps[: UPTO.index(find.upto) + 1 if find.upto in UPTO else len(steps)]:
            if verb == "confirm_lab":
                for mark, line in find.lines.items():
                    found = {"lab_outcome": "positive", "lab_substance": line["substance"]}
                    self.lab(report, leader, found, mark)
            actions.decide_seizure(actor=who, report_id=report, verb=verb)
        if find.upto == "closed":
            told = {
                "legal_outcome": "handed_over_police",
                "lessons": "yes",
                "modus_operandi": ["kẹo đóng gói lại"],
            }
            actions.amend_seizure(actor=hq, report_id=report, fields=told, reason="Kết thúc hồ sơ")
            actions.decide_seizure(actor=hq, report_id=report, verb="close")

    def lab(self, report: UUID, actor: Actor, found: Mapping[str, Any], mark: str = "1") -> None:
        """Write down what the laboratory found of a line."""
        result = {
            "lab_name": "Viện Khoa học hình sự",
            "lab_number": f"{self.story.digits(3)}/KL-KTHS",
            "lab_on": timezone.localdate(self.story.now).isoformat(),
            **found,
        }
        actions.record_lab_result(actor=actor, report_id=report, mark=mark, result=result)

    def leader(self, unit: str) -> Actor:
        """Act as the leader of a unit, now."""
        return self.acting(self.service.at(unit, "leader")[0])

    def acting(self, person: Person) -> Actor:
        """Act as a person, now."""
        return self.service.actor(person, self.story.now)
