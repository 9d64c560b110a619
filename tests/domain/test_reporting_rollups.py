"""Roll-ups equal their rows: after any history, after tasks in any order and delivered twice, and under a race."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Handling, Officer, Posting
from apps.changes.actions import Item, record, relay
from apps.changes.models import Reaction
from apps.checklists.models import Checklist, ChecklistVersion
from apps.common.actor import SYSTEM, Actor
from apps.common.errors import NotAllowed
from apps.common.records import new_id
from apps.inspections.models import InspectionReport, State
from apps.organisation.actions import create_unit
from apps.reporting import tasks
from apps.reporting.actions import recount, refresh_days
from apps.reporting.models import CountedDay, RollUp
from apps.reporting.queries import differences, uncounted_since

START = dt.date(2024, 8, 1)
REACTIONS = {"inspection.changed": ["reporting.refresh"]}
NO_NUMBER_YET = (State.LOCAL_DRAFT,)


class World:
    """Two units with an officer each, a checklist version, and reports made straight in the tables."""

    def __init__(self) -> None:
        self.units = [
            create_unit(
                actor=SYSTEM,
                code=code,
                level="gate",
                type="airport",
                names=(code, code),
                valid_from=dt.date(2020, 1, 1),
            )
            for code in ("NBA", "TSN")
        ]
        self.officer = Officer.objects.create(username="an", badge_no="1", full_name="Nguyễn Văn An")
        self.postings = [
            Posting.objects.create(officer=self.officer, unit=u, role="officer", valid_from=timezone.now())
            for u in self.units
        ]
        checklist = Checklist.objects.create(code="pax", applies_to="passenger", title_vi="a", title_en="a")
        self.version = ChecklistVersion.objects.create(
            checklist=checklist, semver="1.0.0", content={}, content_hash="x", author=self.officer
        )
        self.numbered = 0

    def report(
        self, *, unit: int = 0, day: dt.date = START, state: State = State.COMPLETE, **fields: Any
    ) -> InspectionReport:
        self.numbered += 1
        values = {
            "number": f"N-{self.numbered}",
            "state": state,
            "is_draft": state in NO_NUMBER_YET,
            "unit": self.units[unit],
            "posting": self.postings[unit],
            "officer": self.officer,
            "checklist_version": self.version,
            "content_hash": "x",
            "type": "passenger",
            "outcome": "nothing_found",
            "selection_reason": "random",
            "mode": "air_passenger",
            "occurred_on": day,
            "required_steps": 10,
            "answered_steps": 9,
        }
        return InspectionReport.objects.create(**(values | fields))

    def changed(self, report: InspectionReport, *days: dt.date) -> None:
        """Record a change as an action of inspections does: the unit and every day whose count it may alter."""
        data = {"unit": str(report.unit_id), "days": [d.isoformat() for d in days]}
        with transaction.atomic():
            record(SYSTEM, Item("inspection.changed", "inspection", report.pk, 1, data=data))


@pytest.fixture
def world(db: None) -> World:
    return World()


def owed() -> list[int]:
    relay(REACTIONS, lambda task, ids: None)
    return list(Reaction.objects.filter(done_at=None).values_list("pk", flat=True))


def cells() -> list[tuple[Any, ...]]:
    return sorted(RollUp.objects.values_list("unit__code", "day", "outcome", "inspections", "answered_steps"))


def test_a_refresh_counts_the_whole_day_of_the_unit(world: World) -> None:
    world.report()
    world.report(outcome="finding")
    world.report(outcome="finding", answered_steps=10)
    world.report(unit=1)
    world.report(day=START + dt.timedelta(days=1))
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    assert cells() == [("NBA", START, "finding", 2, 19), ("NBA", START, "nothing_found", 1, 9)]


@pytest.mark.parametrize("state", State.values)
def test_only_received_reports_that_were_not_voided_count(world: World, state: State) -> None:
    world.report(state=State(state))
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    assert len(cells()) == (0 if state in {"local_draft", "voided"} else 1)


def test_a_compartment_does_not_show_through_a_total(world: World) -> None:
    world.report(handling=Handling.COMPARTMENT)
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    assert cells() == []


def test_a_cell_without_reports_goes_away(world: World) -> None:
    report = world.report(outcome="finding")
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    InspectionReport.objects.filter(pk=report.pk).update(outcome="released")
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    assert cells() == [("NBA", START, "released", 1, 9)]
    InspectionReport.objects.filter(pk=report.pk).update(state="voided")
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    assert cells() == []


def test_a_refresh_that_finds_nothing_new_writes_no_cell(world: World) -> None:
    world.report()
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    before = list(RollUp.objects.values())
    refresh_days(actor=SYSTEM, cells={(world.units[0].pk, START)})
    assert list(RollUp.objects.values()) == before


def test_only_the_system_and_administrators_count(world: World) -> None:
    with pytest.raises(NotAllowed):
        refresh_days(actor=Actor(officer_id=world.officer.pk), cells=set())
    with pytest.raises(NotAllowed):
        recount(actor=Actor(officer_id=world.officer.pk))


STEP = st.tuples(
    st.sampled_from(["submit", "return", "correct", "approve", "void", "deliver", "deliver_twice"]),
    st.integers(0, 30),
)


def act(world: World, reports: list[InspectionReport], verb: str, choice: int) -> None:
    """Do to the tables what the action of that name does: move the state, and record the days it touches."""
    if verb == "submit" or not reports:
        day = START + dt.timedelta(days=choice % 3)
        report = world.report(unit=choice % 2, day=day, outcome=("finding", "released")[choice % 2])
        reports.append(report)
        world.changed(report, day)
        return
    report = reports[choice % len(reports)]
    before = report.occurred_on
    assert before is not None
    if verb == "correct":
        report.occurred_on, report.answered_steps = START + dt.timedelta(days=choice % 4), choice
    report.state = {"return": "returned", "approve": "approved", "void": "voided"}.get(verb, "complete")
    report.save()
    world.changed(report, before, report.occurred_on or before)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(STEP, max_size=25), seed=st.integers(0, 10**6))
def test_rows_equal_rollups_after_any_history(world: World, steps: list[tuple[str, int]], seed: int) -> None:
    chance = random.Random(seed)
    reports: list[InspectionReport] = []
    with thrown_away():
        for verb, choice in steps:
            if verb.startswith("deliver"):
                waiting = owed()
                chance.shuffle(waiting)
                part = waiting[: choice + 1]
                for _ in range(2 if verb == "deliver_twice" else 1):
                    tasks.refresh(part)
            else:
                act(world, reports, verb, choice)
        last = owed()
        chance.shuffle(last)
        for pk in last:
            tasks.refresh([pk])
            tasks.refresh([pk])
        assert differences() == []
        assert uncounted_since() is None
        assert sum(RollUp.objects.values_list("inspections", flat=True)) == sum(
            r.state != "voided" for r in reports
        )


@contextmanager
def thrown_away() -> Iterator[None]:
    """Undo everything at the end, so that each example starts from the same tables."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_a_refresh_that_was_never_delivered_is_known_to_be_missing(world: World) -> None:
    assert uncounted_since() is None
    report = world.report()
    world.changed(report, START)
    unseen = uncounted_since()
    assert unseen is not None
    waiting = owed()
    assert uncounted_since([world.units[0].pk]) == unseen
    assert uncounted_since([world.units[1].pk]) is None
    tasks.refresh(waiting)
    assert uncounted_since() is None


def test_recount_finds_and_repairs_every_kind_of_difference(world: World) -> None:
    for unit in (0, 1):
        world.report(unit=unit)
        world.report(unit=unit, outcome="finding")
    refresh_days(actor=SYSTEM, cells={(u.pk, START) for u in world.units})
    right = cells()
    RollUp.objects.filter(unit=world.units[0], outcome="finding").delete()
    RollUp.objects.filter(unit=world.units[1], outcome="finding").update(answered_steps=1)
    RollUp.objects.create(unit=world.units[1], day=START, type="vessel", inspections=3)
    found = recount(actor=SYSTEM, dry_run=True)
    assert sorted((d.type, d.inspections, d.answered_steps) for d in found) == [
        ("passenger", 0, 8),
        ("passenger", 1, 9),
        ("vessel", -3, 0),
    ]
    assert recount(actor=SYSTEM, dry_run=True) == found, "a dry run changes nothing"
    recount(actor=SYSTEM)
    assert cells() == right
    assert recount(actor=SYSTEM) == []


def test_the_command_says_so_by_its_exit_code(world: World, capsys: object) -> None:
    call_command("recount", "--check")
    world.report()
    with pytest.raises(CommandError) as failure:
        call_command("recount", "--check", "--json")
    assert failure.value.returncode == 1
    call_command("recount")
    call_command("recount", "--check")


def test_the_nightly_comparison_repairs_but_leaves_waiting_changes_to_the_worker(world: World) -> None:
    report = world.report()
    world.changed(report, START)
    tasks.reconcile()
    assert cells() == []
    tasks.refresh(owed())
    RollUp.objects.all().delete()
    tasks.reconcile()
    assert [row[3] for row in cells()] == [1]


@pytest.mark.django_db(transaction=True)
def test_refreshes_racing_with_new_reports_lose_none() -> None:
    """Several connections submit and count the same two days at once; the last count of each sees every report."""
    world = World()
    threads = 4
    failures: list[BaseException] = []
    ready = threading.Barrier(threads)

    def work(number: int) -> None:
        chance = random.Random(number)
        try:
            with closing(connection):
                ready.wait()
                for i in range(8):
                    day = START + dt.timedelta(days=i % 2)
                    with transaction.atomic():
                        report = world_report(world, number, i, day)
                        data = {"unit": str(report.unit_id), "days": [day.isoformat()]}
                        record(SYSTEM, Item("inspection.changed", "inspection", report.pk, 1, data=data))
                    both = [(u.pk, START + dt.timedelta(days=d)) for u in world.units for d in (0, 1)]
                    refresh_days(actor=SYSTEM, cells=[*chance.sample(both, 3), (report.unit_id, day)])
        except BaseException as error:  # noqa: BLE001  a thread's failure is the test's
            failures.append(error)

    workers = [threading.Thread(target=work, args=[n]) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert differences() == []
    assert CountedDay.objects.count() == 4


def world_report(world: World, number: int, i: int, day: dt.date) -> InspectionReport:
    return InspectionReport.objects.create(
        id=new_id(),
        number=f"R-{number}-{i}",
        state=State.COMPLETE,
        unit=world.units[i % 2],
        posting=world.postings[i % 2],
        officer=world.officer,
        checklist_version=world.version,
        content_hash="x",
        type="passenger",
        outcome="released",
        occurred_on=day,
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_count_that_waited_for_the_lock_sees_what_was_committed_meanwhile() -> None:
    world = World()
    cell = (world.units[0].pk, START)
    refresh_days(actor=SYSTEM, cells={cell})
    done = threading.Event()

    def count() -> None:
        with closing(connection):
            refresh_days(actor=SYSTEM, cells={cell})
            done.set()

    with transaction.atomic():
        CountedDay.objects.select_for_update().get(unit_id=cell[0], day=cell[1])
        other = threading.Thread(target=count)
        other.start()
        assert not done.wait(0.3), "the second count waits for the lock"
        world.report()
    other.join()
    assert [row[3] for row in cells()] == [1]
