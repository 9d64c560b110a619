"""The nine checklists through their lives: written by a trainer, approved by another, published, superseded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from apps.checklists import actions
from apps.checklists.demo import load_checklists
from apps.checklists.models import Checklist
from apps.checklists.rules import CompiledChecklist, compile_answers, content_hash
from apps.common.actor import Actor
from backend.demo_data.people import Person, Service
from backend.demo_data.simulation import Simulation

# Second versions are three weeks old at the end of the story, so that first ones are still closing.
SUPERSEDED_BEFORE_END = dt.timedelta(days=21)
DRAFTED_BEFORE_END = dt.timedelta(days=4)


@dataclass(frozen=True)
class Edition:
    """A published version, as phones hold it: id, hash, steps and the checker of answers."""

    id: UUID
    content_hash: str
    published_at: dt.datetime
    steps: Mapping[str, Mapping[str, Any]]
    compiled: CompiledChecklist


@dataclass
class Library:
    """The editions by checklist code, oldest first, and what is still to be done to make the later ones."""

    editions: dict[str, list[Edition]] = field(default_factory=dict)
    later: list[tuple[dt.datetime, Callable[[], object]]] = field(default_factory=list)

    def at(self, code: str, moment: dt.datetime) -> Edition:
        """Give the edition that a phone fills in at a moment."""
        return next(e for e in reversed(self.editions[code]) if e.published_at <= moment)


class Authors:
    """A trainer and an approver who make the versions of one checklist."""

    def __init__(self, story: Simulation, service: Service, number: int) -> None:
        self.story, self.service = story, service
        trainers, approvers = service.at("HQ", "trainer"), service.at("HQ", "approver")
        self.trainer, self.approver = trainers[number % len(trainers)], approvers[number % len(approvers)]

    def checklist(self, given: Mapping[str, Any]) -> Checklist:
        """Open the checklist."""
        return actions.create_checklist(
            actor=self._actor(self.trainer),
            code=given["code"],
            applies_to=given["applies_to"],
            title=(given["title"]["vi"], given["title"]["en"]),
            id=self.story.new_id(),
        )

    def draft(self, checklist: Checklist, version: Mapping[str, Any], version_id: UUID) -> object:
        """Write a version."""
        return actions.create_version(
            actor=self._actor(self.trainer),
            checklist=checklist,
            semver=version["semver"],
            content=version["content"],
            change_note="\n".join(version["change_note"].values()),
            source_directive=version["source_directive"],
            id=version_id,
        )

    def hand_in(self, version_id: UUID) -> object:
        """Send it to review."""
        return actions.submit_for_review(actor=self._actor(self.trainer), version_id=version_id)

    def approve(self, version_id: UUID) -> object:
        """Approve it: another person than the author."""
        return actions.approve_version(actor=self._actor(self.approver), version_id=version_id)

    def publish(self, version_id: UUID) -> object:
        """Put it on all phones."""
        return actions.publish_version(actor=self._actor(self.approver), version_id=version_id)

    def _actor(self, person: Person) -> Actor:
        return self.service.actor(person, self.story.now)


def make_checklists(story: Simulation, service: Service) -> Library:
    """Publish the first versions of the demo's checklists, and plan the lives of the later ones."""
    library = Library()
    for number, given in enumerate(load_checklists()):
        authors = Authors(story, service, number)
        story.at(story.opening + dt.timedelta(days=9, hours=number))
        checklist = authors.checklist(given)
        library.editions[given["code"]] = []
        for order, version in enumerate(given["versions"]):
            written = _written_at(story, order, number)
            story.at(written)
            steps = _life(
                authors, checklist, version, written, story.new_id(), library.editions[given["code"]]
            )
            if order:
                library.later += steps
                continue
            for moment, step in steps:
                story.at(moment)
                step()
    return library


def _written_at(story: Simulation, order: int, number: int) -> dt.datetime:
    """Say when a version was written: the first before the story, the next near its end, drafts last."""
    if order == 0:
        return story.opening + dt.timedelta(days=10, hours=number)
    return story.end - (SUPERSEDED_BEFORE_END + dt.timedelta(days=5) if order == 1 else DRAFTED_BEFORE_END)


def _life(
    authors: Authors,
    checklist: Checklist,
    version: Mapping[str, Any],
    written: dt.datetime,
    version_id: UUID,
    editions: list[Edition],
) -> list[tuple[dt.datetime, Callable[[], object]]]:
    """Plan the life of a version up to the state its file names; a published one becomes an edition."""
    life: list[tuple[dt.datetime, Callable[[], object]]] = [
        (written, partial(authors.draft, checklist, version, version_id))
    ]
    if version["status"] == "draft":
        return life
    days = dt.timedelta(days=1)
    life += [
        (written + days, partial(authors.hand_in, version_id)),
        (written + 3 * days, partial(authors.approve, version_id)),
        (written + 5 * days, partial(authors.publish, version_id)),
    ]
    content = version["content"]
    steps = {step["key"]: step for section in content["sections"] for step in section["steps"]}
    edition = Edition(version_id, content_hash(content), written + 5 * days, steps, compile_answers(content))
    editions.append(edition)
    return life
