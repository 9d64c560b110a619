"""Evidence in tests: what the worker owes is done at once, and a report with two signed photos and its receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from apps.audit.actions import sign_head
from apps.changes.actions import relay
from apps.common.records import new_id
from apps.evidence.models import Attachment, Receipt
from apps.inspections.models import InspectionReport
from apps.seizures.models import SeizureReport
from backend.reactions import REACTIONS
from tests import evidence_images as images
from tests.evidence import on_disk
from tests.near import Near
from tests.phone import Phone
from tests.seizing import Seizing, flash, sound
from tests.work import Work


def work_off(*but: str) -> None:
    """Do all that the outbox owes, in this process; tasks named in `but` wait."""
    tasks = _tasks()

    def send(task: str, ids: list[int]) -> None:
        if task not in but:
            tasks[task](ids)

    while relay(REACTIONS, send):
        pass


@cache
def _tasks() -> Mapping[str, Callable[[list[int]], object]]:
    """Load what a worker runs, once: with each loading Celery lets Django check all models."""
    from backend.celery import app

    app.loader.import_default_modules()
    tasks: Mapping[str, Callable[[list[int]], object]] = app.tasks
    return tasks


@dataclass
class Case:
    """A report with two photos, complete and receipted, and the phone that sent it."""

    phone: Phone
    report_id: UUID
    root: Path

    @property
    def report(self) -> InspectionReport:
        return InspectionReport.objects.get(pk=self.report_id)

    @property
    def seizure(self) -> SeizureReport:
        return SeizureReport.objects.get(pk=self.report_id)

    @property
    def number(self) -> str:
        found = InspectionReport.objects.filter(pk=self.report_id).first() or self.seizure
        return str(found.number)

    @property
    def photos(self) -> list[Attachment]:
        return list(Attachment.objects.filter(owner_id=self.report_id).order_by("pk"))

    @property
    def receipt(self) -> Receipt:
        return self.receipts[0]

    @property
    def receipts(self) -> list[Receipt]:
        return list(Receipt.objects.filter(owner_id=self.report_id).order_by("version"))

    def original(self, photo: Attachment) -> Path:
        """Give the file of a photo."""
        return self.root / photo.original


class Court:
    """Makes cases on a server of this process, with storage and keys of its own."""

    def __init__(self, near: Near, work: Work, settings: Any, directory: Path) -> None:
        settings.STORAGES = {**settings.STORAGES, "evidence": on_disk(directory / "evidence")}
        settings.KEYS_DIR = directory / "keys"
        self.near, self.work, self.root = near, work, directory / "evidence"
        self._count = 0
        self._seizing: Seizing | None = None

    def phone(self) -> Phone:
        """Give a newly enrolled phone of the officer."""
        phone = self.near.phone(self.work.cast.officer)
        phone.sync()
        return phone

    def report(self, phone: Phone) -> str:
        """Write a report with two photos on the phone and submit it there; nothing is sent yet."""
        report = phone.save(self.work.fields())
        photos = [self.photo(phone, report, "step_3") for _ in range(2)]
        phone.submit({"photos": {"step_3": photos}}, report)
        return report

    def photo(self, phone: Phone, report: str, step: str = "") -> str:
        """Take a photo like no other."""
        self._count += 1
        data = images.noisy_jpeg(5000, seed=self._count)
        return phone.take_photo(report, step, data, kind="inspection" if step else "seizure")

    def seizing(self) -> Seizing:
        """Give the substances and the people who seize them, made once."""
        if self._seizing is None:
            self._seizing = Seizing(self.work.cast)
        return self._seizing

    def flash(self, phone: Phone, **changed: Any) -> str:
        """Report a find with a photo on the phone; nothing is sent yet."""
        self.seizing()
        report = str(new_id())
        few = {"photos": [self.photo(phone, report)], **changed}
        return phone.write("seizure.flash", report, flash(**few))

    def seizure(self, phone: Phone | None = None, **changed: Any) -> Case:
        """Give a seizure with a flash and a full report of two photos, all the way, with a head signed over it."""
        phone = phone or self.phone()
        report = self.flash(phone)
        self.settle(phone)
        (first,) = phone.rows("seizure")[report]["fields"]["photos"]
        photos = [first, self.photo(phone, report)]
        phone.write("seizure.submit", report, sound(photos=photos, **changed))
        return self.settled(phone, report)

    def case(self, phone: Phone | None = None) -> Case:
        """Give a case that has gone all the way, with a head signed over it."""
        phone = phone or self.phone()
        return self.settled(phone, self.report(phone))

    def settle(self, phone: Phone) -> None:
        """Send what the phone has, and do what the server then owes, until both are at rest."""
        for _ in range(2):
            phone.sync()
            work_off()
        phone.pull()

    def settled(self, phone: Phone, report: str) -> Case:
        """Give the case of a report that is sent, with a head signed over it."""
        self.settle(phone)
        sign_head()
        return Case(phone, UUID(report), self.root)


@pytest.fixture
def court(near: Near, work: Work, settings: Any, tmp_path: Path) -> Court:
    """Storage, keys and a server of one test."""
    return Court(near, work, settings, tmp_path)
