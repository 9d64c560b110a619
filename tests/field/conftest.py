"""One running service for all tests of the phone app, and phones that reach it over a line of their own."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Playwright, sync_playwright

from backend.phone_app import ensure_built
from tests.desk import Desk, form_fields
from tests.field.backstage import Backstage
from tests.field.handset import Handset
from tests.field.line import Line
from tests.stack import Stack

OFFICERS = 24


@dataclass
class Stage:
    """The service, headquarters behind it, and officers who have not been used by another test."""

    stack: Stack
    backstage: Backstage
    told: dict[str, Any]
    _next: Iterator[int] = field(default_factory=itertools.count)

    def officer(self) -> str:
        """Give an officer nobody else works with."""
        return str(self.told["officers"][next(self._next)])

    def leader(self) -> Desk:
        """Give the unit's leader at the console."""
        desk = Desk(self.stack.url)
        desk.sign_in("leader", self.told["password"])
        return desk

    def give_back(self, report: str, step: str, note: str) -> None:
        """Return a report in the console, with a note at a question."""
        desk = self.leader()
        fields = form_fields(desk.get(f"/console/review/{report}/"))
        kept = {
            name: value for name, value in fields.items() if name == "base_rev" or name.startswith("note")
        }
        at = next(name for name in kept if step in name)
        desk.post(f"/console/review/{report}/decision/", kept | {at: note, "decision": "return"})

    def approve(self, report: str) -> None:
        """Approve a report in the console; read it again when it has moved on meanwhile, as when its photos settle."""
        desk, end = self.leader(), time.monotonic() + 40
        while True:
            fields = form_fields(desk.get(f"/console/review/{report}/"))
            given = {"base_rev": fields["base_rev"], "decision": "approve"}
            try:
                desk.post(f"/console/review/{report}/decision/", given)
            except HTTPError as error:
                if error.code != HTTPStatus.CONFLICT or time.monotonic() > end:
                    raise
                time.sleep(0.5)
            else:
                return


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The service with its worker, and the app it serves."""
    ensure_built()
    stack = Stack(tmp_path_factory.mktemp("field") / "data", more={"HAIDANG_PULLS_AT_ONCE": "64"})
    stack.manage("migrate", "--verbosity", "0")
    backstage = Backstage(stack)
    try:
        told = backstage("seed", officers=OFFICERS)
        stack.start_web()
        stack.start_worker()
        yield Stage(stack, backstage, told)
    finally:
        backstage.close()
        stack.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Playwright, once per module: two at a time are one too many for it."""
    with sync_playwright() as started:
        yield started


@pytest.fixture
def handset(
    stage: Stage, playwright: Playwright, chromium: str, tmp_path: Path
) -> Iterator[Callable[..., Handset]]:
    """Make phones; each has its own profile and its own line."""
    made: list[Handset] = []

    def make(**given: Any) -> Handset:
        phone = Handset(
            playwright, chromium, Line(stage.stack.port), tmp_path / f"profile-{len(made)}", **given
        )
        made.append(phone)
        return phone

    yield make
    for phone in made:
        phone.close()
        phone.line.close()
    complaints = [complaint for phone in made for complaint in phone.complaints]
    assert complaints == []


@pytest.fixture
def phone(stage: Stage, handset: Callable[..., Handset]) -> Handset:
    """An enrolled phone with an installed app."""
    made = handset()
    made.officer = stage.officer()
    made.enrol(stage.backstage("code", officer=made.officer))
    return made
