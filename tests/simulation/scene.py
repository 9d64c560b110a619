"""Where every story begins: the units and people of the cast, one published checklist, three enrolled phones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from tests import blank
from tests.reports import header, plain_answers
from tests.simulation.handset import Handset, Saved
from tests.simulation.network import Network, Trouble
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
    from apps.accounts.actions import issue_enrolment_code
    from apps.common.actor import SYSTEM
    from tests.cast import Cast
    from tests.evidence_images import jpeg
    from tests.reports import plain_content
    from tests.seed import publish

    blank.lay_connected()
    server.disk.clear()
    with transaction.atomic():
        cast = Cast()
        version = publish(cast, "plain", "express", plain_content(STEPS))
        for member in (cast.leader, cast.other_leader, cast.region_leader):
            assert member.posting is not None
    network = Network(server, lambda _line: None)
    server.crasher.attach()
    phones = [
        Handset(network, name, member.officer.username)
        for name, member in (("An-1", cast.officer), ("An-2", cast.officer), ("Bình", cast.team_mate))
    ]
    for phone, member in zip(phones, (cast.officer, cast.officer, cast.team_mate), strict=True):
        phone.enrol(issue_enrolment_code(actor=SYSTEM, officer=member.officer))
        phone.sync()
    colours = ("navy", "maroon", "olive", "teal")
    photos = tuple(jpeg(24 + 16 * i, 24, colour=colour) for i, colour in enumerate(colours))
    _yesterday(server, cast, phones, version, photos)
    saved = tuple(phone.saved() for phone in phones)
    return Scene(Store(), saved, cast, version, server.clock.moment, server.clock.ids, photos)


def _yesterday(
    server: Server, cast: Any, phones: list[Handset], version: str, photos: tuple[bytes, ...]
) -> None:
    """Leave something to go on with: a draft, a returned report, one under review, one whose photo is half here."""
    from apps.inspections.actions import return_for_correction, start_review

    first, _, other = phones

    def write(phone: Handset, deed: Any, **more: Any) -> str:
        with phone.in_hand():
            fields = header(
                checklist_version=version, answers=plain_answers(STEPS), remarks="hôm qua", **more
            )
            return str(deed(fields))

    write(first, first.save)
    returned, taken_up = write(first, first.submit), write(first, first.submit)
    waiting = write(other, other.save)
    photo = other.take_photo(waiting, "step_3", photos[0])
    other.submit({"photos": {"step_3": [photo]}}, waiting)
    first.sync()
    other.push()
    # The connection broke in the middle of the photo: an upload is open and holds the first bytes.
    other.contact(other.send_photos, [Trouble(0, "cut", 300)])
    leader = cast.region_leader.actor()
    return_for_correction(actor=leader, report_id=UUID(returned), notes=[], note="Bổ sung")
    start_review(actor=leader, report_id=UUID(taken_up))
    server.drain()
    for phone in phones:
        phone.pull()
