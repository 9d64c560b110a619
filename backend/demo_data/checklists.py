"""The nine checklists through their lives: written by a trainer, approved by another, published, superseded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.checklists import actions
from apps.checklists.demo import load_checklists
from apps.checklists.models import Checklist
from apps.checklists.rules import CompiledChecklist, compile_answers
from backend.demo_data.people import Service
from backend.demo_data.simulation import Simulation

# Second versions are three weeks old at the end of the story, so that first ones are still closing.
SUPERSEDED_BEFORE_END = dt.timedelta(days=21)


@dataclass(frozen=True)
class Edition:
    """A published version, as phones hold it: id, hash, steps and the checker of answers."""

    id: UUID
    content_hash: str
    published_at: dt.datetime
    steps: Mapping[str, Mapping[str, Any]]
    compiled: CompiledChecklist


@dataclass(frozen=True)
class Library:
    """The published editions by checklist code, oldest first."""

    editions: Mapping[str, list[Edition]]

    def at(self, code: str, moment: dt.datetime) -> Edition:
        """Give the edition that a phone filled in at a moment."""
        return next(e for e in reversed(self.editions[code]) if e.published_at <= moment)


def make_checklists(story: Simulation, service: Service) -> Library:
    """Take every version of the demo's checklists to the state its file names."""
    editions: dict[str, list[Edition]] = {}
    trainers, approvers = service.at("HQ", "trainer"), service.at("HQ", "approver")
    for number, given in enumerate(load_checklists()):
        trainer, approver = trainers[number % len(trainers)], approvers[number % len(approvers)]
        story.at(story.opening + dt.timedelta(days=9, hours=number))
        checklist = actions.create_checklist(
            actor=service.actor(trainer, story.now),
            code=given["code"],
            applies_to=given["applies_to"],
            title=(given["title"]["vi"], given["title"]["en"]),
            id=story.new_id(),
        )
        editions[given["code"]] = []
        for order, version in enumerate(given["versions"]):
            story.at(_written_at(story, order, number))
            edition = _live(story, service, checklist, version, (trainer, approver))
            if edition:
                editions[given["code"]].append(edition)
    return Library(editions)


def _written_at(story: Simulation, order: int, number: int) -> dt.datetime:
    """Say when a version was written: the first before the story, the next near its end, drafts last."""
    if order == 0:
        return story.opening + dt.timedelta(days=10, hours=number)
    before_end = SUPERSEDED_BEFORE_END + dt.timedelta(days=5) if order == 1 else dt.timedelta(days=4)
    return story.end - before_end


def _live(
    story: Simulation,
    service: Service,
    checklist: Checklist,
    version: Mapping[str, Any],
    people: tuple[Any, Any],
) -> Edition | None:
    trainer, approver = people
    made = actions.create_version(
        actor=service.actor(trainer, story.now),
        checklist=checklist,
        semver=version["semver"],
        content=version["content"],
        change_note="\n".join(version["change_note"].values()),
        source_directive=version["source_directive"],
        id=story.new_id(),
    )
    if version["status"] == "draft":
        return None
    story.at(story.now + dt.timedelta(days=1))
    actions.submit_for_review(actor=service.actor(trainer, story.now), version_id=made.pk)
    story.at(story.now + dt.timedelta(days=2))
    approved = actions.approve_version(actor=service.actor(approver, story.now), version_id=made.pk)
    story.at(story.now + dt.timedelta(days=2))
    actions.publish_version(actor=service.actor(approver, story.now), version_id=made.pk)
    steps = {step["key"]: step for section in version["content"]["sections"] for step in section["steps"]}
    return Edition(made.pk, approved.content_hash, story.now, steps, compile_answers(version["content"]))
