"""The list of units that phones hold: as the tree is today, with the force of each."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.changes.models import Change
from apps.common.actor import SYSTEM
from apps.organisation.actions import create_unit, end_unit, rename_unit
from apps.organisation.queries import today
from apps.reference.actions import import_list, publish_units
from apps.reference.models import ReferenceEntry, ReferenceList
from apps.reference.tasks import publish_units as task
from tests.cast import Cast


def listed() -> dict[str, tuple[str, str, bool]]:
    rows = ReferenceEntry.objects.filter(list__slug="units", is_listed=True)
    return {row.key: (row.label_vi, row.data["force"], row.valid) for row in rows}


def test_it_follows_the_tree(cast: Cast) -> None:
    police = create_unit(
        actor=SYSTEM,
        code="PC04-HN",
        level="partner",
        type="investigation",
        names=("Phòng PC04", "PC04"),
        valid_from=dt.date(2020, 1, 1),
        force="police",
    )
    count = publish_units(actor=SYSTEM)
    assert listed()["PC04-HN"] == ("Phòng PC04", "police", True)
    assert listed()[cast.noi_bai.code][1:] == ("customs", True)
    assert len(listed()) == count

    rename_unit(
        actor=SYSTEM, unit=police, names=("Phòng 4", "Fourth"), valid_from=today() + dt.timedelta(days=1)
    )
    before = Change.objects.count()
    task()
    assert Change.objects.count() == before, (
        "a name of tomorrow, and an hour without changes, tell phones nothing"
    )
    rename_unit(actor=SYSTEM, unit=police, names=("Phòng PC04 Hà Nội", "PC04 Hanoi"), valid_from=today())
    task()
    assert listed()["PC04-HN"][0] == "Phòng PC04 Hà Nội"


def test_a_dissolved_unit_stays_known_and_is_not_offered(cast: Cast) -> None:
    gone = create_unit(
        actor=SYSTEM,
        code="CU",
        level="team",
        type="airport",
        names=("Đội cũ", "Old team"),
        valid_from=dt.date(2020, 1, 1),
        parent=cast.noi_bai.pk,
    )
    publish_units(actor=SYSTEM)
    assert listed()["CU"][2]
    end_unit(actor=SYSTEM, unit=gone, valid_to=today())
    publish_units(actor=SYSTEM)
    assert listed()["CU"] == ("Đội cũ", "customs", False)


@pytest.mark.django_db
def test_nothing_is_listed_without_units_and_the_services_own_list_is_left_alone() -> None:
    assert publish_units(actor=SYSTEM) == 0
    assert not ReferenceList.objects.exists()


def test_the_services_own_list_is_left_alone(cast: Cast) -> None:
    assert cast.noi_bai.code
    rows = [b"key,label_vi,label_en\n", b"X,Rieng,Own\n"]
    import_list(actor=SYSTEM, slug="units", lines=rows, names=("Đơn vị", "Units"))
    publish_units(actor=SYSTEM)
    assert list(ReferenceEntry.objects.values_list("key", flat=True)) == ["X"]
