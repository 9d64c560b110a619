"""What was written down wrongly about an exhibit is corrected by a step with a reason; the old is still read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.errors import SecondPersonNeeded
from apps.common.errors import InvalidFields, NotFound
from apps.custody import actions
from apps.custody.checking import check_custody
from apps.custody.errors import CustodyStep, ExhibitMovedOn, ExhibitStopped, NotHolder, OfferOpen
from apps.custody.models import CustodyEvent, Exhibit
from apps.custody.queries import KIND, balances
from apps.evidence.checking import Bench
from apps.inspections.errors import NoteRequired
from tests.cast import Cast, Member
from tests.holding import Holding, sealing
from tests.work import Pocket, check_feed, newest_event


def correct(
    exhibit: Exhibit, by: Member, *, reason: str = "Ghi nhầm", base_rev: int | None = None, **fields: Any
) -> Exhibit:
    return actions.correct_exhibit(
        actor=by.actor(), exhibit_id=exhibit.pk, base_rev=base_rev, fields=fields, reason=reason
    ).exhibit


def test_the_holder_corrects_what_was_never_sealed(holding: Holding, cast: Cast) -> None:
    exhibit = holding.recorded(net_mass_g="1000.5")
    assert not balances(exhibit.report)[0].is_even
    done = correct(exhibit, cast.officer, net_mass_g="1200.5", description="Túi thiếc")
    assert (done.net_mass_g, done.description, done.state) == (Decimal("1200.5"), "Túi thiếc", "recorded")
    assert balances(exhibit.report)[0].is_even
    first, second = CustodyEvent.objects.filter(exhibit=exhibit)
    assert first.said["net_mass_g"] == "1000.5"
    assert second.kind == "corrected"
    assert second.said["said"]["changed"]["net_mass_g"] == ["1000.5", "1200.5"]
    assert second.said["said"]["note"] == "Ghi nhầm"
    assert second.said["previous"] == first.hash
    assert newest_event(exhibit.pk).action == "custody.corrected"
    pocket = Pocket()
    pocket.pull(cast.officer.actor())
    assert pocket.of_kind(KIND)[str(exhibit.pk)][1]["description"] == "Túi thiếc"
    check_feed()
    assert not list(check_custody(Bench()))


def test_what_is_sealed_is_corrected_by_somebody_else(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    for member, refused in (
        (cast.officer, NotHolder),
        (cast.custodian, NotHolder),
        (cast.outsider, NotFound),
        (cast.other_leader, NotFound),
    ):
        with pytest.raises(refused):
            correct(exhibit, member, description="Khác")
    assert correct(exhibit, cast.leader, gross_mass_g="1251").gross_mass_g == Decimal(1251)
    own = holding.recorded(exhibit.report, by=cast.leader)
    own = holding.step(own, "sealed", sealing("NP-7"), by=cast.leader).exhibit
    with pytest.raises(SecondPersonNeeded):
        correct(own, cast.leader, description="Khác")
    assert correct(own, cast.hq_reviewer, description="Khác").description == "Khác"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "description"),
        ({"description": "Túi ni lông chứa tinh thể trắng"}, "description"),
        ({"description": ""}, "description"),
        ({"mark": "9"}, "mark"),
        ({"net_mass_g": "1300"}, "net_mass_g"),
        ({"net_mass_g": "1.00001"}, "net_mass_g"),
        ({"net_mass_g": "", "gross_mass_g": None}, "gross_mass_g"),
        ({"count": 3}, "count_unit"),
    ],
)
def test_it_must_still_be_an_exhibit(
    holding: Holding, cast: Cast, fields: dict[str, Any], fault: str
) -> None:
    exhibit = holding.recorded()
    with pytest.raises(InvalidFields) as refusal:
        correct(exhibit, cast.officer, **fields)
    assert {f"/fields/{fault}"} == {one.pointer for one in refusal.value.errors}
    assert CustodyEvent.objects.filter(exhibit=exhibit).count() == 1


def test_an_amount_is_taken_back(holding: Holding, cast: Cast) -> None:
    exhibit = holding.recorded(count=3, count_unit="tablet")
    done = correct(exhibit, cast.officer, count=None, count_unit="")
    assert (done.count, done.count_unit) == (None, "")


def test_when_it_may_not(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    with pytest.raises(NoteRequired):
        correct(exhibit, cast.leader, reason=" ", description="Khác")
    with pytest.raises(ExhibitMovedOn):
        correct(exhibit, cast.leader, base_rev=exhibit.rev - 1, description="Khác")
    offer = holding.offer(exhibit)
    with pytest.raises(OfferOpen):
        correct(exhibit, cast.leader, description="Khác")
    holding.accept(offer, {exhibit.pk: (["NP-1"], "1250")})
    with pytest.raises(ExhibitStopped):
        correct(exhibit, cast.leader, description="Khác")
    other = holding.sealed(holding.recorded(exhibit.report), "NP-8")
    paper = holding.offer(other, kind="police", office="PC04")
    holding.accept(paper, by=cast.leader, receiver_name="Đại úy Nhận", document_number="7/BB")
    with pytest.raises(CustodyStep):
        correct(other, cast.hq_reviewer, description="Khác")


def test_the_page_offers_it_and_shows_both(holding: Holding, cast: Cast) -> None:
    exhibit = holding.sealed()
    desk, path = cast.leader.console(), f"/console/exhibits/{exhibit.pk}/"
    page = desk.get(path).content.decode()
    assert 'value="correction"' in page
    assert 'value="correction"' not in cast.custodian.console().get(path).content.decode()
    typed = {
        "deed": "correction",
        "base_rev": exhibit.rev,
        "mark": "1",
        "description": exhibit.description,
        "gross_mass_g": "1.250,75".replace(".", ""),
        "net_mass_g": "1200,5",
        "reason": "Đọc nhầm cân",
    }
    assert desk.post(f"{path}step/", {**typed, "reason": ""}).status_code == 422
    assert desk.post(f"{path}step/", typed).status_code == 302
    page = desk.get(path).content.decode()
    assert "1250 → 1250,75" in page
    assert "Đọc nhầm cân" in page
    assert CustodyEvent.objects.latest("at").said["said"]["changed"] == {"gross_mass_g": ["1250", "1250.75"]}
