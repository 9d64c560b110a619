"""Exhibits from the first record: numbers, seals, witnesses, steps in order, samples, who may, what is written."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.db import DatabaseError, transaction

from apps.audit.models import Event
from apps.common.errors import ExistsDifferent, InvalidFields, NotAllowed, NotFound
from apps.common.records import new_id
from apps.custody import actions
from apps.custody.errors import (
    CustodyStep,
    ExhibitMovedOn,
    ExhibitStopped,
    NotHolder,
    OwnDiscrepancy,
    SealUsed,
)
from apps.custody.models import CustodyEvent, Exhibit, Seal, StoreCount
from apps.custody.queries import KIND, balances
from apps.inspections.errors import NoteRequired, NotReviewer, ReportVoided
from apps.seizures.actions import send_flash
from tests.cast import Cast
from tests.holding import WITNESSED, Holding, package, sealing
from tests.seizing import Seizing, flash
from tests.work import Pocket, at_once, check_feed, newest_event


def pointers(refusal: pytest.ExceptionInfo[InvalidFields]) -> set[str]:
    return {fault.pointer.removeprefix("/fields/") for fault in refusal.value.errors}


def test_a_package_is_numbered_written_down_and_on_the_phone(holding: Holding, cast: Cast) -> None:
    first = holding.recorded()
    second = holding.recorded(first.report)
    assert (first.number, second.number, first.state) == (1, 2, "recorded")
    assert first.holder_id == cast.officer.officer.pk
    event = CustodyEvent.objects.get(exhibit=first)
    assert (event.seq, event.kind, event.said["previous"]) == (1, "recorded", "")
    assert hashlib.sha256(bytes(event.body)).hexdigest() == event.hash == first.head
    told = newest_event(first.pk)
    assert (told.action, told.data["sha256"]) == ("custody.recorded", first.head)
    pocket = Pocket()
    pocket.pull(cast.officer.actor())
    assert pocket.of_kind(KIND)[str(first.pk)][1]["gross_mass_g"] == "1250"
    check_feed()


def test_the_same_package_again_is_the_same_one(holding: Holding, cast: Cast) -> None:
    exhibit = holding.recorded()
    again: dict[str, Any] = {"actor": cast.officer.actor(), "exhibit_id": exhibit.pk}
    assert actions.record_exhibit(**again, fields=package(exhibit.report_id)).exhibit == exhibit
    with pytest.raises(ExistsDifferent):
        actions.record_exhibit(**again, fields=package(exhibit.report_id, description="Khác"))
    assert CustodyEvent.objects.count() == 1


def test_an_id_that_stands_for_another_package(holding: Holding, cast: Cast) -> None:
    """The same id with another mass is not taken for the same, also when the package has gone on since."""
    exhibit = holding.sealed()
    fields = package(exhibit.report)
    again = actions.record_exhibit(actor=cast.officer.actor(), exhibit_id=exhibit.pk, fields=fields)
    assert again.exhibit.seq == 2
    for changed in ({"net_mass_g": "5"}, {"gross_mass_g": "9999"}, {"description": "Khác"}):
        with pytest.raises(ExistsDifferent):
            actions.record_exhibit(
                actor=cast.officer.actor(), exhibit_id=exhibit.pk, fields={**fields, **changed}
            )


def test_what_weighs_less_after_it_was_opened_is_seen(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    opened = {"seals_read": ["NP-000123"], "purpose": "Kiểm tra", **WITNESSED}
    holding.step(exhibit, "unsealed", opened)
    holding.step(exhibit, "resealed", sealing("NP-000124", gross_mass_g="850.5"))
    holding.step(exhibit, "unsealed", {**opened, "seals_read": ["NP-000124"]})
    holding.step(exhibit, "resealed", sealing("NP-000125", gross_mass_g="851"))
    said = [e.said["said"].get("mass_before") for e in CustodyEvent.objects.filter(exhibit=exhibit)]
    assert said == [None, None, None, "1250", None, None]
    page = cast.leader.console().get(f"/console/exhibits/{exhibit.pk}/").content.decode()
    assert "Khác với khối lượng đã ghi (g)" in page
    assert "1.250" in page


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"mark": "9"}, "mark"),
        ({"description": ""}, "description"),
        ({"gross_mass_g": None, "net_mass_g": None}, "gross_mass_g"),
        ({"net_mass_g": "1250.0001"}, "net_mass_g"),
        ({"gross_mass_g": "1250.00001"}, "gross_mass_g"),
        ({"count": 5}, "count_unit"),
        ({"gross_mass_g": 1250.5}, "gross_mass_g"),
    ],
)
def test_a_package_that_says_what_cannot_be(holding: Holding, changed: dict[str, Any], wrong: str) -> None:
    report = holding.seizing.submitted()
    with pytest.raises(InvalidFields) as refusal:
        holding.recorded(report, **changed)
    assert wrong in pointers(refusal)
    assert not Exhibit.objects.exists()


def test_who_writes_down_a_package(holding: Holding, cast: Cast, seizing: Seizing) -> None:
    report = seizing.send(send_flash, flash(participants=[cast.team_mate.officer.badge_no])).report
    assert holding.recorded(report, by=cast.team_mate).holder_id == cast.team_mate.officer.pk
    assert holding.recorded(report, by=cast.leader).number == 2
    for stranger in (cast.neighbour, cast.outsider, cast.custodian, cast.other_leader):
        with pytest.raises(NotFound):
            holding.recorded(report, by=stranger)
    with pytest.raises(NotAllowed):
        holding.recorded(report, by=cast.hq_analyst)
    seizing.decide(report, "void", cast.leader, "Trùng")
    with pytest.raises(ReportVoided):
        holding.recorded(report)


def test_sealing_takes_witnesses_and_uses_up_the_number(holding: Holding) -> None:
    exhibit = holding.recorded()
    for present, witnesses in (("yes", []), ("no", ["Một"]), (None, ["Một", "Hai"])):
        said = sealing(is_subject_present=present, witnesses=witnesses)
        with pytest.raises(InvalidFields):
            holding.step(exhibit, "sealed", said)
    done = holding.step(exhibit, "sealed", sealing(is_subject_present="no", witnesses=["Một", "Hai"]))
    assert (done.exhibit.state, done.exhibit.seal_numbers) == ("sealed", ["NP-000123"])
    seal = Seal.objects.get()
    assert (seal.issuer, seal.spelling) == ("NBA", "NP000123")
    other = holding.recorded(exhibit.report)
    with pytest.raises(SealUsed):
        holding.sealed(other, "np 000123")
    assert Exhibit.objects.get(pk=other.pk).state == "recorded"
    seals = [{"number": "NP-000123", "type": "plastic", "issuer": "CPN"}]
    assert holding.step(other, "sealed", sealing(seals=seals)).exhibit.state == "sealed"


def test_a_seal_number_is_free_again_in_another_year(holding: Holding) -> None:
    first = holding.sealed()
    seals = [{"number": "NP-000123", "type": "plastic", "year": 2019}]
    holding.sealed(holding.recorded(first.report), seals=seals)
    assert min(Seal.objects.values_list("year", flat=True)) == 2019


def test_opened_and_sealed_again_with_another_seal(holding: Holding) -> None:
    exhibit = holding.stored()
    with pytest.raises(InvalidFields):
        holding.step(exhibit, "unsealed", {"purpose": "Lấy mẫu", **WITNESSED})
    opening = {"purpose": "Lấy mẫu", "seals_read": ["NP-000123"], **WITNESSED}
    assert holding.step(exhibit, "unsealed", opening).exhibit.seals == []
    with pytest.raises(SealUsed):
        holding.step(exhibit, "resealed", sealing())
    sealed = holding.step(exhibit, "resealed", sealing("NP-000124", gross_mass_g="1249.5")).exhibit
    assert (sealed.state, sealed.seal_numbers) == ("sealed", ["NP-000124"])
    assert sealed.gross_mass_g == Decimal("1249.5")
    kinds = list(CustodyEvent.objects.filter(exhibit=exhibit).values_list("kind", flat=True))
    assert kinds == ["recorded", "sealed", "stored", "unsealed", "resealed"]
    hashes = [e.hash for e in CustodyEvent.objects.filter(exhibit=exhibit)]
    assert [e.said["previous"] for e in CustodyEvent.objects.filter(exhibit=exhibit)] == ["", *hashes[:-1]]


def test_steps_out_of_order_are_refused(holding: Holding) -> None:
    exhibit = holding.recorded()
    for step, said in (
        ("stored", {"place": "Kho"}),
        ("moved", {"place": "Kho", "purpose": "Chuyển"}),
        ("unsealed", {"purpose": "x", "seals_read": ["1"], **WITNESSED}),
        ("received_lab", sealing()),
    ):
        with pytest.raises(CustodyStep):
            holding.step(exhibit, step, said)
    sealed = holding.sealed(exhibit)
    with pytest.raises(CustodyStep):
        holding.sealed(sealed, "NP-2")
    with pytest.raises(ExhibitMovedOn) as refusal:
        holding.step(exhibit, "stored", {"place": "Kho"}, base_rev=1)
    assert (refusal.value.current or {})["state"] == "sealed"


def test_only_who_holds_it_or_keeps_the_unit_handles_it(
    holding: Holding, cast: Cast, seizing: Seizing
) -> None:
    report = seizing.send(send_flash, flash(participants=[cast.team_mate.officer.badge_no])).report
    exhibit = holding.sealed(holding.recorded(report))
    with pytest.raises(NotHolder):
        holding.step(exhibit, "stored", {"place": "Kho"}, by=cast.team_mate)
    for stranger in (cast.neighbour, cast.outsider):
        with pytest.raises(NotFound):
            holding.step(exhibit, "stored", {"place": "Kho"}, by=stranger)
    holding.step(exhibit, "stored", {"place": "Kho"}, by=cast.custodian)
    holding.step(exhibit, "stored", {"place": "Kho, kệ 2"}, by=cast.leader)


def test_a_wrong_seal_stops_everything_until_a_leader_decides(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    opening = {"purpose": "Lấy mẫu", "seals_read": ["NP-000999"], **WITNESSED}
    done = holding.step(exhibit, "unsealed", opening)
    assert (done.warnings, done.exhibit.state) == (("seal_mismatch",), "unit_store")
    with pytest.raises(ExhibitStopped):
        holding.step(exhibit, "unsealed", {**opening, "seals_read": ["NP-000123"]})
    verdict: dict[str, Any] = {"exhibit_id": exhibit.pk, "base_rev": None, "verdict": "stay"}
    with pytest.raises(NoteRequired):
        actions.decide_discrepancy(actor=cast.leader.actor(), note=" ", **verdict)
    with pytest.raises(NotReviewer):
        actions.decide_discrepancy(actor=cast.custodian.actor(), note="x", **verdict)
    freed = actions.decide_discrepancy(actor=cast.leader.actor(), note="Đọc nhầm số", **verdict).exhibit
    assert (freed.stop, freed.seal_numbers) == ("", ["NP-000123"])
    with pytest.raises(CustodyStep):
        actions.decide_discrepancy(actor=cast.leader.actor(), note="Lần nữa", **verdict)


def test_a_leader_who_holds_it_does_not_decide(holding: Holding, cast: Cast) -> None:
    report = holding.seizing.submitted()
    exhibit = holding.recorded(report, by=cast.leader)
    holding.step(exhibit, "sealed", sealing(), by=cast.leader)
    read = {"place": "Kho", "seals_read": ["KHÁC"]}
    holding.step(exhibit, "stored", read, by=cast.leader)
    verdict: dict[str, Any] = {"exhibit_id": exhibit.pk, "base_rev": None, "verdict": "as_read", "note": "x"}
    with pytest.raises(OwnDiscrepancy):
        actions.decide_discrepancy(actor=cast.leader.actor(), **verdict)
    freed = actions.decide_discrepancy(actor=cast.region_leader.actor(), **verdict).exhibit
    assert freed.seal_numbers == ["KHÁC"]
    assert Seal.objects.filter(spelling="KHÁC").exists()


def test_a_reading_that_bears_anothers_seal_cannot_stand(holding: Holding, cast: Cast) -> None:
    first = holding.sealed()
    other = holding.sealed(holding.recorded(first.report), "NP-000124")
    holding.step(other, "stored", {"place": "Kho", "seals_read": ["NP-000123"]})
    with pytest.raises(SealUsed), transaction.atomic():
        actions.decide_discrepancy(
            actor=cast.leader.actor(), exhibit_id=other.pk, base_rev=None, verdict="as_read", note="x"
        )
    assert Exhibit.objects.get(pk=other.pk).stop == "seal_mismatch"


def opened(holding: Holding) -> Exhibit:
    said = {"purpose": "Lấy mẫu", "seals_read": ["NP-000123"], **WITNESSED}
    return holding.step(holding.sealed(), "unsealed", said).exhibit


def sample(cast: Cast, exhibit: Exhibit, **changed: Any) -> Exhibit:
    fields = {
        "sample_purpose": "lab",
        "description": "Mẫu gửi giám định",
        "taken_mass_g": "5.25",
        **WITNESSED,
        **changed,
    }
    return actions.take_sample(
        actor=cast.officer.actor(), exhibit_id=exhibit.pk, base_rev=None, sample_id=new_id(), fields=fields
    ).exhibit


def test_a_sample_takes_from_its_exhibit_and_nothing_is_lost(holding: Holding, cast: Cast) -> None:
    exhibit = opened(holding)
    taken = sample(cast, exhibit)
    exhibit.refresh_from_db()
    assert (exhibit.net_mass_g, taken.net_mass_g) == (Decimal("1195.25"), Decimal("5.25"))
    assert (taken.number, taken.parent_id, taken.mark) == (2, exhibit.pk, "1")
    assert [balance.is_even for balance in balances(exhibit.report)] == [True]
    for changed, wrong in (
        ({"taken_mass_g": "9999"}, "taken_mass_g"),
        ({"taken_mass_g": ""}, "taken_mass_g"),
        ({"taken_volume_ml": "1"}, "taken_volume_ml"),
        ({"sample_purpose": "training"}, "decision_number"),
        ({"witnesses": []}, "witnesses"),
    ):
        with pytest.raises(InvalidFields) as refusal:
            sample(cast, exhibit, **changed)
        assert wrong in pointers(refusal), changed
    assert Exhibit.objects.count() == 2


def test_a_line_that_its_exhibits_do_not_add_up_to_is_seen(holding: Holding) -> None:
    exhibit = holding.recorded(net_mass_g="1100")
    assert [(b.mark, b.is_even) for b in balances(exhibit.report)] == [("1", False)]


def test_nothing_written_once_is_changed_or_taken_away(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    actions.count_store(
        actor=cast.custodian.actor(), unit_id=exhibit.unit_id, found=[], fields={"witness": "Người thứ hai"}
    )
    for model in (CustodyEvent, Seal, StoreCount):
        rows = model.objects.all()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(id=new_id())
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows._raw_delete("default")


def test_a_count_of_the_store_names_what_is_missing_and_unknown(holding: Holding, cast: Cast) -> None:
    first = holding.stored()
    second = holding.stored(holding.sealed(holding.recorded(first.report), "NP-000124"))
    holding.sealed(holding.recorded(first.report), "NP-000125")
    count = actions.count_store(
        actor=cast.custodian.actor(),
        unit_id=first.unit_id,
        found=["np000123", " ", "LẠ-1"],
        fields={"witness": "Người thứ hai"},
    )
    number = first.report.number
    assert count.said["expected"] == [f"{number}/1", f"{number}/2"]
    assert (count.said["missing"], count.said["unknown"]) == ([f"{number}/{second.number}"], ["LẠ-1"])
    told = Event.objects.get(action="store.counted").data["sha256"]
    assert told == hashlib.sha256(bytes(count.body)).hexdigest()
    for stranger in (cast.officer, cast.other_leader, cast.hq_reviewer):
        with pytest.raises(NotAllowed):
            actions.count_store(
                actor=stranger.actor(), unit_id=first.unit_id, found=[], fields={"witness": "x"}
            )
    with pytest.raises(InvalidFields):
        actions.count_store(actor=cast.custodian.actor(), unit_id=first.unit_id, found=[], fields={})


@pytest.mark.django_db(transaction=True)
def test_one_seal_on_two_packages_at_the_same_moment(holding: Holding, cast: Cast) -> None:
    first = holding.recorded()
    other = holding.recorded(first.report)
    raised = at_once(
        lambda: holding.sealed(first),
        lambda: holding.sealed(other),
    )
    assert [text.startswith("SealUsed") for text in raised] == [True]
    assert Seal.objects.count() == 1
    assert sorted(Exhibit.objects.values_list("state", flat=True)) == ["recorded", "sealed"]
    check_feed()


@pytest.mark.django_db(transaction=True)
def test_packages_written_down_at_the_same_moment_get_numbers_of_their_own(
    holding: Holding, cast: Cast
) -> None:
    report = holding.seizing.submitted()
    cast.leader.actor()
    assert not at_once(
        lambda: holding.recorded(report),
        lambda: holding.recorded(report, by=cast.leader),
        lambda: holding.recorded(report),
    )
    assert list(Exhibit.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert orjson.loads(bytes(CustodyEvent.objects.latest("at").body))["seq"] == 1
