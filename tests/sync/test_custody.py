"""Custody through sync: a chain from phones, sent twice, by the wrong person, rubbish; results in any order."""

from __future__ import annotations

import copy
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
from apps.custody import actions as custody
from apps.custody.models import CustodyEvent, Exhibit, HandOver, Seal
from apps.custody.queries import KIND
from apps.inspections.errors import FieldConflict
from apps.seizures import actions
from apps.seizures.models import ReportVersion, SeizureLine, SeizureReport
from apps.sync.actions import push
from tests.cast import Cast, Member
from tests.holding import WITNESSED, Holding, package, sealing
from tests.seizing import Seizing, flash, line, sound
from tests.work import Pocket, check_feed, fresh, mutation


def send(by: Member, *mutations: dict[str, Any]) -> list[dict[str, Any]]:
    return push(actor=by.actor(), mutations=[copy.deepcopy(m) for m in mutations])


@pytest.fixture
def on_phones(cast: Cast) -> None:
    """Officer, team-mate and custodian act through phones; their leader is there too."""
    for member in (cast.officer, cast.team_mate, cast.custodian):
        member.client()
    cast.leader.actor()


@pytest.fixture
def report(on_phones: None, seizing: Seizing, cast: Cast) -> SeizureReport:
    """A flash of the officer."""
    return seizing.send(actions.send_flash, flash(participants=[cast.team_mate.officer.badge_no])).report


def chain(report: SeizureReport, badge: str) -> list[dict[str, Any]]:
    """Give a whole chain as a phone without a line writes it: none names a revision, for none was pulled."""
    first = mutation("exhibit.record", package(report))
    oid = first["object"]
    opening = {"purpose": "Lấy mẫu", "seals_read": ["NP-000123"], **WITNESSED}
    taken = {"sample_purpose": "lab", "description": "Mẫu", "taken_mass_g": "5", **WITNESSED}
    return [
        first,
        mutation("exhibit.seal", sealing(), oid=oid),
        mutation("exhibit.store", {"place": "Kho"}, oid=oid),
        mutation("exhibit.unseal", opening, oid=oid),
        mutation("exhibit.sample", {**taken, "exhibit": oid}),
        mutation("exhibit.reseal", sealing("NP-000124", gross_mass_g="1245"), oid=oid),
        mutation("exhibit.move", {"place": "Xe", "purpose": "Giao PC04"}, oid=oid),
        mutation("hand_over.offer", {"exhibits": [oid], "kind": "inside", "badge_no": badge}),
    ]


def test_a_whole_chain_sent_twice_changes_nothing(report: SeizureReport, cast: Cast) -> None:
    mutations = chain(report, cast.custodian.officer.badge_no)
    assert [r["status"] for r in send(cast.officer, *mutations)] == ["applied"] * 8
    assert {r["status"] for r in send(cast.officer, *reversed(mutations))} == {"duplicate"}
    exhibit = Exhibit.objects.get(pk=mutations[0]["object"])
    offer = HandOver.objects.get()
    said = {str(exhibit.pk): {"seals_read": ["NP-000124"], "mass_read": "1245"}}
    accept = mutation("hand_over.accept", {"items": said}, oid=offer.pk, base_rev=1)
    twin = mutation("hand_over.accept", {"items": said}, oid=offer.pk, base_rev=1)
    assert [r["status"] for r in send(cast.custodian, accept, accept, twin)] == [
        "applied",
        "duplicate",
        "conflict",
    ]
    exhibit.refresh_from_db()
    assert (exhibit.holder_id, exhibit.seq) == (cast.custodian.officer.pk, 9)
    assert [e.seq for e in CustodyEvent.objects.filter(exhibit=exhibit)] == list(range(1, 10))
    for member in (cast.officer, cast.custodian):
        pocket = Pocket()
        pocket.pull(member.actor())
        assert pocket.rows == fresh(member.actor())
    check_feed()


def test_a_correction_from_a_phone(report: SeizureReport, cast: Cast) -> None:
    """By who holds it, before it is sealed, with a reason; sent twice it stands once, and rubbish changes nothing."""
    first, seal, *_ = chain(report, "")
    oid = first["object"]
    correct = mutation("exhibit.correct", {"description": "Túi trắng", "reason": "Ghi nhầm màu"}, oid=oid)
    assert [r["status"] for r in send(cast.officer, first, correct, correct)] == [
        "applied",
        "applied",
        "duplicate",
    ]
    step = CustodyEvent.objects.get(exhibit=oid, kind="corrected")
    assert step.said["said"]["note"] == "Ghi nhầm màu"
    assert step.said["said"]["changed"]["description"][1] == "Túi trắng"
    rubbish = (
        {"description": "Túi xanh"},
        {"description": "Túi xanh", "reason": ["x"]},
        {"description": "Túi trắng", "reason": "Không đổi gì"},
        {"net_mass_g": "nhiều", "reason": "x"},
        {"mark": "9", "reason": "x"},
    )
    refused = send(cast.officer, *(mutation("exhibit.correct", fields, oid=oid) for fields in rubbish))
    assert [r["code"] for r in refused] == ["invalid-field"] * 5
    assert {r["detail"] for r in refused[:2]} == {"Cần ghi rõ ý kiến hoặc lý do."}
    stranger = mutation("exhibit.correct", {"description": "Túi xanh", "reason": "x"}, oid=oid, base_rev=2)
    assert send(cast.team_mate, stranger)[0]["code"] == "not-holder"
    later = mutation("exhibit.correct", {"description": "Túi xanh", "reason": "x"}, oid=oid)
    assert [r["status"] for r in send(cast.officer, seal, later)] == ["applied", "rejected"]
    assert Exhibit.objects.get(pk=oid).description == "Túi trắng"
    check_feed()


def test_a_step_on_an_old_revision_is_kept_as_a_conflict(report: SeizureReport, cast: Cast) -> None:
    first, seal, store, *_ = chain(report, "")
    send(cast.officer, first, seal)
    stale = mutation("exhibit.move", {"place": "Xe", "purpose": "x"}, oid=first["object"], base_rev=1)
    (refused,) = send(cast.custodian, stale)
    assert (refused["status"], refused["code"]) == ("conflict", "exhibit-moved-on")
    assert refused["current"]["state"] == "sealed"
    fresh_one = mutation("exhibit.move", {"place": "Xe", "purpose": "x"}, oid=first["object"], base_rev=2)
    assert send(cast.custodian, fresh_one)[0]["status"] == "applied"
    assert send(cast.officer, store)[0]["code"] == "exhibit-moved-on"


def test_what_differs_is_told_as_a_warning(report: SeizureReport, cast: Cast) -> None:
    first, seal, _, *_ = chain(report, "")
    send(cast.officer, first, seal)
    wrong = {"place": "Kho", "seals_read": ["SAI"], "gross_mass_g": "1"}
    (result,) = send(cast.officer, mutation("exhibit.store", wrong, oid=first["object"], base_rev=2))
    assert (result["status"], sorted(result["warnings"])) == (
        "applied",
        ["seal_mismatch", "weight_discrepancy"],
    )


def test_a_stranger_learns_nothing(report: SeizureReport, cast: Cast) -> None:
    cast.outsider.client()
    first, seal, *_ = chain(report, "")
    send(cast.officer, first)
    there = send(cast.outsider, {**seal, "id": mutation("x", {})["id"]})[0]
    nowhere = send(cast.outsider, mutation("exhibit.seal", sealing("NP-7"), base_rev=1))[0]
    assert {k: v for k, v in there.items() if k != "id"} == {k: v for k, v in nowhere.items() if k != "id"}
    assert there["code"] == "not-found"
    taken = mutation("exhibit.record", package(report), oid=first["object"])
    assert send(cast.outsider, taken)[0]["code"] == "not-found"


RUBBISH: list[dict[str, Any]] = [
    {"seals": 5},
    {"seals": [5]},
    {"seals": [{"number": {"a": 1}}]},
    {"seals": [{"number": "---", "type": "plastic"}]},
    {"seals": [{"number": "1", "type": "plastic", "year": 10**8}]},
    {"seals": [{"number": "1", "type": "plastic"}, {"number": "1.", "type": "metal"}]},
    {"seals": [{"number": str(i), "type": "plastic"} for i in range(100)]},
    {"witnesses": "x"},
    {"witnesses": [["x"]], "gross_mass_g": "1e5"},
    {"gross_mass_g": "NaN"},
    {"place": ["x"]},
    {"photos": ["x"]},
    {"exhibits": ["x"], "items": {"x": 5}, "exhibit": 7, "exhibit_rev": "x", "report": "x", "note": 5},
]


@pytest.mark.parametrize("fields", RUBBISH)
@pytest.mark.parametrize(
    "kind",
    [
        "exhibit.record",
        "exhibit.seal",
        "exhibit.sample",
        "exhibit.unseal",
        "hand_over.offer",
        "hand_over.accept",
    ],
)
def test_rubbish_is_refused_and_never_an_error_of_ours(
    report: SeizureReport, cast: Cast, kind: str, fields: dict[str, Any]
) -> None:
    first = mutation("exhibit.record", package(report))
    send(cast.officer, first)
    whole = {
        **package(report),
        **sealing(),
        "kind": "police",
        "office": "PC04",
        "exhibits": [first["object"]],
    }
    oid = first["object"] if kind in {"exhibit.seal", "exhibit.unseal"} else None
    (result,) = send(cast.officer, mutation(kind, {**whole, **fields}, oid=oid))
    assert result.get("code") not in {"server-error", "busy"}, result
    assert result["status"] in {"rejected", "conflict", "applied"}, result


@pytest.mark.parametrize(
    ("seal", "kept"),
    [
        ({"number": "ß" * 60}, ("NBA", 60)),
        ({"number": "1", "issuer": "ß" * 40}, ("S" * 20, 1)),
        ({"number": "1", "issuer": " - - "}, ("NBA", 1)),
    ],
)
def test_seals_of_strange_letters_fit_their_columns_and_have_an_issuer(
    report: SeizureReport, cast: Cast, seal: dict[str, Any], kept: tuple[str, int]
) -> None:
    first = mutation("exhibit.record", package(report))
    seals = [{"type": "plastic", **seal}]
    sealed = mutation("exhibit.seal", {**sealing(), "seals": seals}, oid=first["object"], base_rev=1)
    assert [r["status"] for r in send(cast.officer, first, sealed)] == ["applied"] * 2
    row = Seal.objects.get()
    assert (row.issuer[:20], len(row.spelling)) == kept


def test_the_audit_of_the_feed_knows_exhibits(report: SeizureReport, cast: Cast) -> None:
    send(cast.officer, *chain(report, cast.custodian.officer.badge_no))
    call_command("sync_audit", stdout=StringIO())
    exhibit = Exhibit.objects.get(parent=None)
    Entry.objects.filter(oid=exhibit.pk, stream_id=post_stream(cast.custodian.posting.pk)).update(body="{}")
    with pytest.raises(SystemExit):
        call_command("sync_audit", stdout=StringIO())
    call_command("sync_audit", "--fix", stdout=StringIO())
    assert fresh(cast.custodian.actor())[post_stream(cast.custodian.posting.pk), KIND, str(exhibit.pk)]


GRAMS = st.integers(1, 5)
EDITS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["officer", "team_mate"]), st.sampled_from("123"), GRAMS),
        st.tuples(st.just("lab"), st.integers(0, 2), st.one_of(st.none(), GRAMS)),
    ),
    max_size=9,
)


@pytest.mark.usefixtures("on_phones")
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_two_officers_and_a_laboratory_in_any_order(
    seizing: Seizing, holding: Holding, cast: Cast, edits: list[tuple[str, Any, Any]]
) -> None:
    """Line 1 lies in two packages, line 2 in one. The laboratory reads packages, officers weigh lines, on one revision.

    A line's figure is the laboratory's sum once all of its packages have an amount, and what was weighed until then;
    nothing counts twice, nothing is lost, and each version can be read.
    """
    with transaction.atomic():
        badge = cast.team_mate.officer.badge_no
        lines = {"1": line(net_mass_g="10"), "2": line(net_mass_g="20")}
        begun = seizing.send(actions.send_flash, {**sound(), "lines": lines, "participants": [badge]}).report
        packages = [holding.recorded(begun, mark=mark, net_mass_g=None) for mark in "112"]
        weighed: dict[str, int] = {"1": 10, "2": 20}
        written: dict[str, str] = {}
        found: dict[int, int | None] = {}
        for who, what, grams in edits:
            if who == "lab":
                _result(cast, packages[what], grams)
                found[what] = grams
                continue
            clash = written.get(what, who) != who and weighed[what] != grams
            _weigh(seizing, getattr(cast, who), begun, what, grams, refused=clash)
            if not clash:
                if weighed.get(what) != grams:
                    written[what] = who
                weighed[what] = grams
        expected = {**weighed, **_by_laboratory(found)}
        rows = list(SeizureLine.objects.filter(report=begun).values_list("mark", "mass_g"))
        assert len(rows) == len(expected)
        kept = _kept(edits)
        assert dict(rows) == {mark: Decimal(kept.get(mark, grams)) for mark, grams in expected.items()}
        versions = ReportVersion.objects.filter(report=begun)
        assert [v.version for v in versions] == list(range(1, len(versions) + 1))
        assert all(v.body["lines"]["1"]["net_mass_g"] for v in versions)
        mine, theirs = Pocket(), Pocket()
        mine.pull(cast.officer.actor())
        theirs.pull(cast.team_mate.actor())
        assert mine.of_kind("seizure") == theirs.of_kind("seizure")
        transaction.set_rollback(True)


def _kept(edits: list[tuple[str, Any, Any]]) -> dict[str, int]:
    """Replay the laboratory alone: a full sum stands until a newer full sum takes its place."""
    found: dict[int, int | None] = {}
    kept: dict[str, int] = {}
    for who, what, grams in edits:
        if who == "lab":
            found[what] = grams
            kept |= _by_laboratory(found)
    return kept


def _by_laboratory(found: dict[int, int | None]) -> dict[str, int]:
    """Sum each line whose packages all have an amount."""
    sums = {}
    for mark, parts in (("1", (0, 1)), ("2", (2,))):
        amounts = [found.get(part) for part in parts]
        if None not in amounts:
            sums[mark] = sum(a for a in amounts if a is not None)
    return sums


def _result(cast: Cast, exhibit: Exhibit, grams: int | None) -> None:
    result = {
        "lab_outcome": "positive",
        "lab_substance": "ketamine",
        "lab_name": "Viện KHHS",
        "lab_number": f"{exhibit.number}/KL",
        "lab_on": "2024-09-01",
        **({} if grams is None else {"lab_net_mass_g": str(grams)}),
    }
    custody.record_result(actor=cast.leader.actor(), exhibit_id=exhibit.pk, fields=result)


def _weigh(
    seizing: Seizing, by: Member, report: SeizureReport, mark: str, grams: int, *, refused: bool
) -> None:
    patch = {
        "lines": {mark: {"substance": "ketamine", "measure_basis": "scale_net", "net_mass_g": str(grams)}}
    }
    if not refused:
        seizing.send(actions.save_seizure, patch, report=report.pk, base_rev=report.rev, by=by)
        return
    with pytest.raises(FieldConflict), transaction.atomic():
        seizing.send(actions.save_seizure, patch, report=report.pk, base_rev=report.rev, by=by)
