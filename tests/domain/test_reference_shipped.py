"""The lists that come with the product: imported once, left alone when they are the service's own, searched."""

from __future__ import annotations

import datetime as dt

from django.core.management import call_command

from apps.common.actor import SYSTEM
from apps.reference.actions import SHIPPED, import_list, load_shipped
from apps.reference.models import ReferenceEntry, ReferenceList
from apps.reference.queries import controls_on, substances
from tests.cast import Cast
from tests.work import Pocket


def found(text: str, slug: str = "substances") -> set[str]:
    rows = ReferenceEntry.objects.filter(list__slug=slug).search(text)
    return set(rows.values_list("key", flat=True))


def test_loading_twice_changes_nothing(db: None) -> None:
    first = load_shipped(actor=SYSTEM)
    assert set(first) == set(SHIPPED)
    assert all(done.rows == done.changed > 5 for done in first.values())
    assert all(done.changed == done.left == 0 for done in load_shipped(actor=SYSTEM).values())


def test_a_list_of_the_services_own_is_left_alone(db: None) -> None:
    call_command("load_reference")
    own = [b"key,label_vi,label_en\n", b"khat,L\xc3\xa1 khat,Khat\n"]
    import_list(actor=SYSTEM, slug="substances", lines=own)
    assert "substances" not in load_shipped(actor=SYSTEM)
    assert ReferenceList.objects.get(slug="substances").entry_count == 1


def test_every_phone_of_the_service_gets_them(cast: Cast) -> None:
    load_shipped(actor=SYSTEM)
    pocket, liaison = Pocket(), Pocket()
    pocket.pull(cast.officer.actor())
    liaison.pull(cast.liaison.actor())
    bodies = {body["key"]: body for _, body in pocket.of_kind("reference_entry").values()}
    assert bodies["methamphetamine"]["data"]["report_group"] == "ats"
    assert bodies["form.sachet_drink"]["label"] == {"vi": 'Gói "nước vui"', "en": "Drink sachet"}
    assert bodies["VN"]["label"]["vi"] == "Việt Nam"
    assert not liaison.of_kind("reference_entry")


def test_substances_are_found_by_any_name_without_accents(db: None) -> None:
    load_shipped(actor=SYSTEM)
    assert found("hang da") == found("HÀNG ĐÁ") == {"methamphetamine"}
    assert found("thuoc lac") == {"mdma"}
    assert {"adb_butinaca", "xlr_11"} <= found("co my")
    assert found("1189805-46-6") == {"mephedrone"}
    assert found("%") == set()
    assert found("noi bai", "places") == {"HAN"}


def test_substances_with_their_lists_of_a_day(db: None) -> None:
    load_shipped(actor=SYSTEM)
    assert substances()["acetic_anhydride"].is_precursor
    on = controls_on(dt.date(2024, 8, 20))
    assert [c.list for c in on["ketamine"]] == ["III"]
    assert "ketamine" not in controls_on(dt.date(2020, 1, 1))
