"""The whole demo in one go: units, people, phones, checklists, history, figures, log-ins.

Everything in the database is one transaction: an interrupted build leaves nothing behind and is simply started again.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Officer, Posting, Role, current
from apps.changes.actions import relay, set_wake, settle
from apps.changes.models import Change
from apps.common.actor import SYSTEM
from apps.evidence.actions import Derived, settle_derivatives
from apps.organisation.models import Unit
from apps.reporting.actions import set_cut_off
from backend.celery import app
from backend.demo_data.aftermath import contacts, trouble
from backend.demo_data.checklists import make_checklists
from backend.demo_data.headline import UNTIL, headline
from backend.demo_data.history import History
from backend.demo_data.lists import make_lists
from backend.demo_data.people import SHOWN_AT, give_phones, make_people, set_logins
from backend.demo_data.photos import Camera
from backend.demo_data.plan import Planner
from backend.demo_data.seizures import Seizures
from backend.demo_data.simulation import Simulation
from backend.demo_data.units import make_units
from backend.reactions import REACTIONS, connect

Tell = Callable[[str], None]
INSPECTIONS = 6000
THUMBNAILS = "evidence.derive"
# Roles whose log-in the demo shows; a suspended or foreign reader is part of it.
SHOWN_ROLES = tuple(Role.values)
CUT_OFFS = ((dt.date(2022, 12, 1), 15), (dt.date(2025, 1, 1), 14))


class DatabaseInUse(Exception):
    """The database holds a service of its own; the demo does not mix with it."""


class Progress:
    """Says what was made, how many, and in how many seconds."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._begin = self._lap = time.monotonic()

    def made(self, what: str, count: int | None = None) -> None:
        """Tell of a finished part."""
        now = time.monotonic()
        number = f"{count:>7,} " if count is not None else " " * 8
        self._tell(f"{number}{what:<44}{now - self._lap:6.1f} s")
        self._lap = now

    def total(self) -> None:
        """Tell of the end."""
        self._tell(f"{'':8}{'everything':<44}{time.monotonic() - self._begin:6.1f} s")


def build(*, seed: int, end: dt.datetime, inspections: int = INSPECTIONS, tell: Tell) -> None:
    """Make the demo unless it is there; then see to the log-ins. Raises DatabaseInUse."""
    path = settings.DATA_DIR / "demo.json"
    if not is_built():
        if Officer.objects.exists() or Unit.objects.exists():
            raise DatabaseInUse
        path.unlink(missing_ok=True)
        progress = Progress(tell)
        with _no_relay_meanwhile(), _no_collector():
            thumbnails = _live(Simulation(seed, end), inspections, progress)
            _work_off(progress, thumbnails)
        progress.total()
    if path.exists():
        tell("The demo data is there.")
    else:
        _write_logins(path)
        tell(f"Log-ins are in {path}")


def is_built() -> bool:
    """Tell whether this database holds the demo."""
    return Unit.objects.filter(code="KCS").exists() and Officer.objects.filter(badge_no="HQ20101").exists()


def _live(story: Simulation, inspections: int, progress: Progress) -> dict[UUID, Derived]:
    with story.running(), transaction.atomic():
        units = make_units(story)
        for since, day in CUT_OFFS:
            set_cut_off(actor=SYSTEM, valid_from=since, day=day)
        progress.made("units", len(units))
        service = make_people(story, units)
        progress.made("officers with their postings", len(service.people))
        progress.made("enrolled phones", len(give_phones(story, service)))
        library = make_checklists(story, service)
        progress.made("checklists", len(library.editions))
        progress.made("entries of reference lists", make_lists(story))
        visits = Planner(story, service, library).visits(inspections)
        progress.made("inspections planned", len(visits))
        with Camera(story) as camera:
            camera.prepare(visits)
            history = History(story, service, camera)
            for done in history.live(visits, library.later):
                if done % 2000 == 0:
                    progress.made("… reported and reviewed so far", done)
            progress.made("reports, with their reviews", history.counts["reports"])
            known = headline(story, service, library)
            recent = Seizures(story, service, library).happen(UNTIL if known else story.opening, camera)
            thumbnails = camera.derived()
        progress.made("photos", camera.sent)
        progress.made("seizure reports", known + recent)
        contacts(story, service)
        trouble(story, service)
        story.at(story.end)
    return thumbnails


@contextmanager
def _no_collector() -> Iterator[None]:
    """Spare the collector of cycles: it would walk through all that the story keeps, again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _no_relay_meanwhile() -> Iterator[None]:
    """Wake no worker while the story is told; what it owes is worked off here."""
    set_wake(lambda: None)
    try:
        yield
    finally:
        connect()


def _work_off(progress: Progress, thumbnails: Mapping[UUID, Derived]) -> None:
    """Run every task that the history owes, as a worker would; the thumbnails are made and need only writing down."""
    app.loader.import_default_modules()
    done = 0

    def run(task: str, reaction_ids: list[int]) -> None:
        nonlocal done
        if done // 2000 != (done := done + len(reaction_ids)) // 2000:
            progress.made("… tasks worked off so far", done)
        if task == THUMBNAILS:
            settle(reaction_ids, partial(_write_down, thumbnails))
        else:
            app.tasks[task](reaction_ids)

    while relay(REACTIONS, run):
        pass
    progress.made("tasks worked off (figures, receipts, thumbnails)", done)


def _write_down(thumbnails: Mapping[UUID, Derived], changes: list[Change]) -> None:
    settle_derivatives(actor=SYSTEM, made={c.oid: thumbnails[c.oid] for c in changes if c.oid in thumbnails})


def _write_logins(path: Path) -> None:
    """Give the shown people new passwords and keep them where only this account reads."""
    with transaction.atomic():
        logins = set_logins({role: _shown(role) for role in SHOWN_ROLES})
    facts = {
        "logins": logins,
        "enrolment": {"officer": logins["officer"]["username"], "password": logins["officer"]["password"]},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(facts, file, ensure_ascii=False, indent=2)


def _shown(role: str) -> Officer:
    """Find the person whose log-in the demo shows for a role: the first who was posted there."""
    posts = Posting.objects.filter(current(timezone.now()), role=role, unit__code=SHOWN_AT.get(role, "HQ"))
    return posts.select_related("officer").order_by("valid_from", "officer__badge_no")[0].officer
