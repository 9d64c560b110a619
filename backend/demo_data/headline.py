"""Hanoi's seizures of 2024 up to 20 August: 39 incidents, 15 persons, 556.000 kg, as the service published them.

The sum is public; its parts, people and numbers are invented. Beside what makes it up stand records that must not
enter it: tablets without a mass, a liquid, a precursor, duplicates, a voided report, one that the laboratory found
negative.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from apps.common.actor import SYSTEM
from apps.reporting.actions import count_seizures
from apps.seizures import actions
from apps.seizures.models import SeizureReport
from backend.demo_data.checklists import Library
from backend.demo_data.people import Service
from backend.demo_data.seizures import CO_LED, LIQUID, POLICE, TABLETS, Find, Lines, Seizures, grams
from backend.demo_data.simulation import Simulation, local

FIRST, LAST = dt.date(2024, 6, 25), dt.date(2024, 8, 18)
UNTIL = local(dt.date(2024, 8, 21))
UNITS = ("NBA", "CPN", "BHN", "GTH", "HN-MT")
PLACES: Mapping[str, str] = {
    "air_cargo": "Kho hàng không NCTS",
    "express": "Kho chuyển phát nhanh",
    "air_passenger": "Ga T2, băng chuyền 4",
    "postal": "Bưu cục ngoại dịch",
    "inland": "Bãi kiểm hóa",
}
# unit, mode, substance, grams: one incident each, in the order in which they happened.
INCIDENTS: tuple[tuple[str, str, str, str], ...] = (
    ("NBA", "air_cargo", "ketamine", "62350.5"),
    ("CPN", "express", "mdma", "21400"),
    ("NBA", "air_passenger", "cocaine", "4150.25"),
    ("NBA", "air_cargo", "methamphetamine", "38200"),
    ("CPN", "express", "cannabis", "12600"),
    ("BHN", "air_cargo", "ketamine", "28900"),
    ("CPN", "postal", "khat", "9800"),
    ("NBA", "air_cargo", "cannabis", "18450"),
    ("HN-MT", "express", "mdma", "15300"),
    ("NBA", "air_passenger", "heroin", "3250"),
    ("CPN", "express", "ketamine", "17800.5"),
    ("NBA", "air_cargo", "ketamine", "41200"),
    ("GTH", "express", "cannabis", "8900"),
    ("NBA", "air_cargo", "methamphetamine", "26750"),
    ("CPN", "express", "methamphetamine", "14400"),
    ("NBA", "air_passenger", "cocaine", "2980"),
    ("BHN", "express", "mdma", "11200"),
    ("NBA", "air_cargo", "ketamine", "23600"),
    ("CPN", "express", "", ""),  # tablets alone
    ("NBA", "air_cargo", "heroin", "6300"),
    ("CPN", "postal", "khat", "5000"),
    ("NBA", "air_cargo", "cannabis", "21500"),
    ("HN-MT", "air_cargo", "ketamine", "19449"),
    ("NBA", "air_passenger", "methamphetamine", "4100"),
    ("CPN", "express", "mdma", "9700"),
    ("BHN", "inland", "pseudoephedrine", "18000"),
    ("NBA", "air_cargo", "methamphetamine", "21300"),
    ("CPN", "express", "ketamine", "12600"),
    ("NBA", "air_cargo", "mdma", "14800"),
    ("GTH", "express", "methamphetamine", "9100"),
    ("NBA", "air_passenger", "cocaine", "2169.75"),
    ("CPN", "express", "cannabis", "7600"),
    ("NBA", "air_cargo", "ketamine", "18700"),
    ("CPN", "postal", "nimetazepam", "1400"),
    ("BHN", "air_cargo", "methamphetamine", "7500"),
    ("NBA", "air_passenger", "heroin", "3350"),
    ("CPN", "express", "mdma", "6300"),
    ("NBA", "express", "cannabis", "4400"),
    ("NBA", "air_cargo", "mdma", "5500"),
)
# What is particular about an incident, by its place above.
POLICE_LED, JOINTLY_LED, EXPANDED = (9, 19, 35), 13, 11
TABLETS_ALONE, MORE_TABLETS, WITH_LIQUID = 18, 1, 6
EXPANSION = ("NBA", "air_cargo", "ketamine", "14000")
DUPLICATES = {3: "HN-MT", 10: "NBA"}
ARRESTED = (
    0,
    2,
    4,
    5,
    7,
    9,
    11,
    13,
    15,
    19,
    21,
    23,
    30,
    35,
)  # one person each; the last but one was caught before
CAUGHT_AGAIN, TWO_CAUGHT, SOUGHT = {30: 2}, (13, 35), (8, 28)


def headline(story: Simulation, service: Service, library: Library) -> int:
    """Let it happen where the story holds those weeks; gives how many reports there are."""
    if story.opening + dt.timedelta(days=21) > local(FIRST) or story.end < UNTIL:
        return 0
    return Headline(story, service, library).happen_all()


class Headline(Seizures):
    """Lets the incidents happen one after the other, each with what belongs to it."""

    def __init__(self, story: Simulation, service: Service, library: Library) -> None:
        super().__init__(story, service, library)
        self.checklist = str(library.at("suspected_drugs", local(FIRST)).id)
        self.passports: dict[int, str] = {}
        self.incidents: dict[int, UUID] = {}
        self.reports = 0

    def happen_all(self) -> int:
        """Let all of them happen; gives how many reports there are."""
        step = (local(LAST) - local(FIRST)) / len(INCIDENTS)
        for place in range(len(INCIDENTS)):
            began = local(FIRST, 9) + place * step
            report = self._incident(place, began)
            if place == EXPANDED:
                self._expand(report, began + dt.timedelta(hours=20))
            count_seizures(actor=SYSTEM, report_ids=[report])
        self._out_of_it(local(LAST, 15))
        return self.reports

    def _incident(self, place: int, began: dt.datetime) -> UUID:
        find = self._find(place)
        told_more = {"persons": self._persons(place)}
        report, told = self._submitted(replace(find, more={**find.more, **told_more}), began)
        if place in DUPLICATES:
            self._duplicate(find, report, told, DUPLICATES[place])
        if place == JOINTLY_LED:
            actions.agree_participation(actor=self.leader("CPN"), report_id=report)
        if place in CAUGHT_AGAIN:
            actions.hold_apart(
                actor=self.leader("HN"),
                report_id=report,
                other_id=self.incidents[CAUGHT_AGAIN[place]],
                reason="Cùng đối tượng, hai vụ khác nhau",
            )
        self.incidents[place] = report
        self._settle(find, report)
        return report

    def _find(self, place: int) -> Find:
        unit, mode, substance, weighed = INCIDENTS[place]
        lines: dict[str, Mapping[str, Any]] = {"1": grams(substance, weighed)} if weighed else {}
        if place in {TABLETS_ALONE, MORE_TABLETS}:
            lines[str(len(lines) + 1)] = {**TABLETS, "count": 900 if place == TABLETS_ALONE else 930}
        if place == WITH_LIQUID:
            lines["2"] = {**LIQUID, "substance": "etomidate"}
        more: dict[str, Any] = {}
        if place in POLICE_LED:
            more = POLICE
        elif place == JOINTLY_LED:
            more = CO_LED
        upto = "lab_confirmed" if place % 3 == 0 else "hq_accepted"
        return Find(0, unit, mode, lines, upto, PLACES[mode], more)

    def _persons(self, place: int) -> dict[str, Any]:
        several = {"1": self._person(place, "arrested")} if place in ARRESTED else {}
        if place in TWO_CAUGHT:
            several["2"] = {
                "full_name": f"Đối tượng hư cấu B{place}",
                "role": "courier",
                "status": "detained",
            }
        if place in SOUGHT:
            several["1"] = {
                "full_name": f"Đối tượng hư cấu C{place}",
                "role": "consignee",
                "status": "at_large",
            }
        return several

    def _person(self, place: int, status: str) -> dict[str, Any]:
        same = CAUGHT_AGAIN.get(place, place)
        number = self.passports.setdefault(same, f"X{self.story.digits(7)}")
        return {
            "full_name": f"Đối tượng hư cấu A{same}",
            "document_kind": "passport_no",
            "document_number": number,
            "role": "courier",
            "status": status,
        }

    def _submitted(self, find: Find, began: dt.datetime, **fields: Any) -> tuple[UUID, dict[str, Any]]:
        self.story.at(began)
        person, told = self.reported(find)
        told = {**told, **fields, "posting": str(person.posting_at(began).pk)}
        self.reports += 1
        report = actions.submit_seizure(
            actor=self.acting(person), report_id=self.story.new_id(), base_rev=None, fields=told
        ).report
        return report.pk, told

    def _settle(self, find: Find, report: UUID) -> None:
        self.story.at(self.story.now + dt.timedelta(hours=3))
        hq = self.acting(self.service.at("HQ", "hq_reviewer")[0])
        self.verify(find, report, (self.leader(find.unit), self.leader("HN"), hq))

    def _duplicate(self, find: Find, report: UUID, told: Mapping[str, Any], unit: str) -> None:
        """Another unit reports the same parcel an hour later; the region merges the two."""
        again = replace(find, unit=unit, more={})
        now = self.story.now + dt.timedelta(hours=1)
        twice, _ = self._submitted(again, now, consignments=told["consignments"])
        self.story.at(now + dt.timedelta(minutes=40))
        actions.merge_seizures(
            actor=self.leader("HN"), report_id=twice, survivor_id=report, reason="Hai đơn vị báo cáo một vụ"
        )
        count_seizures(actor=SYSTEM, report_ids=[twice])

    def _expand(self, report: UUID, began: dt.datetime) -> None:
        """The officers of an incident find more of it the next day: a further report, no further incident."""
        unit, mode, substance, weighed = EXPANSION
        lines: Lines = {"1": grams(substance, weighed)}
        find = Find(0, unit, mode, lines, "hq_accepted", "Kho hàng không ALS")
        first = SeizureReport.objects.get(pk=report)
        self.story.at(began)
        person = next(p for p in self.service.people if p.officer.pk == first.officer_id)
        _, told = self.reported(find)
        told = {
            **told,
            "kind": "expansion",
            "incident": str(first.incident_id),
            "posting": str(person.posting_at(began).pk),
            "persons": self._persons(EXPANDED),
        }
        self.reports += 1
        further = actions.submit_seizure(
            actor=self.acting(person), report_id=self.story.new_id(), base_rev=None, fields=told
        ).report
        self._settle(find, further.pk)

    def _out_of_it(self, began: dt.datetime) -> None:
        """One report is voided and one found negative; neither is an incident."""
        for upto, lines in (
            ("voided", {"1": grams("heroin", "350")}),
            ("negative", {"1": grams("ketamine", "640")}),
        ):
            find = Find(0, "GTH", "express", lines, upto, "Địa điểm kiểm tra Gia Thụy")
            report, _ = self._submitted(find, began)
            self._decide(find, report, began)
            count_seizures(actor=SYSTEM, report_ids=[report])
