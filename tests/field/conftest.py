"""One running service for all tests of the phone app, and phones that reach it: as screens, or as the engine alone.

Starting the service takes longer than most tests, so all share one. Each test works with officers of its own; one that
kills a process starts it again.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from backend.phone_app import ensure_built
from tests.chromium import ARGUMENTS
from tests.desk import Desk, form_fields
from tests.field.backstage import Backstage
from tests.field.engine_page import EnginePage, serve_harness
from tests.field.handset import AS_PHONE, Handset, open_profile
from tests.field.line import Line
from tests.phone import until
from tests.stack import Stack

OFFICERS = 64
# A poll that a test's phone left behind when it was closed counts until its time is up; apps below 1.0.0 are too old.
SETTINGS = {"HAIDANG_PULLS_AT_ONCE": "64", "HAIDANG_MINIMUM_APP_VERSION": "1.0.0"}
Make = Callable[..., Any]


@dataclass
class Stage:
    """The service, headquarters behind it, and officers who have not been used by another test."""

    stack: Stack
    backstage: Backstage
    told: dict[str, Any]
    _next: Iterator[int] = field(default_factory=itertools.count)

    def officer(self) -> str:
        """Give an officer nobody else works with."""
        self.tend()
        return str(self.told["officers"][next(self._next)])

    def rows(self, query: str, *given: object) -> list[tuple[Any, ...]]:
        """Ask the server's own database."""
        with contextlib.closing(
            sqlite3.connect(self.stack.data / "haidang.sqlite3", timeout=20)
        ) as connection:
            return connection.execute(query, given).fetchall()

    def leader(self) -> Desk:
        """Give the unit's leader at the console."""
        desk = Desk(self.stack.url)
        desk.sign_in("leader", self.told["password"])
        return desk

    def give_back(self, report: str, step: str, note: str) -> None:
        """Return a report in the console, with a note at a question."""
        self.settled(report)
        desk = self.leader()
        fields = form_fields(desk.get(f"/console/review/{report}/"))
        kept = {
            name: value for name, value in fields.items() if name == "base_rev" or name.startswith("note")
        }
        at = next(name for name in kept if step in name)
        desk.post(f"/console/review/{report}/decision/", kept | {at: note, "decision": "return"})

    def approve(self, report: str) -> None:
        """Approve a report in the console."""
        self.settled(report)
        desk = self.leader()
        fields = form_fields(desk.get(f"/console/review/{report}/"))
        given = {"base_rev": fields["base_rev"], "decision": "approve"}
        desk.post(f"/console/review/{report}/decision/", given)

    def settled(self, report: str) -> None:
        """Wait until the report waits for its leader: the worker counts its photos after the last has arrived."""
        assert until(lambda: self.state(report) == "complete", seconds=40)

    def state(self, report: str) -> str:
        """Give the state of a report, and see to it that somebody works on it."""
        self.tend()
        return str(self.backstage("state", report=report))

    def tend(self) -> None:
        """Start the worker again if it has ended, as the product's supervisor does.

        A web process that is killed may leave half a message in the embedded broker, and the worker that reads it ends.
        """
        processes = self.stack.processes
        if {"worker", "beat"} <= processes.keys() and processes["worker"].poll() is not None:
            for name in ("worker", "beat"):
                with contextlib.suppress(ProcessLookupError):
                    self.stack.kill(name)
            self.stack.start_worker()

    def restart(self) -> None:
        """Start what was killed."""
        self.stack.start_web()
        self.stack.start_worker()

    def backup(self, to: Path) -> None:
        """Copy database and files while the service runs, as an administrator does every night."""
        name = "haidang.sqlite3"
        shutil.copytree(self.stack.data, to, ignore=shutil.ignore_patterns(f"{name}*", "*.log"))
        with (
            contextlib.closing(sqlite3.connect(self.stack.data / name)) as source,
            contextlib.closing(sqlite3.connect(to / name)) as copy,
        ):
            source.backup(copy)

    def restore(self, backup: Path) -> None:
        """Put a backup in the place of everything, say that the server went back in time, and start again."""
        for name in ("web", "worker", "beat"):
            self.stack.kill(name)
        shutil.rmtree(self.stack.data)
        shutil.copytree(backup, self.stack.data)
        self.stack.manage("sync_new_epoch")
        self.restart()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The service with its worker, and the app it serves."""
    ensure_built()
    stack = Stack(tmp_path_factory.mktemp("field") / "data", more=SETTINGS)
    stack.lay_database()
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


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """One Chromium, in which each phone is a context of its own."""
    with playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS) as started:
        yield started


@pytest.fixture
def handset(
    stage: Stage, browser: Browser, playwright: Playwright, chromium: str, tmp_path: Path
) -> Iterator[Make]:
    """Make phones, each with its own line; those that are `on_disk` have a Chromium to themselves and can be killed."""
    made: list[Handset] = []

    def make(*, on_disk: bool = False) -> Handset:
        context = (
            open_profile(playwright, chromium, tmp_path / f"profile-{len(made)}", **AS_PHONE)
            if on_disk
            else browser.new_context(**AS_PHONE)
        )
        made.append(Handset(context, Line(stage.stack.port)))
        return made[-1]

    yield make
    for phone in made:
        phone.close()
        phone.line.close()
    complaints = [complaint for phone in made for complaint in phone.complaints]
    assert complaints == []


@pytest.fixture
def phone(stage: Stage, handset: Make) -> Handset:
    """An enrolled phone with an installed app."""
    made: Handset = handset()
    made.officer = stage.officer()
    made.enrol(stage.backstage("code", officer=made.officer))
    return made


@pytest.fixture
def engine(
    stage: Stage, browser: Browser, playwright: Playwright, chromium: str, tmp_path: Path
) -> Iterator[Make]:
    """Make enrolled phones without screens, in step with the server; of an officer of their own unless one is named."""
    opened: list[BrowserContext] = []

    def make(
        *,
        officer: str = "",
        script: str = "",
        on_disk: bool = False,
        before: Callable[[BrowserContext], object] = bool,
    ) -> EnginePage:
        alone: dict[str, Any] = {"service_workers": "block", "locale": "vi-VN"}
        context = (
            open_profile(playwright, chromium, tmp_path / f"profile-{len(opened)}", **alone)
            if on_disk
            else browser.new_context(**alone)
        )
        opened.append(context)
        serve_harness(context)
        if script:
            context.add_init_script(script)
        before(context)
        page = EnginePage(context, stage.stack.url, officer or stage.officer())
        page.enrol(stage.backstage("code", officer=page.officer))
        page.in_step()
        return page

    yield make
    for context in opened:
        context.close()
