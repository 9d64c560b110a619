"""Living through the plan: every report is sent, reviewed, returned, corrected, approved or voided, in order of time.

Whatever would happen after the end of the story has not happened: that is how the newest reports come to be open.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from apps.common.actor import Actor
from apps.inspections import actions
from backend.demo_data.people import Person, Service
from backend.demo_data.photos import Camera
from backend.demo_data.plan import APPROVED, IN_REVIEW, PHOTO_LOST, RETURNED, VOIDED, WAITING, Visit
from backend.demo_data.simulation import VIETNAM, Simulation
from backend.demo_data.words import APPROVALS, NOTES, VOID_REASONS

Step = Callable[[Visit], None]


@dataclass(order=True)
class _Due:
    moment: dt.datetime
    number: int
    do: Callable[[], object] = field(compare=False)


class History:
    """A queue of things to do, each at its moment; doing one may put others into the queue."""

    def __init__(self, story: Simulation, service: Service, camera: Camera) -> None:
        self.story, self.service, self.camera = story, service, camera
        self._due: list[_Due] = []
        self._number = 0
        self.counts: dict[str, int] = {}

    def live(
        self, visits: list[Visit], others: Iterable[tuple[dt.datetime, Callable[[], object]]]
    ) -> Iterator[int]:
        """Do everything that happens before the end of the story; gives how many deeds are done, now and then."""
        for moment, deed in others:
            self._put(moment, deed)
        for visit in visits:
            self._at(visit.sent, self._send, visit)
        done = 0
        while self._due:
            due = heapq.heappop(self._due)
            self.story.at(due.moment)
            due.do()
            done += 1
            if done % 500 == 0:
                yield done
        yield done

    def _at(self, moment: dt.datetime, step: Step, visit: Visit) -> None:
        self._put(moment, partial(step, visit))

    def _put(self, moment: dt.datetime, deed: Callable[[], object]) -> None:
        if moment < self.story.end:
            self._number += 1
            heapq.heappush(self._due, _Due(moment, self._number, deed))

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _send(self, visit: Visit) -> None:
        """The phone sends the report and then its photos."""
        actor = self._officer(visit)
        lost = self.camera.send(visit, actor, lose_one=visit.fate == PHOTO_LOST)
        fields = {
            **visit.header,
            "checklist_version": str(visit.edition.id),
            "content_hash": visit.edition.content_hash,
            "posting": str(visit.person.posting_at(visit.started).pk),
            "answers": visit.answers,
            "photos": {step: [str(photo) for photo in ids] for step, ids in visit.photos.items()},
        }
        actions.submit_inspection(actor=actor, report_id=visit.id, base_rev=None, fields=fields)
        self._count("reports")
        if not lost:
            self._plan_review(visit)

    def _plan_review(self, visit: Visit) -> None:
        moment = self._at_a_desk(self.story.now, 20 * self.story.dice.random() ** 2 + 0.3)
        if visit.fate == VOIDED:
            self._at(self._soon(moment, visit), self._void, visit)
        elif visit.fate == RETURNED:
            self._at(self._soon(moment, visit), self._return, visit)
        elif visit.fate == IN_REVIEW:
            self._at(self._soon(moment, visit), self._take_up, visit)
        elif visit.fate == APPROVED:
            self._at(moment, self._approve, visit)
        else:
            assert visit.fate in {WAITING, PHOTO_LOST}  # noqa: S101  nothing happens to these

    def _soon(self, moment: dt.datetime, visit: Visit) -> dt.datetime:
        """Let what the reader should find open happen before the end, however late the report came."""
        return moment if moment < self.story.end else visit.sent + (self.story.end - visit.sent) / 2

    def _at_a_desk(self, after: dt.datetime, hours: float) -> dt.datetime:
        """Give the next moment of office hours that many hours later."""
        moment = (after + dt.timedelta(hours=hours)).astimezone(VIETNAM)
        if not 7 <= moment.hour < 18:
            later = dt.timedelta(days=1 if moment.hour >= 18 else 0)
            moment = (moment + later).replace(hour=8, minute=int(self.story.dice.random() * 60))
        return moment

    def _take_up(self, visit: Visit) -> None:
        actions.start_review(actor=self._reviewer(visit), report_id=visit.id)
        self._count("reviews taken up")

    def _approve(self, visit: Visit) -> None:
        note = self.story.one_of(APPROVALS)
        actions.approve_inspection(actor=self._reviewer(visit), report_id=visit.id, note=note)
        self._count("approvals")

    def _void(self, visit: Visit) -> None:
        reason = self.story.one_of(VOID_REASONS)
        actions.void_inspection(actor=self._reviewer(visit), report_id=visit.id, reason=reason)
        self._count("reports voided")

    def _return(self, visit: Visit) -> None:
        """Send the report back with a note at one or two questions, taken up first as a careful reviewer does."""
        reviewer = self._reviewer(visit)
        actions.start_review(actor=reviewer, report_id=visit.id)
        kinds = {key: step["kind"] for key, step in visit.edition.steps.items()}
        steps = [key for key in kinds if key in visit.answers and kinds[key] != "sign"]
        chosen = dict.fromkeys(self.story.one_of(steps) for _ in range(1 + self.story.often(0.3)))
        notes = [{"step_key": k, "text": self.story.one_of(NOTES[kinds[k]])} for k in chosen]
        returned = actions.return_for_correction(actor=reviewer, report_id=visit.id, notes=notes)
        self._count("reports returned")
        if visit.sent < self.story.end - dt.timedelta(days=4):
            moment = self.story.now + dt.timedelta(hours=2 + 40 * self.story.dice.random())
            self._at(moment, partial(self._correct, returned.rev), visit)

    def _correct(self, base_rev: int, visit: Visit) -> None:
        """The officer adds what was asked for and sends the report again."""
        words = f"{visit.header['remarks']} Đã bổ sung theo ý kiến soát xét.".strip()
        actions.submit_inspection(
            actor=self._officer(visit), report_id=visit.id, base_rev=base_rev, fields={"remarks": words}
        )
        self._count("corrections")
        self._at(self._at_a_desk(self.story.now, 3), self._approve, visit)

    def _officer(self, visit: Visit) -> Actor:
        return self.service.actor(visit.person, self.story.now)

    def _reviewer(self, visit: Visit) -> Actor:
        """The leader of the unit reviews; findings go to headquarters now and then."""
        leaders: list[Person] = self.service.at(visit.unit, "leader")
        if visit.header["outcome"] == "finding" and self.story.often(0.3):
            leaders = self.service.at("HQ", "hq_reviewer")
        return self.service.actor(self.story.one_of(leaders), self.story.now)
