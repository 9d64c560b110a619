"""What will have happened: every inspection of the story with its officer, time, place, outcome and further fate.

Nothing here touches the database; `history` carries the plan out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from backend.demo_data import profiles
from backend.demo_data.answers import DOUBT, FIND, QUIET, Filler, airway_bill, container_no, s10
from backend.demo_data.checklists import Edition, Library
from backend.demo_data.people import Person, Service
from backend.demo_data.simulation import ARCHIVE, HISTORY, VIETNAM, Simulation, local
from backend.demo_data.units import WORKING, Spec
from backend.demo_data.words import FINDINGS, GOODS, OTHER_FINDINGS, SUSPICIOUS
from backend.demo_data.words import QUIET as QUIET_WORDS

# On top of the inspections of the eighteen months: the share that August 2024 adds.
ARCHIVED = 0.04
# Of them: the share that an intensified drive puts into the last week, so that a board of today has work to show.
LATELY = 0.025
FEWEST_LATELY = 42
FRESH = dt.timedelta(days=4)
# What becomes of a report after it was sent.
APPROVED, RETURNED, VOIDED, IN_REVIEW, WAITING, PHOTO_LOST = (
    "approved",
    "returned",
    "voided",
    "in_review",
    "waiting",
    "photo_lost",
)
# Of the fresh reports every tenth is in each rarer state, so that a reader meets them all.
_FRESH_FATES = (
    APPROVED,
    WAITING,
    RETURNED,
    IN_REVIEW,
    WAITING,
    PHOTO_LOST,
    WAITING,
    APPROVED,
    WAITING,
    VOIDED,
)


@dataclass
class Visit:
    """One inspection of the story."""

    id: UUID
    person: Person
    unit: str
    edition: Edition
    started: dt.datetime
    ended: dt.datetime
    sent: dt.datetime
    mood: str
    fate: str
    header: dict[str, Any]
    answers: dict[str, Any] = field(default_factory=dict)
    photos: dict[str, list[UUID]] = field(default_factory=dict)


class Planner:
    """Throws the dice for the whole history."""

    def __init__(self, story: Simulation, service: Service, library: Library) -> None:
        self.story, self.service, self.library = story, service, library
        # Reports come from phones: whoever holds one inspects.
        self.teams = {
            spec.code: [p for p in service.at(spec.code, "officer") if p.device] for spec in WORKING
        }
        self.shown = service.who("officer")

    def visits(self, count: int) -> list[Visit]:
        """Plan `count` inspections of the last eighteen months, and the archive of August 2024; in order of time."""
        lately = max(round(count * LATELY), min(count, FEWEST_LATELY))
        today = self.story.end.astimezone(VIETNAM).date()
        days = [self._day() for _ in range(count - lately)]
        days += [today - dt.timedelta(days=number % 7) for number in range(lately)]
        if self.story.has_archive:
            first, last = ARCHIVE
            length = (last - first).days + 1
            days += [
                first + dt.timedelta(days=int(self.story.dice.random() * length))
                for _ in range(round(count * ARCHIVED))
            ]
        weights = {spec: spec.weight for spec in WORKING}
        planned = [visit for day in days for visit in self._visits_on(day, self.story.weighted(weights))]
        planned.sort(key=lambda visit: visit.sent)
        self._settle_fresh([v for v in planned if v.sent > self.story.end - FRESH])
        return planned

    def _day(self) -> dt.date:
        """Pick a day: the work grows a little over time, and Sundays are quieter."""
        while True:
            share = (
                self.story.dice.triangular(0, 1, 0.8) if self.story.often(0.3) else self.story.dice.random()
            )
            day = (self.story.start + share * HISTORY).astimezone(VIETNAM).date()
            if day.weekday() != 6 or self.story.often(0.6):
                return day

    def _visits_on(self, day: dt.date, spec: Spec) -> Iterator[Visit]:
        """Give one inspection, or the support work of that hour; after a find sometimes what follows it."""
        story = self.story
        started = self._moment(day, spec)
        works, shares = zip(*profiles.WORKS[spec.type], strict=True)
        work = story.dice.choices(works, shares)[0]
        support = story.weighted({"": 1 - sum(profiles.SUPPORT.values()), **profiles.SUPPORT})
        if support and (support != "canine_team" or spec.code in profiles.DOGS):
            work = work._replace(checklist=support)
        first = self._visit(spec, work, started)
        if first is None:
            return
        yield first
        if first.mood == FIND and story.often(0.2):
            follow = self._visit(spec, work._replace(checklist="suspected_drugs"), first.ended, after=first)
            if follow:
                yield follow
                later = follow.ended + dt.timedelta(hours=8 + 20 * story.dice.random())
                handed = self._visit(spec, work._replace(checklist="exhibit_handover"), later, after=first)
                if handed and story.often(0.5):
                    yield handed

    def _moment(self, day: dt.date, spec: Spec) -> dt.datetime:
        """Pick a time of that day by the unit's rhythm; on the last day only what has already been."""
        latest = self.story.end - dt.timedelta(minutes=50)
        for _ in range(40):
            hour = self.story.weighted(dict(enumerate(profiles.HOURS[spec.type])))
            moment = local(day, hour, int(self.story.dice.random() * 60))
            if moment < latest:
                return moment
        return local(day) + (latest - local(day)) * self.story.dice.random()

    def _visit(
        self, spec: Spec, work: profiles.Work, started: dt.datetime, after: Visit | None = None
    ) -> Visit | None:
        story = self.story
        low, high = profiles.MINUTES[work.checklist]
        ended = started + dt.timedelta(minutes=low + (high - low) * story.dice.random())
        sent = ended + self._delay(spec)
        if sent >= story.end:
            sent = ended + dt.timedelta(minutes=1)
        if sent >= story.end:
            return None
        story.at(started)
        person = after.person if after else story.one_of(self.teams[spec.code])
        header, mood = self._header(spec, work, after)
        header["started_on_device_at"], header["ended_on_device_at"] = started.isoformat(), ended.isoformat()
        edition = self.library.at(work.checklist, started)
        visit = Visit(
            story.new_id(), person, spec.code, edition, started, ended, sent, mood, APPROVED, header
        )
        self._fill(visit)
        visit.fate = self._fate()
        return visit

    def _fill(self, visit: Visit) -> None:
        filler = Filler(self.story, visit.edition, visit.header, visit.mood, visit.person.officer.full_name)
        filled = filler.fill()
        visit.answers = filled.answers
        visit.photos = {key: [self.story.new_id() for _ in range(n)] for key, n in filled.photos.items()}

    def _delay(self, spec: Spec) -> dt.timedelta:
        """Say how long a report lay on the phone: seconds at an airport, now and then days at a mountain gate."""
        remote = spec.type == "land_border"
        if self.story.often(0.02 if remote else 0.004):
            return dt.timedelta(hours=30 + 42 * self.story.dice.random())
        return dt.timedelta(minutes=1 + self.story.dice.expovariate(1 / (90 if remote else 12)))

    def _fate(self) -> str:
        return self.story.weighted({APPROVED: 948, RETURNED: 44, VOIDED: 8})

    def _settle_fresh(self, fresh: list[Visit]) -> None:
        """Leave some of the newest reports open in every way, and give the demo's officer one that came back."""
        for number, visit in enumerate(fresh):
            visit.fate = _FRESH_FATES[number % len(_FRESH_FATES)]
            if visit.fate == PHOTO_LOST and not visit.photos:
                self._doubt(visit)
        mine = [v for v in fresh if v.unit == self.shown.unit and not v.photos and v.mood == QUIET][-3:]
        for visit, fate in zip(reversed(mine), (WAITING, RETURNED, APPROVED), strict=False):
            visit.person, visit.fate = self.shown, fate

    def _doubt(self, visit: Visit) -> None:
        """Turn a quiet inspection into one with a doubtful image, which must be kept."""
        self.story.at(visit.started)
        visit.mood = DOUBT
        visit.header |= {"outcome": "suspicion_open", "remarks": self.story.one_of(SUSPICIOUS)}
        self._fill(visit)

    def _header(self, spec: Spec, work: profiles.Work, after: Visit | None) -> tuple[dict[str, Any], str]:
        story = self.story
        reason = story.weighted(profiles.REASONS)
        outcome = self._outcome(reason)
        mood = {"finding": FIND, "referred": DOUBT, "suspicion_open": DOUBT}.get(outcome, QUIET)
        if mood == DOUBT and story.often(0.75):
            mood = QUIET  # something in what was said, nothing in what was seen
        if mood == FIND and story.often(0.6):
            mood = DOUBT  # a find, but not of drugs
        if work.checklist in profiles.SUPPORT:
            reason, outcome, mood = "mandatory_100pct", "nothing_found", QUIET
        if after:
            reason, outcome, mood = after.header["selection_reason"], "finding", FIND
        direction = story.weighted(work.directions)
        header = {
            "mode": work.mode,
            "direction": direction,
            "place_type": work.place_type,
            "place": story.one_of(
                profiles.PLACES.get(spec.code, ("Khu vực kiểm tra số 1", "Khu vực kiểm tra số 2"))
            ),
            "selection_reason": reason,
            "channel": story.weighted({"green": 60, "yellow": 25, "red": 15}) if mood == QUIET else "red",
            "outcome": outcome,
            "captured_tz": "Asia/Ho_Chi_Minh",
            "subjects": [{"kind": "traveller", "nationality": story.one_of(profiles.NATIONS)}]
            if work.checklist == "passenger_baggage"
            else [],
            "transport": self._transport(spec, work),
            "goods": self._goods(work),
            "means_used": self._means(work, mood),
            "remarks": self._remarks(work, outcome, mood),
        }
        return header, mood

    def _outcome(self, reason: str) -> str:
        throw = self.story.dice.random() * 1000
        if throw < profiles.FINDING[reason]:
            return "finding"
        if throw < profiles.FINDING[reason] + profiles.DOUBT[reason]:
            return self.story.weighted(profiles.DOUBTFUL)
        return self.story.weighted({"nothing_found": 72, "released": 28})

    def _transport(self, spec: Spec, work: profiles.Work) -> dict[str, str]:
        story = self.story
        if spec.code in profiles.AIRPORTS or work.mode.startswith("air"):
            airport = profiles.AIRPORTS.get(spec.code, "HAN")
            return {
                "flight": f"{story.one_of(profiles.FLIGHTS)}{100 + int(story.digits(3)) % 800}",
                "airport": airport,
            }
        if work.mode.startswith("road"):
            return {
                "plate": f"{story.one_of(('74', '38', '70', '29', '43', '73'))}C-{story.digits(3)}.{story.digits(2)}"
            }
        return {}

    def _goods(self, work: profiles.Work) -> dict[str, str]:
        kinds = GOODS.get(work.checklist)
        if not kinds:
            return {}
        number = {
            "air_cargo": airway_bill,
            "express_postal": s10,
            "container": container_no,
        }.get(work.checklist)
        named = {"description": self.story.one_of(kinds)}
        return {**named, "number": number(self.story)} if number else named

    def _means(self, work: profiles.Work, mood: str) -> list[str]:
        first: Mapping[str, str] = {
            "passenger_baggage": "xray_baggage",
            "air_cargo": "xray_baggage",
            "express_postal": "xray_baggage",
            "container": "xray_container",
            "road_vehicle": "physical_search",
        }
        means = [first[work.checklist]] if work.checklist in first else []
        if mood != QUIET:
            means.append("physical_search" if "physical_search" not in means else "canine")
        if mood == FIND:
            means.append("field_test_kit")
        return means

    def _remarks(self, work: profiles.Work, outcome: str, mood: str) -> str:
        if outcome == "finding":
            return self.story.one_of(FINDINGS if mood == FIND else OTHER_FINDINGS)
        if outcome in profiles.DOUBTFUL:
            return self.story.one_of(SUSPICIOUS)
        return self.story.one_of(QUIET_WORDS[work.checklist]) if self.story.often(0.55) else ""
