"""The same seal number from two phones, case 22 of docs/sync.md: flagged to both units' reviewers, never refused."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from apps.common.actor import SYSTEM
from apps.inspections.actions import note_single_use, return_for_correction, void_inspection
from apps.inspections.models import InspectionReport, SingleUseValue
from tests.cast import Cast, Member
from tests.near import Near
from tests.phone import Phone
from tests.reports import plain_content, plain_report
from tests.seed import publish


@pytest.fixture
def version(cast: Cast) -> str:
    """A checklist whose fourth step asks for the number of a seal that is put on."""
    content = plain_content()
    content["sections"][0]["steps"][3]["single_use"] = True
    return publish(cast, "sealing", "express", content)


def sealed(version: str, number: str, **changed: Any) -> dict[str, Any]:
    """Give all fields of a report with that seal."""
    fields = plain_report(version, **changed)
    fields["answers"]["step_3"] = {"value": number}
    return fields


def phone_of(near: Near, member: Member) -> Phone:
    phone = near.phone(member)
    phone.sync()
    return phone


def told(member: Member, report: str) -> list[tuple[str, bool]]:
    """Give what the reviewer's page says of numbers used twice: the unit, and whether the other report is named."""
    page = member.console().get(f"/console/review/{report}/")
    assert page.status_code == 200
    doubles = page.context["doubles"]
    assert ("Trùng số niêm phong" in page.content.decode()) is bool(doubles)
    return [(double["unit"], bool(double["seen"].number)) for double in doubles]


def test_case_22_the_same_seal_number_from_two_phones_is_flagged_to_both(
    near: Near, cast: Cast, version: str
) -> None:
    """Expected: both are applied; each unit's reviewer is told the other unit, and its report only where visible."""
    one, other = phone_of(near, cast.officer), phone_of(near, cast.outsider)
    mine = one.submit(sealed(version, "TEM-000123"))
    yours = other.submit(sealed(version, "tem 000 123"))
    for phone in (one, other):
        assert [r["status"] for r in phone.push()] == ["applied"]
    note_single_use(actor=SYSTEM)
    assert told(cast.leader, mine) == [("Sân bay Tân Sơn Nhất", False)]
    assert told(cast.other_leader, yours) == [("Sân bay Nội Bài", False)]
    assert told(cast.hq_reviewer, mine) == [("Sân bay Tân Sơn Nhất", True)]
    secret = InspectionReport.objects.get(pk=yours).number
    page = cast.leader.console().get(f"/console/review/{mine}/").content.decode()
    assert str(secret) not in page
    assert yours not in page


def test_case_22_other_numbers_and_void_reports_are_no_doubles(near: Near, cast: Cast, version: str) -> None:
    """Expected: nothing is flagged for another number, for steps that may repeat, or for a voided report."""
    phone = phone_of(near, cast.officer)
    first, second, third = (phone.submit(sealed(version, n)) for n in ("TEM-1", "TEM-2", "TEM-1"))
    phone.push()
    note_single_use(actor=SYSTEM)
    assert (len(told(cast.leader, first)), told(cast.leader, second)) == (1, [])
    void_inspection(actor=cast.leader.actor(), report_id=UUID(third), reason="Nhập trùng")
    assert told(cast.leader, first) == []


def test_case_22_a_corrected_number_is_flagged_no_more(near: Near, cast: Cast, version: str) -> None:
    """Expected: after the officer has put the number right, the flag is gone on both; noting again changes nothing."""
    phone = phone_of(near, cast.officer)
    first, second = phone.submit(sealed(version, "TEM-1")), phone.submit(sealed(version, "TEM-1"))
    phone.sync()
    note_single_use(actor=SYSTEM)
    return_for_correction(
        actor=cast.leader.actor(), report_id=UUID(second), notes=[], note="Số niêm phong sai"
    )
    phone.pull()
    phone.submit({"answers": {"step_3": {"value": "TEM-9"}}}, second)
    phone.push()
    for _ in range(2):
        note_single_use(actor=SYSTEM)
    assert (told(cast.leader, first), told(cast.leader, second)) == ([], [])
    assert sorted(SingleUseValue.objects.values_list("value", flat=True)) == ["TEM1", "TEM9"]
