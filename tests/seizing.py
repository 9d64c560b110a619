"""Work on seizure reports in tests: a sound report, and what officers and desks do with it."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.common.actor import SYSTEM
from apps.common.records import new_id
from apps.reference.actions import import_list
from apps.reference.rules.vocabularies import LISTS
from apps.seizures import actions
from apps.seizures.actions import Edited
from apps.seizures.models import SeizureReport
from tests.cast import Cast, Member


def line(**changed: Any) -> dict[str, Any]:
    """Give a complete line: ketamine, weighed net by two officers."""
    return {
        "substance": "ketamine",
        "form": "powder",
        "gross_mass_g": "1250",
        "net_mass_g": "1200.5",
        "measure_basis": "scale_net",
        "id_basis": "field_test",
        "scale_id": "CAN-07",
        "weighed_by": ["HQ-A", "HQ-B"],
        "seal_numbers": ["NP-000123"],
        **changed,
    }


def sound(**changed: Any) -> dict[str, Any]:
    """Give every field of a report that may be submitted."""
    return {
        "kind": "initial",
        "place": "Kho hàng số 2",
        "summary": "Phát hiện ma túy giấu trong hộp kẹo gửi từ châu Âu.",
        "occurred_on_device_at": (timezone.now() - dt.timedelta(minutes=30)).isoformat(),
        "detected_on_device_at": (timezone.now() - dt.timedelta(minutes=20)).isoformat(),
        "mode": "express",
        "direction": "import",
        "lead_force": "customs",
        "handling": "internal",
        "first_cue": "xray_baggage",
        "means": ["xray_baggage", "physical_search"],
        "concealment_places": ["parcel"],
        "concealment_techniques": ["factory_repacked"],
        "departure": "NL",
        "destination": "VN",
        "persons_count": 1,
        "no_photo_reason": "Máy ảnh hỏng",
        "no_scale_photo_reason": "Máy ảnh hỏng",
        "record_doc_number": "12/BB-HC",
        "record_doc_on": "2024-08-20",
        "is_subject_present": "yes",
        "witnesses": ["Nguyễn Thị Chứng"],
        "participations": [{"unit": "NBA", "role": "lead"}],
        "checklist_version": str(UUID(int=7)),
        "lines": {"1": line()},
        "persons": {"1": {"full_name": "Người Thử Một", "role": "consignee", "status": "arrested"}},
        "consignments": {"1": {"courier_no": "1Z999AA1", "declared_goods": "Kẹo"}},
        **changed,
    }


def flash(**changed: Any) -> dict[str, Any]:
    """Give the few fields of a flash report."""
    keys = ("place", "detected_on_device_at", "mode", "lead_force", "handling", "persons_count")
    few = {key: value for key, value in sound().items() if key in {*keys, "no_photo_reason"}}
    rough = {"substance": "ketamine", "net_mass_g": "1000", "measure_basis": "estimated"}
    return {**few, "lines": {"1": rough}, **changed}


class Seizing:
    """What people do with seizure reports."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        with (LISTS / "substances.csv").open("rb") as file:
            import_list(actor=SYSTEM, slug="substances", lines=file, names=("Chất", "Substances"))

    def send(
        self,
        write: Callable[..., Edited],
        fields: Mapping[str, Any],
        *,
        report: UUID | None = None,
        base_rev: int | None = None,
        by: Member | None = None,
    ) -> Edited:
        """Send with one of the actions, as the officer unless said."""
        return write(
            actor=(by or self.cast.officer).actor(),
            report_id=report or new_id(),
            base_rev=base_rev,
            fields=copy.deepcopy(dict(fields)),
        )

    def submitted(self, *, by: Member | None = None, **changed: Any) -> SeizureReport:
        """Give a submitted report."""
        return self.send(actions.submit_seizure, sound(**changed), by=by).report

    def decide(self, report: SeizureReport, verb: str, by: Member, note: str = "") -> SeizureReport:
        """Take a decision."""
        return actions.decide_seizure(actor=by.actor(), report_id=report.pk, verb=verb, note=note)

    def verified(self, report: SeizureReport, upto: str = "hq_accepted") -> SeizureReport:
        """Take a submitted report along the verification, up to a stage."""
        cast = self.cast
        actions.amend_seizure(
            actor=cast.leader.actor(),
            report_id=report.pk,
            fields={"watch_linked": "no", "handover_plan": "Bàn giao PC04"},
            reason="Bổ sung trước khi xác nhận",
        )
        steps = (
            ("unit_verified", "verify_unit", cast.leader),
            ("region_verified", "verify_region", cast.region_leader),
            ("hq_accepted", "accept", cast.hq_reviewer),
            ("lab_confirmed", "confirm_lab", cast.hq_reviewer),
        )
        for stage, verb, by in steps:
            report = self.decide(report, verb, by)
            if stage == upto:
                break
        return report

    def lab(self, report: SeizureReport, mark: str = "1", **changed: Any) -> SeizureReport:
        """Write down a laboratory result."""
        result = {
            "lab_outcome": "positive",
            "lab_substance": "ketamine",
            "lab_net_mass_g": "1199.25",
            "lab_name": "Viện Khoa học hình sự",
            "lab_number": "55/KL",
            "lab_on": "2024-09-01",
        }
        return actions.record_lab_result(
            actor=self.cast.leader.actor(), report_id=report.pk, mark=mark, result={**result, **changed}
        )


@pytest.fixture
def seizing(cast: Cast) -> Seizing:
    """The substances, and people who seize them."""
    return Seizing(cast)
