"""The figures against the product's own actions: any sequence of them, tasks in any order, some delivered twice."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.changes.actions import relay
from apps.changes.models import Reaction
from apps.common.actor import SYSTEM
from apps.common.errors import DomainError
from apps.common.records import new_id
from apps.inspections import actions
from apps.inspections.models import COUNTED, InspectionReport
from apps.reporting import tasks
from apps.reporting.models import DIMENSIONS, RollUp
from apps.reporting.queries import board, differences, uncounted_since
from apps.reporting.rules import Period
from backend.reactions import REACTIONS
from tests.cast import Cast
from tests.reports import plain_content, plain_report
from tests.seed import publish

VERBS = ("submit", "submit", "submit", "start", "return", "correct", "approve", "void", "deliver", "twice")
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 1000)), max_size=18)
OUTCOMES = ("nothing_found", "released", "finding", "referred")


class Line:
    """Officers of two gates who report, a headquarters reviewer who judges; an illegal move is refused, not made."""

    def __init__(self, cast: Cast) -> None:
        self.version = publish(cast, "plain", "express", plain_content())
        self.officers = [cast.officer.actor(), cast.neighbour.actor()]
        self.reviewer = cast.hq_reviewer.actor()
        self.reports: list[tuple[UUID, int]] = []

    def do(self, verb: str, choice: int) -> None:
        """Do one thing, if the state of the report allows it."""
        try:
            with transaction.atomic():
                self._do(verb, choice)
        except DomainError:
            return

    def _do(self, verb: str, choice: int) -> None:
        if verb == "submit" or not self.reports:
            self.reports.append((new_id(), choice % 2))
            self._submit(choice, *self.reports[-1], base_rev=None)
            return
        report, officer = self.reports[choice % len(self.reports)]
        if verb == "correct":
            self._submit(choice, report, officer, base_rev=InspectionReport.objects.get(pk=report).rev)
        elif verb == "start":
            actions.start_review(actor=self.reviewer, report_id=report)
        elif verb == "return":
            actions.return_for_correction(actor=self.reviewer, report_id=report, notes=[], note="Xem lại.")
        elif verb == "approve":
            actions.approve_inspection(actor=self.reviewer, report_id=report)
        else:
            actions.void_inspection(actor=self.reviewer, report_id=report, reason="Báo cáo trùng.")

    def _submit(self, choice: int, report: UUID, officer: int, *, base_rev: int | None) -> None:
        started = timezone.now() - dt.timedelta(days=choice % 3, minutes=20)
        fields = plain_report(
            self.version,
            outcome=OUTCOMES[choice % 4],
            started_on_device_at=started.isoformat(),
            ended_on_device_at=(started + dt.timedelta(minutes=10)).isoformat(),
        )
        actions.submit_inspection(
            actor=self.officers[officer], report_id=report, base_rev=base_rev, fields=fields
        )


def owed() -> list[int]:
    relay(REACTIONS, lambda task, ids: None)
    return list(Reaction.objects.filter(done_at=None).values_list("pk", flat=True))


def by_hand() -> Counter[tuple[object, ...]]:
    """Count the rows one by one."""
    rows = InspectionReport.objects.values_list("state", "unit_id", "occurred_on", *DIMENSIONS)
    return Counter(row[1:] for row in rows if row[0] in COUNTED)


@pytest.fixture
def line(cast: Cast) -> Line:
    return Line(cast)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS, seed=st.integers(0, 10**6))
def test_the_figures_equal_the_rows_after_any_work(
    line: Line, steps: list[tuple[str, int]], seed: int
) -> None:
    chance = random.Random(seed)
    line.reports.clear()
    with transaction.atomic():
        for verb, choice in steps:
            if verb in {"deliver", "twice"}:
                waiting = owed()
                some = chance.sample(waiting, min(len(waiting), choice % 5 + 1))
                for _ in range(2 if verb == "twice" else 1):
                    tasks.refresh(some)
            else:
                line.do(verb, choice)
        rest = owed()
        chance.shuffle(rest)
        for pk in rest:
            tasks.refresh([pk])
        stored = RollUp.objects.values_list("unit_id", "day", *DIMENSIONS, "inspections")
        assert Counter({row[:-1]: row[-1] for row in stored}) == by_hand()
        assert differences() == []
        assert uncounted_since() is None
        transaction.set_rollback(True)


def test_a_corrected_day_leaves_the_old_one(line: Line) -> None:
    """A returned report whose start was wrong moves from one day to the other, and so do both days' figures."""
    line.do("submit", 0)
    tasks.refresh(owed())
    first = InspectionReport.objects.get().occurred_on
    line.do("return", 0)
    line.do("correct", 1)
    tasks.refresh(owed())
    second = InspectionReport.objects.get().occurred_on
    assert first is not None
    assert second is not None
    assert second < first
    assert list(RollUp.objects.values_list("day", "inspections")) == [(second, 1)]
    assert board(SYSTEM, Period(second, first)).total.inspections == 1
