"""Where every story begins: the units and people of the cast, one published checklist, three enrolled phones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from tests.simulation.handset import Handset, Saved
from tests.simulation.network import Network
from tests.simulation.server import Server, Store

STEPS = 8


@dataclass(frozen=True)
class Scene:
    """The template of an example."""

    store: Store
    phones: tuple[Saved, ...]
    cast: Any
    version: str
    moment: Any
    ids: int
    photos: tuple[bytes, ...]


def prepare(server: Server) -> Scene:
    """Build the template, once per process."""
    from django.core.management import call_command

    from apps.accounts.actions import issue_enrolment_code
    from apps.common.actor import SYSTEM
    from tests.cast import Cast
    from tests.evidence_images import jpeg
    from tests.reports import plain_content
    from tests.seed import publish

    call_command("migrate", verbosity=0)
    server.disk.clear()
    with transaction.atomic():
        cast = Cast()
        version = publish(cast, "plain", "express", plain_content(STEPS))
        for member in (cast.leader, cast.other_leader, cast.region_leader):
            assert member.posting
    network = Network(server, lambda _line: None)
    saved = []
    server.crasher.attach()
    for name, member in (("An-1", cast.officer), ("An-2", cast.officer), ("Bình", cast.team_mate)):
        phone = Handset(network, name, member.officer.username)
        phone.enrol(issue_enrolment_code(actor=SYSTEM, officer=member.officer))
        phone.sync()
        saved.append(phone.saved())
    server.drain()
    colours = ("navy", "maroon", "olive", "teal")
    photos = tuple(jpeg(24 + 16 * i, 24, colour=colour) for i, colour in enumerate(colours))
    return Scene(Store(), tuple(saved), cast, version, server.clock.moment, server.clock.ids, photos)
