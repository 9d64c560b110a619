"""Phones of every released protocol go on working: their recorded requests are played against the present server."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Cast
from tests.evidence import on_disk
from tests.recordings.matching import faults
from tests.recordings.record import HERE, record, scenes, write
from tests.recordings.world import World

FILES = sorted(HERE.glob("protocol-*/*.json"))
NEW = int(os.environ.get("RECORD_PROTOCOL", "0"))


# What was released stays as it is: a change here means that an old phone no longer sends what it sends.
RELEASED = {1: "d47de45e4e9c274d00758d0c8c40ea5e"}


@pytest.mark.parametrize("protocol", RELEASED)
def test_files_of_a_released_protocol_are_never_edited(protocol: int) -> None:
    digest = hashlib.sha256()
    for file in (f for f in FILES if f.parent.name == f"protocol-{protocol}"):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    assert digest.hexdigest()[:32] == RELEASED[protocol]


@pytest.fixture
def world(cast: Cast, settings: Any, tmp_path: Path) -> World:
    """A server with one officer who is about to enrol a phone."""
    settings.STORAGES = settings.STORAGES | {"evidence": on_disk(tmp_path)}
    return World(cast, settings)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}-{f.stem}")
def test_an_old_phone_goes_on_working(file: Path, world: World) -> None:
    steps = json.loads(file.read_text(encoding="utf-8"))["steps"]
    for number, step in enumerate(steps):
        if "server" in step:
            world.happen(step["server"])
            continue
        answer, wanted = world.send(step), step["answer"]
        place = f"step {number}: {step['method']} {step['path']}"
        assert answer.status_code == wanted["status"], (place, answer.content[:500])
        world.keep(step.get("keep", {}), answer)
        assert not faults(world.filled(wanted["headers"]), dict(answer.headers), place)
        if "body" in wanted:
            assert not faults(world.filled(wanted["body"]), answer.json(), place)


def test_protocol_1_is_recorded() -> None:
    assert {f.stem for f in FILES if f.parent.name == "protocol-1"} >= {
        "enrol-and-sessions",
        "a-report-with-a-photo",
        "verdicts-conflict",
        "verdicts-rejected",
        "verdicts-deferred",
        "tus-errors",
        "errors",
        "revoked",
    }


if NEW:

    @pytest.mark.parametrize("name", scenes(NEW))
    def test_record(name: str, world: World) -> None:
        write(NEW, name, record(world, scenes(NEW)[name]))
