"""The demo data, in small: everything is there, through the actions, once. All tests look at the same world."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Q
from django.test import override_settings
from django.utils import timezone

from apps.accounts.models import Device, Officer, Posting, Role
from apps.audit.models import Event
from apps.checklists.models import ChecklistVersion, Status
from apps.common.actor import SYSTEM
from apps.evidence.models import Attachment, Capture, Receipt
from apps.inspections.models import InspectionReport, State
from apps.organisation.models import Unit
from apps.reporting.actions import recount_custody, recount_seizures
from apps.reporting.models import RollUp
from apps.reporting.queries import differences, seizure_board, seizures_uncounted_since, uncounted_since
from apps.reporting.rules import Period
from apps.seizures.duplicates import open_pairs
from apps.seizures.models import SeizureReport, Stage
from backend.demo_data.aftermath import silent_since
from backend.demo_data.build import build
from tests.emptying import committed, empty_database
from tests.evidence import on_disk
from tests.tampering import verify

# Late enough for the archive of August 2024 to lie before the eighteen months.
END = dt.datetime(2026, 3, 3, 9, 0, tzinfo=dt.UTC)


def living_in(place: Path) -> override_settings:
    storages = settings.STORAGES | {"evidence": on_disk(place / "evidence")}
    return override_settings(STORAGES=storages, DATA_DIR=place)


@pytest.fixture(scope="module")
def _made(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock():
        with living_in(place), committed():
            assert not make(160)[-1].startswith("The demo")
        with django_db_blocker.block():
            yield place
        empty_database()


@pytest.fixture
def world(_made: Path, tmp_path: Path, db: None) -> Iterator[Path]:
    """One world for all the tests here, and a copy of its files for each of them."""
    shutil.copytree(_made, tmp_path, dirs_exist_ok=True)
    with living_in(tmp_path):
        yield tmp_path


def make(inspections: int, end: dt.datetime = END) -> list[str]:
    told: list[str] = []
    build(seed=7, end=end, inspections=inspections, tell=told.append)
    return told


def test_everything_is_there(world: Path) -> None:
    assert (Unit.objects.count(), Officer.objects.count(), Device.objects.count()) == (45, 180, 60)
    assert InspectionReport.objects.count() >= 160
    assert set(SeizureReport.objects.values_list("stage", flat=True)) == {
        *(stage for stage in Stage.values if stage != "draft")
    }
    assert not SeizureReport.objects.filter(statistic_status="excluded").exclude(
        Q(stage__in=["voided", "merged"]) | Q(lines__1__lab_outcome="negative")
    )
    since = timezone.localdate(END) - dt.timedelta(days=60)
    (pair,) = open_pairs(SYSTEM, since)
    assert pair.reasons[0] == "consignment"
    assert set(InspectionReport.objects.values_list("state", flat=True)) >= {
        State.COMPLETE,
        State.UNDER_REVIEW,
        State.RETURNED,
        State.APPROVED,
        State.VOIDED,
        State.MEDIA_PENDING,
    }
    express = ChecklistVersion.objects.filter(checklist__code="express_postal").order_by("semver")
    assert list(express.values_list("status", flat=True)) == [Status.CLOSING, Status.PUBLISHED, Status.DRAFT]
    assert InspectionReport.objects.filter(occurred_on__range=("2024-08-01", "2024-08-31")).exists()
    photos = Attachment.objects.filter(state="stored")
    assert photos.exists()
    assert not photos.filter(thumbnail="").exists()
    assert not photos.exclude(flags=[]).exists(), "signed by the phone, taken when it says"
    assert set(Receipt.objects.values_list("owner_kind", flat=True)) == {"inspection", "seizure"}
    assert verify("--all") == (0, []), "all of it is what the ledger says"


def test_a_phone_that_is_shut_out_has_sent_nothing_since(world: Path) -> None:
    """Whatever the day of the demo: what it sends afterwards is a finding of `verify_evidence`."""
    newest = Capture.objects.latest("received_at")
    service: Any = SimpleNamespace(people=[SimpleNamespace(device=d) for d in Device.objects.all()])
    silent = silent_since(service, newest.received_at)
    assert newest.device_id not in {device.pk for device in silent}
    assert len(silent) > 1


def test_the_figures_are_counted_and_nothing_is_owed(world: Path) -> None:
    assert uncounted_since() is None
    assert seizures_uncounted_since() is None
    assert differences() == []
    counted = sum(RollUp.objects.values_list("inspections", flat=True))
    assert counted == InspectionReport.objects.exclude(state=State.VOIDED).count()


def test_hanoi_reproduces_the_published_headline(world: Path) -> None:
    hanoi = Unit.objects.get(code="HN").pk
    year = Period(dt.date(2024, 1, 1), dt.date(2024, 8, 20))
    board = seizure_board(SYSTEM, year, hanoi)
    total = board.total
    assert (total.incidents, total.arrested) == (39, 15)
    assert total.grams(precursors=False) == 556_000
    assert (total.customs_lead, total.forces["police"], total.co_led) == (36, 3, 1)
    assert {row.unit.code: row.figures.incidents for row in board.rows if row.figures.incidents} == {
        "NBA": 19,
        "CPN": 12,
        "BHN": 4,
        "GTH": 2,
        "HN-MT": 2,
    }
    assert total.modes == {"air_cargo": 15, "express": 14, "air_passenger": 6, "postal": 3, "inland": 1}
    grams: dict[str, Decimal] = {}
    for thing, mass in total.mass_g.items():
        grams[thing.substance] = grams.get(thing.substance, Decimal(0)) + mass
    assert grams == {
        "ketamine": 238_600,
        "methamphetamine": 121_350,
        "mdma": 84_200,
        "cannabis": 73_450,
        "khat": 14_800,
        "heroin": 12_900,
        "cocaine": 9_300,
        "nimetazepam": 1_400,
        "pseudoephedrine": 18_000,
    }
    assert total.counted_in(precursors=False) == {"tablet": 1830}
    assert total.millilitres(precursors=False) == 750
    assert total.grams(precursors=True) == 18_000
    # What must not enter it is there.
    reports = SeizureReport.objects.filter(occurred_on__range=("2024-01-01", "2024-08-20"))
    assert reports.filter(stage="merged").count() == 2
    assert reports.filter(stage="voided").count() == 1
    assert sum(r.lines["1"].get("lab_outcome") == "negative" for r in reports) == 1
    assert reports.filter(fields__kind="expansion").count() == 1
    assert reports.count() == 39 + 1 + 2 + 2
    # It was so on that day, and nothing of it came late.
    then = dt.datetime(2024, 8, 20, 17, tzinfo=dt.UTC)
    assert seizure_board(SYSTEM, year, hanoi, as_of=then).total == total
    assert recount_seizures(actor=SYSTEM, dry_run=True) == (set(), set())
    assert recount_custody(actor=SYSTEM, dry_run=True) == (set(), set())


def test_it_happened_when_it_says(world: Path) -> None:
    assert abs(timezone.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1), "the clock runs again"
    for report in InspectionReport.objects.all():
        assert report.started_on_device_at is not None
        assert report.submitted_at is not None
        assert report.started_on_device_at < report.submitted_at < END
        sent = Event.objects.filter(oid=report.pk, action="inspection.submitted").order_by("at").last()
        assert sent is not None
        assert sent.at == report.submitted_at
        assert "clock-doubtful" not in report.flags
    for device in Device.objects.exclude(last_seen_at=None):
        newest = InspectionReport.objects.filter(officer=device.officer).latest("received_at")
        assert device.last_seen_at == newest.received_at, "phones are heard of when their officer sends"
    assert Device.objects.exclude(last_seen_at=None).exists()


def test_the_log_ins_work_and_are_kept_from_others(world: Path) -> None:
    path = world / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    facts = json.loads(path.read_text())
    assert set(facts["logins"]) == set(Role.values)
    assert facts["enrolment"]["officer"] == facts["logins"]["officer"]["username"]
    for role, login in facts["logins"].items():
        officer = authenticate(username=login["username"], password=login["password"])
        assert officer is not None
        assert Posting.objects.filter(officer_id=officer.pk, role=role, valid_to=None).exists()


def test_a_second_run_changes_nothing_but_lost_log_ins(world: Path) -> None:
    reports, before = InspectionReport.objects.count(), (world / "demo.json").read_text()
    assert make(160) == ["The demo data is there."]
    assert (InspectionReport.objects.count(), (world / "demo.json").read_text()) == (reports, before)
    (world / "demo.json").unlink()
    make(160)
    after = json.loads((world / "demo.json").read_text())["logins"]
    assert {r: x["username"] for r, x in after.items()} == {
        r: x["username"] for r, x in json.loads(before)["logins"].items()
    }
