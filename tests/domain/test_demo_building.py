"""The demo data made from nothing: the same each time, before the reform too, and never into a database in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import transaction

from apps.accounts.models import Officer
from apps.common.actor import SYSTEM
from apps.evidence.models import Attachment
from apps.inspections.models import InspectionReport
from apps.organisation.actions import create_unit
from apps.organisation.models import Unit
from backend.demo_data.build import DatabaseInUse
from tests.domain.test_demo_data import living_in, make


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with living_in(tmp_path):
        yield tmp_path


@contextmanager
def thrown_away() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
def test_the_same_dice_make_the_same_world(folder: Path) -> None:
    worlds = []
    for _ in range(2):
        with thrown_away():
            make(20)
            reports = InspectionReport.objects.order_by("pk").values_list(
                "pk", "number", "state", "outcome", "remarks"
            )
            people = Officer.objects.order_by("pk").values_list("pk", "username", "full_name")
            photos = Attachment.objects.order_by("pk").values_list("pk", "sha256")
            worlds.append((list(reports), list(people), list(photos)))
        (folder / "demo.json").unlink()
    assert worlds[0] == worlds[1]


@pytest.mark.django_db
def test_before_the_reform_the_tree_is_the_old_one(folder: Path) -> None:
    make(10, dt.datetime(2024, 8, 20, 9, 0, tzinfo=dt.UTC))
    assert not Unit.objects.get(code="QTR").parents.exclude(valid_to=None).exists()
    assert Unit.objects.get(code="HQ").names.count() == 1


@pytest.mark.django_db
def test_a_database_in_use_is_left_alone(folder: Path) -> None:
    create_unit(
        actor=SYSTEM,
        code="X",
        level="hq",
        type="hq_dept",
        names=("X", "X"),
        valid_from=dt.date(2020, 1, 1),
    )
    with pytest.raises(DatabaseInUse):
        make(10)
    assert Unit.objects.count() == 1
