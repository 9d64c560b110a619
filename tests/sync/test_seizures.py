"""Seizure reports through sync: sent twice, written by several at once, in any order; no line twice, no mass lost."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.changes.models import Entry
from apps.changes.rules import post_stream
from apps.inspections.errors import FieldConflict
from apps.seizures import actions
from apps.seizures.models import ReportVersion, SeizureLine, SeizureReport
from apps.seizures.queries import KIND
from apps.sync.actions import push
from tests.cast import Cast, Member
from tests.seizing import Seizing, flash, line, sound
from tests.work import Pocket, at_once, check_feed, fresh, mutation


def send(by: Member, *mutations: dict[str, Any]) -> list[dict[str, Any]]:
    return push(actor=by.actor(), mutations=[copy.deepcopy(m) for m in mutations])


@pytest.fixture
def on_phones(cast: Cast) -> None:
    """Both officers act through phones; their leader is there too."""
    cast.officer.client()
    cast.team_mate.client()
    cast.leader.actor()


@pytest.mark.usefixtures("on_phones")
def test_a_whole_day_sent_twice_changes_nothing(seizing: Seizing, cast: Cast) -> None:
    first = mutation("seizure.flash", flash())
    oid = first["object"]
    more = mutation("seizure.preliminary", {"summary": "Đang cân"}, oid=oid, base_rev=1)
    full = mutation("seizure.submit", sound(), oid=oid, base_rev=2)
    assert [r["status"] for r in send(cast.officer, first, more, full)] == ["applied"] * 3
    again = send(cast.officer, full, first, more)
    assert [r["status"] for r in again] == ["duplicate"] * 3
    report = SeizureReport.objects.get()
    assert (report.stage, report.version, report.rev) == ("submitted", 3, 3)
    assert ReportVersion.objects.count() == 3
    assert SeizureLine.objects.count() == 1


@pytest.mark.usefixtures("on_phones")
def test_the_same_flash_under_another_mutation_is_the_same_report(seizing: Seizing, cast: Cast) -> None:
    first = mutation("seizure.flash", flash())
    twin = mutation("seizure.flash", first["fields"], oid=first["object"])
    other = mutation("seizure.flash", {**first["fields"], "place": "Nơi khác"}, oid=first["object"])
    results = send(cast.officer, first, twin, other)
    assert [r["status"] for r in results] == ["applied", "applied", "conflict"]
    assert results[2]["code"] == "exists-different"
    assert SeizureReport.objects.get().version == 1


@pytest.mark.usefixtures("on_phones")
def test_a_conflict_keeps_both_and_shows_the_report(seizing: Seizing, cast: Cast) -> None:
    first = mutation("seizure.flash", flash(participants=[cast.team_mate.officer.badge_no]))
    send(cast.officer, first)
    mine = mutation("seizure.save", {"lines": {"1": {"net_mass_g": "900"}}}, oid=first["object"], base_rev=1)
    theirs = mutation(
        "seizure.save", {"lines": {"1": {"net_mass_g": "950"}}}, oid=first["object"], base_rev=1
    )
    assert send(cast.officer, mine)[0]["status"] == "applied"
    (refused,) = send(cast.team_mate, theirs)
    assert (refused["status"], refused["fields"]) == ("conflict", ["lines.1.net_mass_g"])
    assert refused["current"]["lines.1.net_mass_g"] == "900"


@pytest.mark.usefixtures("on_phones")
@pytest.mark.parametrize("kind", ["seizure.flash", "seizure.submit", "seizure.save"])
@pytest.mark.parametrize(
    "fields",
    [
        {"lines": []},
        {"lines": {"1": 5}},
        {"lines": {"\u0000": {}}},
        {"persons": {"1": {"full_name": ["x"]}}},
        {"participations": [{"unit": "NBA"}]},
        {"means": [{"a": 1}]},
        {"origin": "Việt Nam"},
        {"posting": "không"},
        {"incident": "không"},
        {"photos": ["x" * 5000]},
        {"lines": {str(i): {} for i in range(100)}},
        {f"k{i}": i for i in range(500)},
    ],
)
def test_hostile_fields_are_refused_and_never_an_error_of_ours(
    seizing: Seizing, cast: Cast, kind: str, fields: dict[str, Any]
) -> None:
    (result,) = send(cast.officer, mutation(kind, {**sound(), **fields}))
    assert result["status"] == "rejected", result
    assert result["code"] in {"invalid-field", "scope-revoked"}, result
    assert not SeizureReport.objects.exists()


GRAMS = st.integers(1, 5)
EDITS = st.lists(
    st.tuples(st.sampled_from(["officer", "team_mate", "lab"]), st.sampled_from("123"), GRAMS),
    max_size=8,
)


@pytest.mark.usefixtures("on_phones")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_whatever_the_order_no_line_counts_twice_and_no_mass_is_lost(
    seizing: Seizing, cast: Cast, edits: list[tuple[str, str, int]]
) -> None:
    """Everybody writes on the same old revision; the first phone to come keeps a field, the laboratory has its own."""
    with transaction.atomic():
        badge = cast.team_mate.officer.badge_no
        begun = seizing.send(
            actions.send_flash, {**sound(), "lines": {"1": line(net_mass_g="1")}, "participants": [badge]}
        ).report
        weighed: dict[str, int] = {"1": 1}
        found: dict[str, int] = {}
        written: dict[str, str] = {}
        for who, mark, grams in edits:
            if who == "lab":
                if mark in weighed:
                    with _refused_when(mark in found and found[mark] != grams):
                        _lab(cast, begun, mark, grams)
                    found.setdefault(mark, grams)
                continue
            clash = written.get(mark, who) != who and weighed[mark] != grams
            with _refused_when(clash):
                _weigh(seizing, getattr(cast, who), begun, mark, grams)
            if not clash:
                if weighed.get(mark) != grams:
                    written[mark] = who
                weighed[mark] = grams
        rows = list(SeizureLine.objects.filter(report=begun).values_list("mark", "mass_g"))
        expected = {mark: Decimal(found.get(mark, grams)) for mark, grams in weighed.items()}
        assert (len(rows), dict(rows)) == (len(expected), expected)
        versions = ReportVersion.objects.filter(report=begun)
        assert [v.version for v in versions] == list(range(1, len(versions) + 1))
        mine, theirs = Pocket(), Pocket()
        mine.pull(cast.officer.actor())
        theirs.pull(cast.team_mate.actor())
        assert mine.of_kind(KIND) == theirs.of_kind(KIND)
        transaction.set_rollback(True)


@contextmanager
def _refused_when(is_expected: bool) -> Iterator[None]:
    """Expect a conflict when it must come, and none otherwise; what was refused is undone."""
    if not is_expected:
        yield
        return
    with pytest.raises(FieldConflict), transaction.atomic():
        yield


def _weigh(seizing: Seizing, by: Member, report: SeizureReport, mark: str, grams: int) -> None:
    patch = {
        "lines": {mark: {"substance": "ketamine", "measure_basis": "scale_net", "net_mass_g": str(grams)}}
    }
    seizing.send(actions.save_seizure, patch, report=report.pk, base_rev=report.rev, by=by)


def _lab(cast: Cast, report: SeizureReport, mark: str, grams: int) -> None:
    result = {
        "lab_outcome": "positive",
        "lab_substance": "ketamine",
        "lab_net_mass_g": str(grams),
        "lab_name": "Viện KHHS",
        "lab_number": "1/KL",
        "lab_on": "2024-09-01",
    }
    actions.record_lab_result(
        actor=cast.leader.actor(), report_id=report.pk, mark=mark, result=result, base_rev=report.rev
    )


@pytest.mark.django_db(transaction=True)
def test_at_the_same_moment_on_real_connections(seizing: Seizing, cast: Cast) -> None:
    badge = cast.team_mate.officer.badge_no
    report = seizing.send(actions.send_flash, {**sound(), "participants": [badge]}).report
    for member in (cast.officer, cast.team_mate, cast.leader):
        member.actor()
    raised = at_once(
        lambda: _weigh(seizing, cast.officer, report, "2", 20),
        lambda: _weigh(seizing, cast.team_mate, report, "3", 30),
        lambda: _lab(cast, report, "1", 1000),
        lambda: _weigh(seizing, cast.team_mate, report, "2", 20),
    )
    assert not raised
    rows = list(SeizureLine.objects.values_list("mark", "mass_g").order_by("mark"))
    assert rows == [("1", Decimal(1000)), ("2", Decimal(20)), ("3", Decimal(30))]
    check_feed()


@pytest.mark.parametrize(
    "fields",
    [
        {"persons": {"1": {"document_kind": "passport_no", "document_number": "ß" * 120}}},
        {"lines": {"1": line(seal_numbers=["ΐ" * 60])}},
        {"consignments": {"1": {"courier_no": "ﬃ" * 60}}},
    ],
)
@pytest.mark.usefixtures("on_phones")
def test_letters_whose_capitals_are_several_fit_their_column(
    seizing: Seizing, cast: Cast, fields: dict[str, Any]
) -> None:
    (result,) = send(cast.officer, mutation("seizure.submit", {**sound(), **fields}))
    assert result["status"] == "applied", result
    assert max(len(n.normalised) for n in SeizureReport.objects.get().numbers.all()) == 120


def test_the_audit_of_the_feed_knows_seizures(seizing: Seizing, cast: Cast) -> None:
    badge = cast.team_mate.officer.badge_no
    report = seizing.send(actions.send_flash, flash(participants=[badge])).report
    assert not list(_differences())
    stream = post_stream(cast.team_mate.posting.pk)
    Entry.objects.filter(oid=report.pk, stream_id=stream).update(body="{}")
    assert list(_differences())
    call_command("sync_audit", "--fix", stdout=StringIO())
    assert not list(_differences())
    assert fresh(cast.team_mate.actor())[stream, KIND, str(report.pk)][1]["number"] == report.number


def _differences() -> Iterator[str]:
    out = StringIO()
    try:
        call_command("sync_audit", stdout=out)
    except SystemExit:
        yield out.getvalue()
