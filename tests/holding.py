"""Work on exhibits in tests: one sound package, and what officers, custodians and leaders do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from apps.common.records import new_id
from apps.custody import actions
from apps.custody.actions import Done
from apps.custody.models import Exhibit, HandOver
from apps.seizures.models import SeizureReport
from tests.cast import Cast, Member
from tests.seizing import Seizing

WITNESSED = {"is_subject_present": "yes", "witnesses": ["Nguyễn Thị Chứng"]}


def package(report: SeizureReport | UUID, **changed: Any) -> dict[str, Any]:
    """Give what is said of a package of the sound report."""
    pk = report.pk if isinstance(report, SeizureReport) else report
    return {
        "report": str(pk),
        "mark": "1",
        "description": "Túi ni lông chứa tinh thể trắng",
        "gross_mass_g": "1250",
        "net_mass_g": "1200.5",
        **changed,
    }


def sealing(number: str = "NP-000123", **changed: Any) -> dict[str, Any]:
    """Give what is said when a package is sealed."""
    seals = [{"number": number, "type": "evidence_bag"}]
    return {"seals": seals, "gross_mass_g": "1250", "place": "Kho số 2", **WITNESSED, **changed}


RESULT = {
    "lab_outcome": "positive",
    "lab_substance": "ketamine",
    "lab_name": "Viện KHHS",
    "lab_number": "1/KL",
    "lab_on": "2024-09-01",
    "lab_net_mass_g": "1199",
}


class Holding:
    """What people do with exhibits; the officer unless said."""

    def __init__(self, cast: Cast, seizing: Seizing) -> None:
        self.cast, self.seizing = cast, seizing

    def recorded(
        self, report: SeizureReport | None = None, *, by: Member | None = None, **changed: Any
    ) -> Exhibit:
        """Give a package that was written down."""
        report = report or self.seizing.submitted()
        done = actions.record_exhibit(
            actor=(by or self.cast.officer).actor(), exhibit_id=new_id(), fields=package(report, **changed)
        )
        return done.exhibit

    def step(
        self,
        exhibit: Exhibit,
        step: str,
        fields: Mapping[str, Any],
        *,
        by: Member | None = None,
        base_rev: int | None = None,
    ) -> Done:
        """Take a step."""
        return actions.take_step(
            actor=(by or self.cast.officer).actor(),
            exhibit_id=exhibit.pk,
            step=step,
            base_rev=base_rev,
            fields=fields,
        )

    def sealed(self, exhibit: Exhibit | None = None, number: str = "NP-000123", **changed: Any) -> Exhibit:
        """Give a sealed package."""
        return self.step(exhibit or self.recorded(), "sealed", sealing(number, **changed)).exhibit

    def stored(self, exhibit: Exhibit | None = None) -> Exhibit:
        """Give a package in the unit's store."""
        return self.step(exhibit or self.sealed(), "stored", {"place": "Kho tạm giữ, kệ 3"}).exhibit

    def offer(
        self, *exhibits: Exhibit, to: Member | None = None, by: Member | None = None, **more: Any
    ) -> HandOver:
        """Offer packages to somebody of the service (the custodian unless said), or outside."""
        badge = (to or self.cast.custodian).officer.badge_no
        said = {"kind": "inside", "badge_no": badge} if "kind" not in more else {}
        return actions.offer_hand_over(
            actor=(by or self.cast.officer).actor(),
            offer_id=new_id(),
            fields={"exhibits": [str(e.pk) for e in exhibits], **said, **more},
        )

    def accept(
        self,
        offer: HandOver,
        readings: Mapping[UUID, tuple[list[str], str | None]] | None = None,
        *,
        by: Member | None = None,
        **more: Any,
    ) -> HandOver:
        """Confirm what was offered; seals and masses as they should be, unless said."""
        items = {}
        for pk, item in offer.items.items():
            seals, mass = (readings or {}).get(UUID(pk), (item["seals"], item["gross_mass_g"]))
            items[pk] = {"seals_read": seals, "mass_read": mass}
        return actions.accept_hand_over(
            actor=(by or self.cast.custodian).actor(), offer_id=offer.pk, fields={"items": items, **more}
        )

    def through_a_difference(self, exhibit: Exhibit) -> None:
        """Hand an exhibit over with a difference that a leader decides, and record a laboratory's result."""
        self.accept(self.offer(exhibit), {exhibit.pk: (["NP-000999"], "1250")})
        leader = self.cast.leader.actor()
        actions.decide_discrepancy(
            actor=leader, exhibit_id=exhibit.pk, base_rev=None, verdict="as_read", note="Tem thay"
        )
        actions.record_result(actor=leader, exhibit_id=exhibit.pk, fields=RESULT)


@pytest.fixture
def holding(cast: Cast, seizing: Seizing) -> Holding:
    """People who hold exhibits."""
    return Holding(cast, seizing)
