"""Figures of custody equal the exhibits, whatever happened to them and however the count was delivered."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Handling
from apps.changes.actions import relay
from apps.changes.models import Reaction
from apps.common.actor import SYSTEM, Actor
from apps.common.errors import DomainError, NotAllowed
from apps.custody import actions
from apps.custody.models import Exhibit, HandOver
from apps.organisation.queries import today
from apps.reporting import tasks
from apps.reporting.actions import count_custody, recount_custody
from apps.reporting.models import CustodyEntry
from apps.reporting.queries import custody_uncounted_since, seizure_board
from apps.reporting.rules import Held, Period, Seized, spans_of
from apps.seizures.models import SeizureReport
from backend.reactions import REACTIONS
from tests.cast import Cast
from tests.holding import WITNESSED, Holding, sealing

TASK = "reporting.count_custody"
OUTSIDE: dict[str, Any] = {
    "kind": "police",
    "office": "PC04",
    "name": "Người nhận",
    "legal_basis": "x",
    "documents": "y",
}


def figures(unit: UUID | None = None, **options: Any) -> Seized:
    return seizure_board(SYSTEM, Period(today(), today()), unit, **options).total


def owed() -> list[int]:
    relay(REACTIONS, lambda task, ids: None)
    return list(Reaction.objects.filter(done_at=None, task=TASK).values_list("pk", flat=True))


def counted() -> None:
    tasks.count_custody(owed())


def by_hand(unit: UUID | None = None) -> dict[str, Any]:
    """Work the figures out from where the exhibits are now, by the text of the definitions."""
    rows = Exhibit.objects.exclude(state__in=["handed_over", "closed"])
    rows = rows.exclude(report__handling=Handling.COMPARTMENT)
    held = list(rows if unit is None else rows.filter(unit=unit))
    return {
        "open": len(held),
        "exceptions": sum(bool(e.stop) for e in held),
        "states": Counter(e.state for e in held),
        "stops": Counter(code for e in held for code in e.stop.split()),
    }


def told(s: Seized) -> dict[str, Any]:
    return {"open": sum(s.held.values()), "exceptions": s.stopped, "states": s.held, "stops": s.stops}


@pytest.fixture
def many(holding: Holding, cast: Cast) -> Holding:
    """People who hold exhibits; made before any example of a property is undone."""
    people = (cast.officer, cast.custodian, cast.leader, cast.region_leader, cast.hq_reviewer)
    assert all(member.officer.pk for member in people)
    return holding


@contextmanager
def thrown_away() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class Story:
    """What happens to a few packages of one seizure, and what the board showed each time something was counted."""

    holding: Holding
    report: SeizureReport
    exhibits: list[UUID] = field(default_factory=list)
    shown: list[tuple[dt.datetime, dict[str, Any]]] = field(default_factory=list)
    seals: int = 0

    def go_on(self, chance: random.Random) -> None:
        """Do something that may follow from where a package is; now and then something that may not."""
        if len(self.exhibits) < 2 or chance.random() < 0.1:
            self.exhibits.append(self.holding.recorded(self.report).pk)
            return
        exhibit = Exhibit.objects.get(pk=chance.choice(self.exhibits))
        verbs = ("decide",) if exhibit.stop else FOLLOW.get(exhibit.state, ())
        verb = chance.choice(verbs if verbs and chance.random() < 0.9 else VERBS)
        with suppress(DomainError), transaction.atomic():
            getattr(self, f"_{verb}")(exhibit, chance.randrange(60))

    def _seal(self, exhibit: Exhibit, choice: int) -> None:
        self.seals += 1
        step = "resealed" if exhibit.state == "unsealed" else "sealed"
        self.holding.step(exhibit, step, sealing(f"NP-{self.seals}"), by=self._holder(exhibit))

    def _store(self, exhibit: Exhibit, choice: int) -> None:
        read: dict[str, Any] = {"seals_read": ["NP-X"]} if choice % 3 == 0 else {}
        read |= {"gross_mass_g": "900", "seals_read": exhibit.seal_numbers} if choice % 3 == 1 else {}
        self.holding.step(exhibit, "stored", {"place": "Kệ 1", **read}, by=self._holder(exhibit))

    def _open(self, exhibit: Exhibit, choice: int) -> None:
        said = {"purpose": "Kiểm tra", "seals_read": exhibit.seal_numbers, **WITNESSED}
        self.holding.step(exhibit, "unsealed", said, by=self._holder(exhibit))

    def _give(self, exhibit: Exhibit, choice: int) -> None:
        more = {} if choice % 2 else OUTSIDE
        offer = self.holding.offer(exhibit, by=self._holder(exhibit), **more)
        wrong = {exhibit.pk: (["NP-Y"], "1250")} if choice % 5 == 0 else {}
        by = self.holding.cast.custodian if choice % 2 else self.holding.cast.leader
        more = {} if choice % 2 else {"document_number": "1/BB"}
        self.holding.accept(offer, wrong, by=by, **more)

    def _take_back(self, exhibit: Exhibit, choice: int) -> None:
        actions.withdraw_hand_over(
            actor=self._holder(exhibit).actor(), offer_id=self.holding.offer(exhibit).pk, note="Chưa"
        )

    def _decide(self, exhibit: Exhibit, choice: int) -> None:
        verdict = ("as_read", "stay")[choice % 2]
        actor = self.holding.cast.hq_reviewer.actor()
        actions.decide_discrepancy(
            actor=actor, exhibit_id=exhibit.pk, base_rev=None, verdict=verdict, note="Xét"
        )

    def _close(self, exhibit: Exhibit, choice: int) -> None:
        said = {"record_doc_number": "3/BB", "note": "Ghi trùng"}
        self.holding.step(exhibit, "closed", said, by=self.holding.cast.region_leader)

    def _holder(self, exhibit: Exhibit) -> Any:
        cast = self.holding.cast
        return cast.custodian if exhibit.holder_id == cast.custodian.officer.pk else cast.officer

    def show(self) -> None:
        self.shown.append((timezone.now(), told(figures())))


FOLLOW = {
    "recorded": ("seal", "seal", "seal", "close"),
    "sealed": ("store", "open", "give", "take_back"),
    "unsealed": ("seal",),
    "unit_store": ("store", "open", "give", "take_back"),
    "in_transit": ("store", "give"),
}
VERBS = ("seal", "store", "open", "give", "take_back", "decide", "close")


@pytest.mark.parametrize("seed", range(6))
def test_figures_equal_the_exhibits_after_any_history(many: Holding, seed: int) -> None:
    chance = random.Random(seed)
    with thrown_away():
        story = Story(many, many.seizing.submitted())
        for _ in range(40):
            story.go_on(chance)
            if chance.random() < 0.2:
                waiting = owed()
                chance.shuffle(waiting)
                for _ in range(chance.choice((1, 2))):
                    tasks.count_custody(waiting)
                assert told(figures()) == by_hand()
                story.show()
        last = owed()
        chance.shuffle(last)
        for pk in last:
            tasks.count_custody([pk])
            tasks.count_custody([pk])
        assert recount_custody(actor=SYSTEM, dry_run=True) == (set(), set())
        assert custody_uncounted_since() is None
        board = seizure_board(SYSTEM, Period(today(), today()), many.cast.region.pk)
        assert told(board.total) == by_hand()
        assert {row.unit.id: told(row.figures) for row in board.rows if row.figures.held} == {
            unit: by_hand(unit)
            for unit in set(Exhibit.objects.values_list("unit", flat=True))
            if by_hand(unit)["open"]
        }
        for moment, shown in story.shown:
            assert told(figures(as_of=moment)) == shown, "what was shown once can be shown again"
        CustodyEntry.objects.all().delete()
        recount_custody(actor=SYSTEM)
        for moment, shown in story.shown:
            assert told(figures(as_of=moment)) == shown, "also when all is worked out anew"


def test_what_is_given_counts_for_the_giver_until_it_is_taken(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    offer = holding.offer(exhibit)
    counted()
    assert told(figures()) == {"open": 1, "exceptions": 0, "states": {"in_transit": 1}, "stops": {}}
    holding.accept(offer, {exhibit.pk: (["NP-000999"], "900")})
    counted()
    assert told(figures())["stops"] == {"seal_mismatch": 1, "weight_discrepancy": 1}
    assert figures().stopped == 1, "one package, though both differ"
    actions.decide_discrepancy(
        actor=cast.leader.actor(), exhibit_id=exhibit.pk, base_rev=None, verdict="as_read", note="Tem thay"
    )
    counted()
    assert told(figures()) == {"open": 1, "exceptions": 0, "states": {"in_transit": 1}, "stops": {}}


def test_what_went_to_the_police_is_held_no_more_and_the_day_before_still_shows_it(holding: Holding) -> None:
    exhibit = holding.sealed()
    counted()
    before = timezone.now()
    offer = holding.offer(exhibit, **OUTSIDE)
    holding.accept(offer, by=holding.cast.leader, document_number="1/BB")
    assert HandOver.objects.get().state == "accepted"
    counted()
    assert figures().held == {}
    assert figures(as_of=before).held == {"sealed": 1}
    yesterday = Period(today() - dt.timedelta(days=1), today() - dt.timedelta(days=1))
    assert seizure_board(SYSTEM, yesterday).total.held == {}, "it was seized today"
    CustodyEntry.objects.filter(state="sealed").update(since=timezone.now() - dt.timedelta(days=2))
    assert seizure_board(SYSTEM, yesterday).total.held == {"sealed": 1}


def test_a_voided_report_s_packages_are_still_there_and_a_compartment_s_in_no_total(
    holding: Holding, cast: Cast
) -> None:
    report = holding.sealed().report
    holding.seizing.decide(report, "void", cast.leader, "Gửi nhầm")
    counted()
    assert (figures().incidents, figures().held) == (0, {"sealed": 1})
    assert seizure_board(cast.leader.actor(), Period(today(), today())).total.held == {"sealed": 1}
    assert seizure_board(cast.other_leader.actor(), Period(today(), today())).total.held == {}
    SeizureReport.objects.filter(pk=report.pk).update(handling=Handling.COMPARTMENT)
    assert figures().held == {}


def test_recount_finds_and_repairs_what_differs(holding: Holding, caplog: pytest.LogCaptureFixture) -> None:
    exhibit = holding.stored()
    assert custody_uncounted_since() is not None
    with pytest.raises(CommandError) as failure:
        call_command("recount", "--check")
    assert failure.value.returncode == 1
    call_command("recount")
    call_command("recount", "--check")
    CustodyEntry.objects.filter(until=None).update(state="sealed")
    missing, extra = recount_custody(actor=SYSTEM, dry_run=True)
    assert [span.state for span in (*missing, *extra)] == ["unit_store", "sealed"]
    counted()
    tasks.count_seizures(list(Reaction.objects.filter(done_at=None).values_list("pk", flat=True)))
    tasks.reconcile()
    assert recount_custody(actor=SYSTEM) == (set(), set())
    assert CustodyEntry.objects.get(until=None).exhibit == exhibit


def test_exhibits_from_before_the_figures_are_owed_by_the_migration_once(holding: Holding) -> None:
    exhibit = holding.sealed()
    counted()
    owe = import_module("apps.reporting.migrations.0006_owe_custody").owe
    owe(apps, None)
    assert not owed()  # everything is worked out: nothing is owed
    CustodyEntry.objects.all().delete()
    owe(apps, None)
    owe(apps, None)
    assert len(owed()) == 1
    counted()
    assert {row.exhibit for row in CustodyEntry.objects.all()} == {exhibit}


def test_only_the_system_and_administrators_count(cast: Cast) -> None:
    nobody = Actor(officer_id=cast.officer.officer.pk)
    with pytest.raises(NotAllowed):
        count_custody(actor=nobody, exhibit_ids=[])
    with pytest.raises(NotAllowed):
        recount_custody(actor=nobody)


def test_spans_join_what_is_alike_and_end_where_custody_ends() -> None:
    exhibit, unit = UUID(int=1), UUID(int=2)
    at = [dt.datetime(2026, 1, 1, hour, tzinfo=dt.UTC) for hour in range(6)]
    steps = [
        Held(exhibit, unit, "sealed", "", at[0]),
        Held(exhibit, unit, "sealed", "", at[1]),
        Held(exhibit, unit, "sealed", "seal_mismatch", at[2]),
        Held(exhibit, unit, "in_transit", "", at[3]),
        Held(exhibit, unit, "in_transit", "seal_mismatch", at[3]),
        Held(exhibit, unit, "handed_over", "", at[4]),
        Held(exhibit, unit, "closed", "", at[5]),
    ]
    assert spans_of(steps) == [
        Held(exhibit, unit, "sealed", "", at[0], at[2]),
        Held(exhibit, unit, "sealed", "seal_mismatch", at[2], at[3]),
        Held(exhibit, unit, "in_transit", "seal_mismatch", at[3], at[4]),
    ]
    assert spans_of([]) == []
