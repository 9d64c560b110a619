"""Exhibits of the demo's seizures: sealed, stored, sampled, offered, handed over; one stopped by a difference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.common.actor import Actor
from apps.custody import actions
from apps.custody.models import Exhibit
from backend.demo_data.people import Service
from backend.demo_data.simulation import Simulation

WITNESSED = {"is_subject_present": "yes", "witnesses": ["Người chứng kiến (hư cấu)"]}
POLICE = {
    "kind": "police",
    "office": "PC04 Công an TP Hà Nội",
    "name": "Cán bộ tiếp nhận (hư cấu)",
    "legal_basis": "Điều 33 Luật tổ chức cơ quan điều tra hình sự",
    "documents": "Biên bản niêm phong, biên bản cân",
}
# How far the exhibits of a seizure go, by how far its report goes; what is not named is sealed and stays in hand.
STORED = frozenset({"unit_verified", "region_verified", "hq_accepted", "lab_confirmed", "closed", "negative"})
RECORDED = frozenset({"voided", "returned"})


class Custody:
    """Lets exhibits be written down and go their way, through the same actions as phones and desks."""

    def __init__(self, story: Simulation, service: Service) -> None:
        self.story, self.service = story, service

    def happen(
        self, report: UUID, officer: Actor, lines: Mapping[str, Mapping[str, Any]], upto: str, unit: str
    ) -> list[Exhibit]:
        """Write down one exhibit for each line, and bring it to where it rests; gives them."""
        self.story.at(self.story.now + dt.timedelta(minutes=5))
        found = [self._recorded(report, officer, mark, line) for mark, line in lines.items()]
        if upto in RECORDED:
            return found
        for exhibit, line in zip(found, lines.values(), strict=True):
            self._step(officer, exhibit, "sealed", self._sealing(line["seal_numbers"][0], line))
        if upto in STORED:
            self.story.at(self.story.now + dt.timedelta(minutes=10))
            for exhibit in found:
                self._step(
                    officer, exhibit, "stored", {"place": f"Kho tạm giữ {unit}, kệ {self.story.digits(1)}"}
                )
        if upto == "lab_confirmed":
            self._sample(officer, found[0], lines)
        elif upto == "region_verified":
            wrong = {"place": f"Kho tạm giữ {unit}, kệ 2", "seals_read": [f"NP-{self.story.digits(6)}"]}
            self._step(officer, found[0], "stored", wrong)
        elif upto == "submitted" and unit == "NBA":
            self._offer(officer, found, self._to_custodian())
        return found

    def hand_over(self, exhibits: list[Exhibit], officer: Actor, leader: Actor) -> None:
        """Hand exhibits over to the police on paper, which the leader enters."""
        offer = self._offer(officer, exhibits, POLICE)
        self.story.at(self.story.now + dt.timedelta(minutes=30))
        items = {
            pk: {"seals_read": item["seals"], "mass_read": item["gross_mass_g"]}
            for pk, item in offer.items.items()
        }
        paper = {"items": items, "document_number": f"{self.story.digits(3)}/BB-PC04"}
        actions.accept_hand_over(actor=leader, offer_id=offer.pk, fields=paper)

    def _recorded(self, report: UUID, officer: Actor, mark: str, line: Mapping[str, Any]) -> Exhibit:
        amounts = {
            key: line[key] for key in ("net_mass_g", "volume_ml", "count", "count_unit") if key in line
        }
        fields = {
            "report": str(report),
            "mark": mark,
            "description": "Túi ni lông hàn kín, bên trong hộp bánh kẹo",
            "packages": 1,
            **amounts,
        }
        return actions.record_exhibit(actor=officer, exhibit_id=self.story.new_id(), fields=fields).exhibit

    def _sealing(self, number: str, line: Mapping[str, Any]) -> dict[str, Any]:
        gross = str(Decimal(line.get("net_mass_g", "400")) + 35)
        seals = [{"number": number, "type": "evidence_bag"}]
        return {"seals": seals, "gross_mass_g": gross, "place": "Phòng niêm phong", **WITNESSED}

    def _sample(self, officer: Actor, exhibit: Exhibit, lines: Mapping[str, Mapping[str, Any]]) -> None:
        line = lines[exhibit.mark]
        number = line["seal_numbers"][0]
        opening = {"purpose": "Lấy mẫu gửi giám định", "seals_read": [number], **WITNESSED}
        self._step(officer, exhibit, "unsealed", opening)
        taken = {
            "sample_purpose": "lab",
            "description": "Mẫu gửi giám định",
            "taken_mass_g": "5",
            **WITNESSED,
        }
        sample = actions.take_sample(
            actor=officer, exhibit_id=exhibit.pk, base_rev=None, sample_id=self.story.new_id(), fields=taken
        ).exhibit
        self._step(officer, exhibit, "resealed", self._sealing(f"{number}-2", line))
        self._step(officer, exhibit, "stored", {"place": "Kho tạm giữ, kệ 1"})
        self._step(officer, sample, "sealed", {**self._sealing(f"{number}-M", line), "gross_mass_g": "12.5"})

    def _offer(self, officer: Actor, exhibits: list[Exhibit], to: Mapping[str, Any]) -> Any:
        fields = {"exhibits": [str(exhibit.pk) for exhibit in exhibits], **to}
        return actions.offer_hand_over(actor=officer, offer_id=self.story.new_id(), fields=fields)

    def _to_custodian(self) -> dict[str, Any]:
        return {"kind": "inside", "badge_no": self.service.who("custodian").officer.badge_no}

    def _step(self, officer: Actor, exhibit: Exhibit, step: str, fields: Mapping[str, Any]) -> None:
        actions.take_step(actor=officer, exhibit_id=exhibit.pk, step=step, base_rev=None, fields=fields)
