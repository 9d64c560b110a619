"""Two-sided hand-over: offered, confirmed, refused, differing, on paper; nobody for themselves; twins at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.models import Role
from apps.common.errors import ExistsDifferent, InvalidFields, NotFound
from apps.common.records import new_id
from apps.custody import actions
from apps.custody.errors import (
    CustodyStep,
    ExhibitStopped,
    HandOverAnswered,
    NotHolder,
    NotReceiver,
    OfferOpen,
    OwnDiscrepancy,
    OwnOffer,
)
from apps.custody.models import CustodyEvent, Exhibit, HandOver
from apps.custody.queries import HAND_OVER, KIND, in_store
from apps.inspections.errors import NoteRequired
from apps.seizures.models import SeizureReport
from tests.cast import Cast
from tests.holding import RESULT, Holding, sealing
from tests.work import Pocket, at_once, check_feed, fresh

POLICE: dict[str, Any] = {"kind": "police", "office": "PC04 Công an TP Hà Nội", "legal_basis": "Điều 33"}


def kinds(exhibit: Exhibit) -> list[str]:
    return list(CustodyEvent.objects.filter(exhibit=exhibit).values_list("kind", flat=True))


def test_until_the_receiver_confirms_the_giver_holds_it(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    offer = holding.offer(exhibit)
    exhibit.refresh_from_db()
    assert (exhibit.state, exhibit.holder_id) == ("in_transit", cast.officer.officer.pk)
    assert str(offer.number).startswith("BG-")
    for step, said in (("stored", {"place": "Kho"}), ("moved", {"place": "x", "purpose": "y"})):
        with pytest.raises(OfferOpen):
            holding.step(exhibit, step, said)
    with pytest.raises(OfferOpen):
        holding.offer(exhibit, to=cast.team_mate)
    phone = Pocket()
    phone.pull(cast.custodian.actor())
    assert set(phone.of_kind(KIND)) == {str(exhibit.pk)}
    assert phone.of_kind(HAND_OVER)[str(offer.pk)][1]["items"][str(exhibit.pk)]["seals"] == ["NP-000123"]
    done = holding.accept(offer)
    exhibit.refresh_from_db()
    assert (done.state, exhibit.holder_id, exhibit.offer_id) == ("accepted", cast.custodian.officer.pk, None)
    assert kinds(exhibit)[-2:] == ["handover_offered", "handover_accepted"]
    stored = holding.step(exhibit, "stored", {"place": "Kho tạm giữ"}, by=cast.custodian).exhibit
    assert [row.exhibit for row in in_store(cast.custodian.actor(), exhibit.unit_id, stored.updated_at)]
    phone.pull(cast.custodian.actor())
    assert phone.rows == fresh(cast.custodian.actor())
    check_feed()


def test_nobody_accepts_their_own_offer_or_anothers(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    with pytest.raises(InvalidFields):
        holding.offer(exhibit, to=cast.officer)
    with pytest.raises(InvalidFields):
        holding.offer(exhibit, to=cast.officer, by=cast.leader)
    offer = holding.offer(exhibit)
    with pytest.raises(OwnOffer):
        holding.accept(offer, by=cast.officer)
    with pytest.raises(NotReceiver):
        holding.accept(offer, by=cast.leader)
    for stranger in (cast.outsider, cast.neighbour):
        with pytest.raises(NotFound):
            holding.accept(offer, by=stranger)
    assert HandOver.objects.get().state == "offered"


@pytest.mark.parametrize("badge", ["", "HQ-KHÔNG-CÓ", "suspended", "liaison"])
def test_only_who_serves_now_can_receive(holding: Holding, cast: Cast, badge: str) -> None:
    exhibit = holding.sealed()
    number = getattr(cast, badge).officer.badge_no if badge in {"suspended", "liaison"} else badge
    with pytest.raises(InvalidFields) as refusal:
        holding.offer(exhibit, kind="inside", badge_no=number)
    assert {fault.pointer for fault in refusal.value.errors} == {"/fields/badge_no"}


def test_what_is_not_sealed_or_of_another_seizure_is_not_offered(holding: Holding, cast: Cast) -> None:
    with pytest.raises(CustodyStep):
        holding.offer(holding.recorded())
    one = holding.sealed()
    other = holding.sealed(
        holding.recorded(holding.seizing.submitted(consignments={"1": {"courier_no": "KHÁC"}})), "NP-2"
    )
    with pytest.raises(InvalidFields):
        holding.offer(one, other)
    with pytest.raises(NotHolder):
        holding.offer(one, by=cast.hq_reviewer)
    assert not HandOver.objects.exists()


def test_refused_with_a_reason_and_withdrawn_by_the_giver(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    offer = holding.offer(exhibit)
    with pytest.raises(NoteRequired):
        actions.refuse_hand_over(actor=cast.custodian.actor(), offer_id=offer.pk, note=" ")
    with pytest.raises(NotReceiver):
        actions.refuse_hand_over(actor=cast.officer.actor(), offer_id=offer.pk, note="Không")
    actions.refuse_hand_over(actor=cast.custodian.actor(), offer_id=offer.pk, note="Kho đầy")
    exhibit.refresh_from_db()
    assert (exhibit.offer_id, exhibit.holder_id) == (None, cast.officer.officer.pk)
    with pytest.raises(HandOverAnswered):
        holding.accept(offer)
    again = holding.offer(exhibit)
    with pytest.raises(NotFound):
        actions.withdraw_hand_over(actor=cast.neighbour.actor(), offer_id=again.pk)
    actions.withdraw_hand_over(actor=cast.officer.actor(), offer_id=again.pk)
    assert kinds(exhibit)[-3:] == ["handover_refused", "handover_offered", "handover_withdrawn"]
    phone = Pocket()
    phone.pull(cast.custodian.actor())
    assert not phone.of_kind(KIND)
    check_feed()


@pytest.mark.parametrize(
    ("seals", "mass", "differs"),
    [
        (["NP-000999"], "1250", ["seal_mismatch"]),
        ([], "1250", ["seal_mismatch"]),
        (["NP-000123", "NP-000777"], "1250", ["seal_mismatch"]),
        (["NP-000123"], "1240", ["weight_discrepancy"]),
        (["NP-000123"], None, ["weight_discrepancy"]),
        (["x"], "1", ["seal_mismatch", "weight_discrepancy"]),
        (["np 000123"], "1251.2", []),
    ],
)
def test_what_differs_stops_with_the_giver(
    holding: Holding, cast: Cast, seals: list[str], mass: str | None, differs: list[str]
) -> None:
    exhibit = holding.sealed()
    sound = holding.sealed(holding.recorded(exhibit.report), "NP-000124")
    offer = holding.offer(exhibit, sound)
    said = holding.accept(offer, {exhibit.pk: (seals, mass)})
    exhibit.refresh_from_db()
    sound.refresh_from_db()
    assert said.items[str(exhibit.pk)]["differs"] == differs
    assert exhibit.stop.split() == differs
    keeper = cast.officer if differs else cast.custodian
    assert exhibit.holder_id == keeper.officer.pk
    assert sound.holder_id == cast.custodian.officer.pk


def test_a_leader_lets_the_reading_stand_or_leaves_it_with_the_giver(holding: Holding, cast: Cast) -> None:
    exhibits = [holding.sealed()]
    exhibits.append(holding.sealed(holding.recorded(exhibits[0].report), "NP-000124"))
    offer = holding.offer(*exhibits)
    holding.accept(offer, {e.pk: (e.seal_numbers, "1200") for e in exhibits})
    for exhibit in exhibits:
        with pytest.raises(ExhibitStopped):
            holding.step(exhibit, "stored", {"place": "Kho"})
    decide: dict[str, Any] = {"base_rev": None, "note": "Cân lại: bao bì đã bỏ"}
    leader = cast.leader.actor()
    actions.decide_discrepancy(actor=leader, exhibit_id=exhibits[0].pk, verdict="as_read", **decide)
    actions.decide_discrepancy(actor=leader, exhibit_id=exhibits[1].pk, verdict="stay", **decide)
    passed, kept = (Exhibit.objects.get(pk=e.pk) for e in exhibits)
    assert (passed.holder_id, passed.gross_mass_g) == (cast.custodian.officer.pk, Decimal(1200))
    assert (kept.holder_id, kept.gross_mass_g) == (cast.officer.officer.pk, Decimal(1250))
    assert kinds(passed)[-3:] == ["discrepancy", "decided", "handover_accepted"]
    assert (passed.offer_id, kept.offer_id) == (None, None)
    assert fresh(cast.custodian.actor())
    check_feed()


def test_whoever_gave_or_took_decides_nothing(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    offer = holding.offer(exhibit, to=cast.leader)
    holding.accept(offer, {exhibit.pk: (["KHÁC"], "1250")}, by=cast.leader)
    decide: dict[str, Any] = {"exhibit_id": exhibit.pk, "base_rev": None, "verdict": "stay", "note": "x"}
    with pytest.raises(OwnDiscrepancy):
        actions.decide_discrepancy(actor=cast.leader.actor(), **decide)
    assert actions.decide_discrepancy(actor=cast.region_leader.actor(), **decide).exhibit.stop == ""


def test_on_paper_to_the_police(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    with pytest.raises(InvalidFields):
        holding.offer(exhibit, kind="police")
    offer = holding.offer(exhibit, **POLICE)
    paper: dict[str, Any] = {
        "receiver_name": "Đại úy Hư Cấu",
        "receiver_badge": "123-456",
        "document_number": "45/BB-PC04",
    }
    with pytest.raises(OwnOffer):
        holding.accept(offer, by=cast.officer, **paper)
    with pytest.raises(NotReceiver):
        holding.accept(offer, by=cast.hq_reviewer, **paper)
    with pytest.raises(InvalidFields):
        holding.accept(offer, by=cast.leader, receiver_name="Đại úy Hư Cấu")
    done = holding.accept(offer, by=cast.leader, **paper)
    exhibit.refresh_from_db()
    assert (exhibit.state, exhibit.holder_id) == ("handed_over", None)
    assert exhibit.outside == "PC04 Công an TP Hà Nội: Đại úy Hư Cấu"
    assert (done.document_number, done.receiver_badge) == ("45/BB-PC04", "123-456")
    with pytest.raises(CustodyStep):
        holding.step(
            exhibit,
            "unsealed",
            {"purpose": "x", "seals_read": ["NP-000123"], "is_subject_present": "yes", "witnesses": ["a"]},
            by=cast.leader,
        )
    ended = {"record_doc_number": "77/PC04", "note": "Công an thông báo đã tiêu hủy"}
    assert holding.step(exhibit, "closed", ended, by=cast.leader).exhibit.state == "closed"


def test_to_the_laboratory_and_back(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    offer = holding.offer(exhibit, kind="lab", office="Viện KHHS", name="Người nhận")
    holding.accept(offer, by=cast.leader, document_number="5/TN")
    exhibit.refresh_from_db()
    assert (exhibit.state, kinds(exhibit)[-1]) == ("at_lab", "sent_lab")
    back = sealing(
        seals=[{"number": "VKHHS-9", "type": "paper_label", "issuer": "VKHHS"}], gross_mass_g="1240"
    )
    with pytest.raises(NotFound):
        holding.step(exhibit, "received_lab", back, by=cast.outsider)
    returned = holding.step(exhibit, "received_lab", back).exhibit
    assert (returned.state, returned.seal_numbers, returned.outside) == ("sealed", ["VKHHS-9"], "")


@pytest.mark.parametrize("digest", ["x", "A" * 64, "0" * 63, 7])
def test_a_hash_of_the_laboratorys_paper_is_one(holding: Holding, cast: Cast, digest: Any) -> None:
    exhibit, leader = holding.recorded(), cast.leader.actor()
    with pytest.raises(InvalidFields) as refusal:
        actions.record_result(
            actor=leader, exhibit_id=exhibit.pk, fields={**RESULT, "attachment_sha256": digest}
        )
    assert {fault.pointer for fault in refusal.value.errors} == {"/fields/attachment_sha256"}


def test_hand_over_to_another_unit_takes_it_out_of_this_store(holding: Holding, cast: Cast) -> None:
    exhibit = holding.stored()
    before = CustodyEvent.objects.filter(exhibit=exhibit).latest("seq").at
    holding.accept(holding.offer(exhibit, to=cast.neighbour), by=cast.neighbour)
    moved = holding.step(exhibit, "stored", {"place": "Kho CPN"}, by=cast.neighbour).exhibit
    leader = cast.region_leader.actor()
    assert [row.place for row in in_store(leader, cast.express.pk, moved.updated_at)] == ["Kho CPN"]
    assert not in_store(leader, cast.noi_bai.pk, moved.updated_at)
    assert [row.place for row in in_store(leader, cast.noi_bai.pk, before)] == ["Kho tạm giữ, kệ 3"]
    assert Exhibit.objects.visible_to(cast.neighbour.actor()).exists()
    assert not type(exhibit.report).objects.visible_to(cast.neighbour.actor()).exists()


@pytest.mark.parametrize(
    "items",
    [
        {},
        {"x": {}},
        [],
        None,
        {str(UUID(int=1)): {"seals_read": ["NP-000123"], "mass_read": "1250"}},
    ],
)
def test_exactly_what_was_offered_is_confirmed(holding: Holding, cast: Cast, items: Any) -> None:
    offer = holding.offer(holding.sealed())
    with pytest.raises(InvalidFields):
        actions.accept_hand_over(actor=cast.custodian.actor(), offer_id=offer.pk, fields={"items": items})


@pytest.mark.django_db(transaction=True)
def test_twins_at_once_one_wins(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    for member in (cast.custodian, cast.team_mate, cast.leader):
        member.actor()
    raised = at_once(
        lambda: holding.offer(exhibit, to=cast.custodian),
        lambda: holding.offer(exhibit, to=cast.team_mate),
    )
    assert [text.startswith("OfferOpen") for text in raised] == [True]
    offer = HandOver.objects.get()
    receiver = cast.custodian if offer.receiver_id == cast.custodian.officer.pk else cast.team_mate
    raised = at_once(
        lambda: holding.accept(offer, by=receiver),
        lambda: holding.accept(offer, by=receiver),
        lambda: actions.withdraw_hand_over(actor=cast.officer.actor(), offer_id=offer.pk),
    )
    assert [text.startswith("HandOverAnswered") for text in raised] == [True, True]
    assert [e.seq for e in CustodyEvent.objects.filter(exhibit=exhibit)] == [1, 2, 3, 4]
    exhibit.refresh_from_db()
    assert exhibit.offer_id is None
    check_feed()


def test_another_unit_that_keeps_it_enters_what_was_signed_on_paper(holding: Holding, cast: Cast) -> None:
    """A leader of the store that holds it sees the hand-over and nothing of the report; others there do not."""
    keeper = cast._member("keeper", "Tạ Văn Kho", cast.express, Role.CUSTODIAN)
    head = cast._member("head", "Võ Thị Trưởng", cast.express, Role.LEADER)
    exhibit = holding.stored()
    holding.accept(holding.offer(exhibit, to=keeper), by=keeper)
    offer = holding.offer(exhibit, kind="police", office="PC04 Hà Nội", by=keeper)
    paper: dict[str, Any] = {"receiver_name": "Đại úy Hư Cấu", "document_number": "45/BB"}
    for member, refusal in ((keeper, OwnOffer), (cast.neighbour, NotFound), (cast.other_leader, NotFound)):
        with pytest.raises(refusal):
            holding.accept(offer, by=member, **paper)
    assert not SeizureReport.objects.visible_to(head.actor()).exists()
    assert head.console().get(f"/console/hand-overs/{offer.pk}/").status_code == 200
    holding.accept(offer, by=head, **paper)
    exhibit.refresh_from_db()
    assert (exhibit.state, exhibit.outside) == ("handed_over", "PC04 Hà Nội: Đại úy Hư Cấu")


def test_an_id_that_stands_for_another_offer(holding: Holding, cast: Cast) -> None:
    first = holding.sealed()
    second = holding.sealed(holding.recorded(first.report), "NP-000124")
    offer = holding.offer(first)
    for by, refusal in ((cast.officer, ExistsDifferent), (cast.leader, NotFound)):
        with pytest.raises(refusal):
            actions.offer_hand_over(
                actor=by.actor(),
                offer_id=offer.pk,
                fields={"exhibits": [str(second.pk)], "kind": "police", "office": "PC04"},
            )
    second.refresh_from_db()
    assert second.offer_id is None


def test_an_offer_sent_again_is_the_same(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    pk = new_id()
    said = {"exhibits": [str(exhibit.pk)], "kind": "inside", "badge_no": cast.custodian.officer.badge_no}
    first = actions.offer_hand_over(actor=cast.officer.actor(), offer_id=pk, fields=said)
    assert actions.offer_hand_over(actor=cast.officer.actor(), offer_id=pk, fields=said) == first
    assert HandOver.objects.count() == 1
