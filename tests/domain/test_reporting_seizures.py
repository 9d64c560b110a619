"""Figures of seizures equal their reports, by definitions written down a second time: any history, any order."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import Handling
from apps.changes.actions import relay
from apps.changes.models import Reaction
from apps.common.actor import SYSTEM, Actor
from apps.common.errors import NotAllowed, NotFound
from apps.organisation.queries import today
from apps.reporting import tasks
from apps.reporting.actions import count_seizures, recount_seizures
from apps.reporting.models import SeizureEntry
from apps.reporting.queries import amendments, seizure_board, seizures_uncounted_since
from apps.reporting.rules import Period, Seized, Yield
from apps.reporting.rules.seizures import CIRCUMSTANCES
from apps.seizures import actions
from apps.seizures.models import Merge, SeizureReport
from apps.seizures.queries import groups_of
from backend.reactions import REACTIONS
from tests.cast import Cast
from tests.seizing import Seizing, flash, line, sound

TASK = "reporting.count_seizures"
PC04: dict[str, Any] = {
    "lead_force": "police",
    "participations": [{"agency": "PC04", "role": "lead"}, {"unit": "NBA", "role": "support"}],
}
JOINT: dict[str, Any] = {
    "participations": [{"unit": "NBA", "role": "lead"}, {"unit": "CPN", "role": "co_lead"}]
}
FOR_OTHERS: dict[str, Any] = {
    "participations": [{"unit": "CPN", "role": "lead"}, {"unit": "NBA", "role": "support"}]
}
LINES: tuple[dict[str, Any], ...] = (
    line(),
    line(substance="mdma", net_mass_g=None, gross_mass_g=None, count=1830, count_unit="tablet"),
    line(substance="etomidate", net_mass_g=None, gross_mass_g=None, volume_ml="750"),
    line(substance="pseudoephedrine", net_mass_g="18000", gross_mass_g="18100"),
    line(net_mass_g=None, measure_basis="scale_gross"),
    line(substance="mdma", count=400, count_unit="tablet", net_mass_g="120.0004"),
    line(measure_basis="estimated"),
)
HOW: tuple[dict[str, Any], ...] = ({}, PC04, JOINT, FOR_OTHERS)


def whole() -> Period:
    return Period(today() - dt.timedelta(days=40), today())


def figures(period: Period | None = None, **options: Any) -> Seized:
    return seizure_board(SYSTEM, period or whole(), **options).total


def owed() -> list[int]:
    relay(REACTIONS, lambda task, ids: None)
    return list(Reaction.objects.filter(done_at=None, task=TASK).values_list("pk", flat=True))


def counted() -> None:
    tasks.count_seizures(owed())


@pytest.fixture
def counting(seizing: Seizing, cast: Cast) -> Seizing:
    """People who seize; made before any example of a property is undone."""
    assert cast.officer.officer.username == "officer"
    return seizing


def person(number: str, status: str = "arrested") -> dict[str, Any]:
    return {"document_kind": "passport_no", "document_number": number, "status": status}


# What is written down here a second time, straight from the definitions.


def by_hand() -> dict[str, Any]:
    """Work the figures out from the reports, by the text of the dictionary."""
    standing = [
        r
        for r in SeizureReport.objects.filter(statistic_status__in=["provisional", "confirmed"])
        if r.handling != Handling.COMPARTMENT
    ]
    root = {r.incident_id: r.incident_id for r in SeizureReport.objects.all()}
    for merge in Merge.objects.filter(undone_at=None):
        gone, stays = root[merge.report.incident_id], root[merge.survivor.incident_id]
        root = {incident: stays if to == gone else to for incident, to in root.items()}
    incidents: dict[Any, list[SeizureReport]] = {}
    for report in standing:
        incidents.setdefault(root[report.incident_id], []).append(report)
    incidents = {
        pk: several
        for pk, several in incidents.items()
        if any(m.is_counted for r in several for m in r.measured)
    }
    several = [r for reports in incidents.values() for r in reports]
    lines = [m for r in several for m in r.measured if m.is_counted]
    group = groups_of([m.substance for m in lines])
    weighed = [m for m in lines if m.basis != "estimated"]
    drugs = [m for m in weighed if group[m.substance] != "precursor"]
    first = [min(reports, key=lambda r: (r.occurred_on, r.received_at)) for reports in incidents.values()]
    status: dict[str, set[str]] = {}
    for report in several:
        for p in report.persons.values():
            status.setdefault(p["document_number"], set()).add(p["status"])
    return {
        "cues": Counter(r.fields["first_cue"] for r in first),
        "means": Counter(code for r in first for code in r.fields["means"]),
        "cue_mass": _grams(several, group, lambda r: r.fields["first_cue"]),
        "route_mass": _grams(several, group, lambda r: f"import {r.fields['departure']} VN"),
        "incidents": len(incidents),
        "customs": sum(r.lead_force == "customs" for r in first),
        "mass": sum((m.mass_g for m in drugs if m.mass_g), Decimal(0)),
        "tablets": sum(m.count for m in drugs if m.count and not m.mass_g),
        "ml": sum((m.volume_ml for m in drugs if m.volume_ml and not m.mass_g), Decimal(0)),
        "precursors": sum(
            (m.mass_g for m in weighed if m.mass_g and group[m.substance] == "precursor"), Decimal(0)
        ),
        "arrested": sum(bool(s & {"arrested", "detained"}) for s in status.values()),
    }


def _grams(
    reports: list[SeizureReport], group: dict[str, str], of: Callable[[SeizureReport], str]
) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for report in reports:
        for m in report.measured:
            if m.is_counted and m.mass_g and m.basis != "estimated" and group[m.substance] != "precursor":
                found[of(report)] = found.get(of(report), Decimal(0)) + m.mass_g
    return found


def told(s: Seized) -> dict[str, Any]:
    cues, means, routes = (s.yields.get(name, {}) for name in ("first_cue", "means", "route"))
    return {
        "cues": {code: y.incidents for code, y in cues.items() if y.incidents},
        "means": {code: y.incidents for code, y in means.items() if y.incidents},
        "cue_mass": {code: y.grams for code, y in cues.items() if y.grams},
        "route_mass": {code: y.grams for code, y in routes.items() if y.grams},
        "incidents": s.incidents,
        "customs": s.customs_lead,
        "mass": s.grams(precursors=False),
        "tablets": s.counted_in(precursors=False).get("tablet", 0),
        "ml": s.millilitres(precursors=False),
        "precursors": s.grams(precursors=True),
        "arrested": s.arrested,
    }


@dataclass
class Story:
    """What happened so far, and what the board showed each time something was counted."""

    seizing: Seizing
    reports: list[SeizureReport] = field(default_factory=list)
    shown: list[tuple[dt.datetime, dict[str, Any]]] = field(default_factory=list)

    def act(self, verb: str, choice: int) -> None:
        if verb == "submit" or not self.reports:
            self._submit(choice)
            return
        report = SeizureReport.objects.get(pk=self.reports[choice % len(self.reports)].pk)
        other = SeizureReport.objects.get(pk=self.reports[choice // 7 % len(self.reports)].pk)
        is_over = report.stage in {"voided", "merged"}
        if verb == "part" and report.stage == "merged":
            actions.part_seizures(actor=SYSTEM, report_id=report.pk, reason="Nhầm")
        elif is_over:
            return
        elif verb == "merge" and other.pk != report.pk and other.stage not in {"voided", "merged"}:
            actions.merge_seizures(actor=SYSTEM, report_id=report.pk, survivor_id=other.pk, reason="Một vụ")
        elif verb == "void":
            actions.decide_seizure(actor=SYSTEM, report_id=report.pk, verb="void", note="Gửi nhầm")
        elif verb == "amend":
            self._amend(report, choice)
        elif verb in {"positive", "negative"}:
            self._lab(report, verb)

    def _submit(self, choice: int) -> None:
        found = {
            **HOW[choice % len(HOW)],
            "first_cue": ("canine", "xray_baggage")[choice % 2],
            "means": [("canine", "xray_baggage")[choice % 2], "physical_search"],
            "departure": ("NL", "DE", "UNK")[choice % 3],
            "lines": {"1": LINES[choice % len(LINES)], "2": LINES[choice // 3 % len(LINES)]},
            "persons": {
                "1": person(f"C{choice % 5}555555", ("arrested", "at_large", "detained")[choice % 3])
            },
            "detected_on_device_at": (timezone.now() - dt.timedelta(days=choice % 30)).isoformat(),
            "occurred_on_device_at": (timezone.now() - dt.timedelta(days=choice % 30, hours=1)).isoformat(),
        }
        if choice % 4 == 1 and self.reports:
            found["incident"] = str(self.reports[choice % len(self.reports)].incident_id)
            found["kind"] = "expansion"
        self.reports.append(self.seizing.submitted(**found))

    def _amend(self, report: SeizureReport, choice: int) -> None:
        grams = str(100 + choice)
        fields: dict[str, Any] = {"lines": {"1": {"net_mass_g": grams, "gross_mass_g": grams}}}
        if choice % 3 == 0:
            fields["lines"] = {"2": {"removed": "Ghi hai lần"}}
        elif choice % 3 == 1:
            usual = {key: sound()[key] for key in ("lead_force", "participations")}
            fields = {
                **usual,
                **HOW[choice % len(HOW)],
                "persons": {"1": {"status": "released" if choice % 2 else "arrested"}},
            }
        actions.amend_seizure(actor=SYSTEM, report_id=report.pk, fields=fields, reason="Cân lại")

    def _lab(self, report: SeizureReport, verb: str) -> None:
        result = {
            "lab_outcome": verb,
            "lab_number": "55/KL",
            "lab_on": "2024-09-01",
            "lab_name": "Viện KHHS",
            **(
                {"lab_note": "Bột ngọt"}
                if verb == "negative"
                else {"lab_substance": "ketamine", "lab_net_mass_g": "77.5"}
            ),
        }
        actions.record_lab_result(actor=SYSTEM, report_id=report.pk, mark="1", result=result)

    def show(self) -> None:
        self.shown.append((timezone.now(), told(figures())))


STEP = st.tuples(
    st.sampled_from(
        [
            "submit",
            "submit",
            "merge",
            "part",
            "void",
            "amend",
            "positive",
            "negative",
            "deliver",
            "deliver_twice",
        ]
    ),
    st.integers(0, 200),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(STEP, max_size=14), seed=st.integers(0, 10**6))
def test_figures_equal_the_reports_after_any_history(
    counting: Seizing, steps: list[tuple[str, int]], seed: int
) -> None:
    chance = random.Random(seed)
    with thrown_away():
        story = Story(counting)
        for verb, choice in steps:
            if verb.startswith("deliver"):
                waiting = owed()
                chance.shuffle(waiting)
                for _ in range(2 if verb == "deliver_twice" else 1):
                    tasks.count_seizures(waiting[: choice + 1])
                story.show()
            else:
                story.act(verb, choice)
        last = owed()
        chance.shuffle(last)
        for pk in last:
            tasks.count_seizures([pk])
            tasks.count_seizures([pk])
        assert recount_seizures(actor=SYSTEM, dry_run=True) == (set(), set())
        assert seizures_uncounted_since() is None
        board = seizure_board(SYSTEM, whole())
        assert told(board.total) == by_hand()
        for code in ("incidents", "mass", "tablets", "precursors"):
            assert sum(told(row.figures)[code] for row in board.rows) == told(board.total)[code], code
        assert sum(board.total.forces.values()) == sum(board.total.modes.values()) == board.total.incidents
        for moment, shown in story.shown:
            assert told(figures(as_of=moment)) == shown, "what was shown once can be shown again"


@contextmanager
def thrown_away() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_each_line_enters_one_measure_and_an_estimate_none(counting: Seizing) -> None:
    counting.submitted(lines={str(i): found for i, found in enumerate(LINES)})
    counted()
    s = figures()
    assert s.incidents == 1
    assert s.grams(precursors=False) == Decimal("1200.5") + 1250 + Decimal("120.0004")
    assert s.counted_in(precursors=False) == {"tablet": 1830}, "400 tablets have a mass"
    assert s.millilitres(precursors=False) == 750
    assert s.grams(precursors=True) == 18000
    assert {thing.basis for thing in s.mass_g} == {"scale_net", "scale_gross"}


def test_what_is_no_drug_enters_no_figure(counting: Seizing) -> None:
    gun = {"article": "Súng ngắn", "count": 2, "count_unit": "piece", "seal_numbers": ["NP-9"]}
    counting.submitted(lines={"1": gun}, finding_category="weapons")
    counted()
    assert figures() == Seized()
    counting.submitted(lines={"1": line(), "2": gun}, finding_category="drugs")
    counted()
    s = figures()
    assert (s.incidents, s.arrested, s.grams(precursors=False)) == (1, 1, Decimal("1200.5"))
    assert s.counted_in(precursors=False) == {}


def test_a_flash_counts_as_an_incident_without_mass(counting: Seizing) -> None:
    counting.send(actions.send_flash, flash())
    counted()
    s = figures()
    assert (s.incidents, s.provisional, s.grams(precursors=False)) == (1, 1, Decimal(0))


def test_the_laboratory_replaces_the_scale_and_a_negative_result_takes_the_incident_out(
    counting: Seizing,
) -> None:
    report = counting.verified(counting.submitted())
    counting.lab(report)
    counted()
    (thing,) = figures().mass_g
    assert (thing.basis, figures().mass_g[thing]) == ("lab_net", Decimal("1199.25"))
    other = counting.submitted(lines={"1": line(seal_numbers=["NP-2"])})
    counted()
    assert figures().incidents == 2
    counting.lab(other, lab_outcome="negative", lab_note="Bột ngọt")
    counted()
    assert figures().incidents == 1


def test_a_duplicate_leaves_the_figures_and_comes_back_when_it_is_parted(counting: Seizing) -> None:
    one, two = counting.submitted(), counting.submitted()
    further = counting.submitted(incident=str(two.incident_id), kind="expansion")
    counted()
    assert figures().incidents == 2
    counting_three = Decimal("1200.5") * 3
    assert figures().grams(precursors=False) == counting_three
    actions.merge_seizures(actor=SYSTEM, report_id=two.pk, survivor_id=one.pk, reason="Một vụ")
    counted()
    assert figures().incidents == 1, "the expansion belongs to the survivor's incident now"
    assert figures().grams(precursors=False) == Decimal("1200.5") * 2
    actions.part_seizures(actor=SYSTEM, report_id=two.pk, reason="Nhầm")
    counted()
    assert (figures().incidents, figures().grams(precursors=False)) == (2, counting_three)
    assert SeizureEntry.objects.filter(report=further, until=None).exists()


def test_what_a_find_led_to_is_one_incident_and_loses_no_mass(counting: Seizing) -> None:
    one, two = counting.submitted(), counting.submitted(lines={"1": line(net_mass_g="300")})
    counted()
    assert (figures().incidents, figures().grams(precursors=False)) == (2, Decimal("1500.5"))
    actions.join_incidents(actor=SYSTEM, report_id=two.pk, other_id=one.pk, reason="Mở rộng")
    counted()
    assert (figures().incidents, figures().grams(precursors=False)) == (1, Decimal("1500.5"))
    actions.part_seizures(actor=SYSTEM, report_id=two.pk, reason="Nhầm")
    counted()
    assert (figures().incidents, figures().grams(precursors=False)) == (2, Decimal("1500.5"))
    assert recount_seizures(actor=SYSTEM, dry_run=True) == (set(), set())


def test_persons_are_the_same_by_document_everywhere_and_by_name_within_an_incident(
    counting: Seizing,
) -> None:
    name = {"full_name": "Người Thử Một", "status": "arrested"}
    one = counting.submitted(persons={"1": name, "2": person("C1234567")})
    counting.submitted(
        incident=str(one.incident_id),
        kind="expansion",
        persons={"1": {**name, "full_name": "NGUOI THU MOT"}, "2": {"status": "arrested"}},
    )
    counting.submitted(persons={"1": name, "2": person("c-123 4567"), "3": person("C7654321", "at_large")})
    counted()
    s = figures()
    assert s.arrested == 4, "the name twice (two incidents), the document once, the nameless one once"
    assert s.sought == 1


def test_a_joint_seizure_stands_under_the_first_lead_and_is_shared_by_all(
    counting: Seizing, cast: Cast
) -> None:
    counting.submitted(**JOINT)
    counting.submitted(**FOR_OTHERS)
    counting.submitted(**PC04)
    counted()
    board = seizure_board(SYSTEM, whole(), cast.region.pk)
    rows = {row.unit.code: row.figures for row in board.rows}
    assert {code: (s.incidents, s.customs_lead, s.participated) for code, s in rows.items()} == {
        "KV01": (0, 0, 0),
        "NBA": (2, 1, 3),
        "CPN": (1, 1, 2),
    }
    assert (board.total.incidents, board.total.participated, board.total.co_led) == (3, 3, 1)
    assert board.total.forces == {"customs": 2, "police": 1}


def test_figures_are_for_who_reads_them_and_compartments_for_nobody(counting: Seizing, cast: Cast) -> None:
    report = counting.submitted()
    counted()
    assert seizure_board(cast.leader.actor(), whole()).total.incidents == 1
    assert seizure_board(cast.hq_statistics.actor(), whole()).total.incidents == 1
    assert seizure_board(cast.other_leader.actor(), whole()).total.incidents == 0
    for stranger in (cast.other_leader, cast.officer):
        with pytest.raises(NotFound):
            seizure_board(stranger.actor(), whole(), cast.noi_bai.pk)
    SeizureReport.objects.filter(pk=report.pk).update(handling=Handling.COMPARTMENT)
    count_seizures(actor=SYSTEM, report_ids=[report.pk])
    assert figures().incidents == 0


def test_what_changes_after_the_end_of_a_period_is_an_amendment(counting: Seizing, cast: Cast) -> None:
    yesterday = Period(today() - dt.timedelta(days=1), today() - dt.timedelta(days=1))
    found = (timezone.now() - dt.timedelta(days=1)).isoformat()
    report = counting.submitted(detected_on_device_at=found, occurred_on_device_at=found)
    counted()
    early = dt.timedelta(days=1)
    for row in SeizureEntry.objects.all():
        SeizureEntry.objects.filter(pk=row.pk).update(since=row.since - early)
    actions.amend_seizure(
        actor=SYSTEM, report_id=report.pk, fields={"lines": {"1": {"net_mass_g": "1000"}}}, reason="Cân lại"
    )
    counted()
    board = seizure_board(SYSTEM, yesterday)
    assert board.at_close is not None
    assert board.at_close.grams(precursors=False) == Decimal("1200.5")
    assert board.total.grams(precursors=False) == 1000
    assert seizure_board(SYSTEM, Period(today(), today())).before_at_close == board.at_close
    (late,) = amendments(cast.hq_reviewer.actor(), yesterday)
    assert late.report == report
    assert (late.before, late.after) == (board.at_close, board.total)
    assert amendments(cast.hq_statistics.actor(), yesterday) == [], "statistics reads no reports"


def test_recount_finds_and_repairs_what_differs(counting: Seizing) -> None:
    report = counting.submitted()
    assert seizures_uncounted_since() is not None
    with pytest.raises(CommandError) as failure:
        call_command("recount", "--check")
    assert failure.value.returncode == 1
    call_command("recount")
    call_command("recount", "--check")
    SeizureEntry.objects.filter(report=report, measure="mass").update(amount=1)
    SeizureEntry.objects.filter(report=report, measure="person").delete()
    missing, extra = recount_seizures(actor=SYSTEM, dry_run=True)
    assert {e.measure for e in missing} == {"mass", "person"}
    assert {e.measure for e in extra} == {"mass"}
    counted()
    tasks.reconcile()
    assert recount_seizures(actor=SYSTEM) == (set(), set())


def test_reports_from_before_the_figures_are_owed_by_the_migration_once(counting: Seizing) -> None:
    report = counting.submitted()
    counting.send(actions.save_seizure, flash())
    counted()
    owe = import_module("apps.reporting.migrations.0004_owe_counts").owe
    owe(apps, None)
    assert not owed()  # everything is counted: nothing is owed
    SeizureEntry.objects.all().delete()
    owe(apps, None)
    owe(apps, None)
    assert len(owed()) == 1
    counted()
    assert set(SeizureEntry.objects.values_list("report_id", flat=True)) == {report.pk}


def test_entries_from_before_the_dimensions_are_filled_where_they_stand(counting: Seizing) -> None:
    counting.submitted(lines={str(i): found for i, found in enumerate(LINES)}, place_type="express_hub")
    counted()
    before = set(SeizureEntry.objects.values_list())
    blank = dict.fromkeys(("form", *CIRCUMSTANCES), "")
    SeizureEntry.objects.update(**blank)
    import_module("apps.reporting.migrations.0008_fill_dimensions").fill(apps, None)
    assert set(SeizureEntry.objects.values_list()) == before
    assert recount_seizures(actor=SYSTEM, dry_run=True) == (set(), set())


def test_an_incident_counts_under_each_of_its_means_and_hidings_and_once_under_its_cue(
    counting: Seizing,
) -> None:
    one = counting.submitted(
        concealment_places=["parcel", "cargo_goods"],
        concealment_techniques=["inside_food"],
        place_type="express_hub",
    )
    counting.submitted(
        incident=str(one.incident_id), kind="expansion", first_cue="canine", means=["canine"], departure="LA"
    )
    counting.send(actions.send_flash, flash())
    counted()
    y = figures().yields
    half = Decimal("1200.5")
    assert y["first_cue"] == {"xray_baggage": Yield(1, half), "canine": Yield(0, half), "": Yield(1)}
    assert y["means"] == {
        "xray_baggage": Yield(1, half),
        "physical_search": Yield(1, half),
        "canine": Yield(0, half),
        "": Yield(1),
    }
    assert y["hidden"] == {
        "cargo_goods inside_food": Yield(1, half),
        "parcel inside_food": Yield(1, half),
        "parcel factory_repacked": Yield(0, half),
        "": Yield(1),
    }
    assert y["route"] == {"import NL VN": Yield(1, half), "import LA VN": Yield(0, half), "  ": Yield(1)}
    assert y["place_type"] == {"express_hub": Yield(1, half), "": Yield(1, half)}
    assert {thing.form for thing in figures().mass_g} == {"powder"}


def test_only_the_system_and_administrators_count(cast: Cast) -> None:
    nobody = Actor(officer_id=cast.officer.officer.pk)
    with pytest.raises(NotAllowed):
        count_seizures(actor=nobody, report_ids=[])
    with pytest.raises(NotAllowed):
        recount_seizures(actor=nobody)


def test_a_late_report_moves_the_incident_to_the_earlier_day(counting: Seizing) -> None:
    now = timezone.now()
    first = counting.submitted()
    counted()
    earlier = (now - dt.timedelta(days=9)).isoformat()
    counting.submitted(
        incident=str(first.incident_id), detected_on_device_at=earlier, occurred_on_device_at=earlier
    )
    counted()
    assert figures(Period(today(), today())).incidents == 0
    assert figures().incidents == 1
