"""The reference lists at a desk: the page of substances with its search and its day."""

from __future__ import annotations

from apps.common.actor import SYSTEM
from apps.reference.actions import load_shipped
from apps.reference.models import ReferenceList
from tests.console.conftest import As


def test_substances_are_looked_up_by_street_name_and_day(signed_in: As) -> None:
    load_shipped(actor=SYSTEM)
    page = signed_in("officer").get("/console/lists/substances/", {"q": "hang da", "on": "2024-08-20"})
    text = page.content.decode()
    assert "Methamphetamine" in text
    assert "NĐ 57/2022/NĐ-CP" in text
    assert "chưa đối chiếu văn bản gốc" in text
    assert "Ketamine" not in text
    before = signed_in("officer").get("/console/lists/substances/", {"q": "hang da", "on": "2019-01-01"})
    assert "NĐ 57/2022" not in before.content.decode()


def test_a_day_that_is_none_is_today(signed_in: As) -> None:
    page = signed_in("trainer", "en").get("/console/lists/substances/", {"on": "2024-02-31"})
    assert page.status_code == 200
    assert "No substance found." in page.content.decode()


def test_a_list_is_searched_without_accents(signed_in: As) -> None:
    load_shipped(actor=SYSTEM)
    places = ReferenceList.objects.get(slug="places")
    page = signed_in("officer").get(f"/console/lists/{places.pk}/", {"q": "noi bai"})
    assert "Nội Bài, Hà Nội" in page.content.decode()
