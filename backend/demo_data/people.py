"""The 180 officers: who serves where in which role, who moved; their 60 devices; the log-ins that the demo shows."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from apps.accounts import actions
from apps.accounts.models import Device, Officer, Posting
from apps.accounts.queries import actor_for
from apps.accounts.rules import enrolment_proof
from apps.common.actor import SYSTEM, Actor
from apps.organisation.models import Unit
from backend.demo_data.simulation import Simulation, local
from backend.demo_data.units import REFORM, WORKING
from backend.demo_data.words import FAMILY, LEADER_RANKS, MEN, MEN_MIDDLE, RANKS, WOMEN, WOMEN_MIDDLE

OFFICERS = 180
DEVICES = 60
HEADQUARTERS: tuple[tuple[str, str, int], ...] = (
    ("HQ", "leader", 1),
    ("HQ", "hq_reviewer", 3),
    ("HQ", "analyst", 3),
    ("HQ", "statistics", 2),
    ("HQ", "trainer", 3),
    ("HQ", "approver", 2),
    ("HQ", "administrator", 2),
    ("HQ", "auditor", 1),
    ("ASID", "leader", 1),
    ("ASID", "analyst", 2),
    ("KCS", "liaison", 2),
    ("HN", "leader", 1),
    ("HN", "analyst", 1),
    ("HN", "custodian", 1),
    ("HCM", "leader", 1),
    ("HCM", "analyst", 1),
    ("HCM", "custodian", 1),
    ("DNA", "leader", 1),
    ("HPH", "leader", 1),
    ("QTR", "leader", 1),
    ("QBI", "leader", 1),
    ("HTI", "leader", 1),
    ("TNI", "leader", 1),
    ("LSN", "leader", 1),
    ("QNI", "leader", 1),
)
# Leaders of dissolved departments went to the regions that took their gates.
REPOSTED = {"QTR": "KV9", "HTI": "KV11"}
# The demo's log-ins stand in these units; the reader of the demo meets Nội Bài first.
SHOWN_AT = {"officer": "NBA", "leader": "NBA", "custodian": "HN", "liaison": "KCS"}
_APP, _OS = ("1.4.0", "1.4.0", "1.4.0", "1.3.2"), ("Android 14", "Android 13", "Android 15")
_PHONES = ("Samsung Galaxy A35", "Samsung XCover 7", "Xiaomi Redmi Note 13", "OPPO A79", "Nokia XR21")


@dataclass
class Person:
    """An officer of the story with the postings held, the newest last, and the phone, if any."""

    officer: Officer
    role: str
    unit: str
    postings: list[tuple[dt.datetime, Posting]]
    device: Device | None = None
    key: ec.EllipticCurvePrivateKey | None = None
    actors: dict[tuple[UUID, bool], Actor] = field(default_factory=dict)

    def posting_at(self, moment: dt.datetime) -> Posting:
        """Give the posting held at a moment."""
        return next(posting for since, posting in reversed(self.postings) if since <= moment)


@dataclass
class Service:
    """All people of the story, and who acts for whom."""

    people: list[Person]
    units: dict[str, Unit]

    def at(self, unit: str, role: str) -> list[Person]:
        """Give the people who hold the role at the unit now, in the order they came."""
        return [p for p in self.people if p.unit == unit and p.role == role]

    def who(self, role: str) -> Person:
        """Give the person whose log-in the demo shows for a role."""
        unit = SHOWN_AT.get(role, "HQ")
        return next(p for p in self.people if p.role == role and p.unit == unit)

    def actor(self, person: Person, moment: dt.datetime) -> Actor:
        """Act as the person at the moment that the clock shows, from the phone when there is one.

        What an actor may do changes with the postings and with the tree; between such days one value serves.
        """
        key = (person.posting_at(moment).pk, moment >= local(REFORM))
        if key not in person.actors:
            person.actors[key] = actor_for(
                person.officer, device_id=person.device.pk if person.device else None
            )
        return person.actors[key]


def make_people(story: Simulation, units: dict[str, Unit]) -> Service:
    """Create and post everyone, then give out the phones."""
    names = _names(story)
    story.at(story.opening)
    service = Service([], units)
    for unit, role in _places():
        service.people.append(_hire(story, next(names), unit, role, units, len(service.people)))
    _after_the_reform(story, service)
    return service


def _places() -> Iterator[tuple[str, str]]:
    """Give 180 places: headquarters and regions, a leader at each working unit, officers by the work there is."""
    fixed = [(unit, role) for unit, role, count in HEADQUARTERS for _ in range(count)]
    fixed += [(spec.code, "leader") for spec in WORKING]
    yield from fixed
    left = OFFICERS - len(fixed)
    total = sum(spec.weight for spec in WORKING)
    quota = {spec.code: max(2, int(left * spec.weight / total)) for spec in WORKING}
    biggest = sorted(WORKING, key=lambda spec: -spec.weight)
    surplus = sum(quota.values()) - left
    for i in range(abs(surplus)):
        quota[biggest[i % 6].code] += -1 if surplus > 0 else 1
    for spec in WORKING:
        yield from ((spec.code, "officer") for _ in range(quota[spec.code]))


def _names(story: Simulation) -> Iterator[tuple[str, str]]:
    """Give full names with user names made from them; no user name twice."""
    used: set[str] = set()
    while True:
        family = story.weighted(FAMILY)
        if story.often(0.3):
            middle, given = story.one_of(WOMEN_MIDDLE), story.one_of(WOMEN)
        else:
            middle, given = story.one_of(MEN_MIDDLE), story.one_of(MEN)
        if given in middle.split():
            continue
        initials = "".join(word[0] for word in (family, *middle.split()))
        base = username = _plain(f"{given}{initials}")
        number = 1
        while username in used:
            number += 1
            username = f"{base}{number}"
        used.add(username)
        yield f"{family} {middle} {given}", username


def _plain(text: str) -> str:
    """Write without marks: đ has no decomposition and is named."""
    bare = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(c for c in bare if c.isascii() and c.isalnum())


def _hire(
    story: Simulation, name: tuple[str, str], unit: str, role: str, units: dict[str, Unit], number: int
) -> Person:
    officer = actions.create_officer(
        actor=SYSTEM,
        username=name[1],
        badge_no=f"HQ{20_101 + number * 7}",
        full_name=name[0],
        rank_title=story.one_of(LEADER_RANKS if role == "leader" else RANKS) if role != "liaison" else "",
        id=story.new_id(),
    )
    posting = actions.post_officer(
        actor=SYSTEM, officer=officer, unit=units[unit], role=role, id=story.new_id()
    )
    return Person(officer, role, unit, [(story.now, posting)])


def _after_the_reform(story: Simulation, service: Service) -> None:
    if story.end < local(REFORM, 8):
        return
    story.at(local(REFORM, 7, 30))
    for person in service.people:
        if person.unit in REPOSTED and person.role == "leader":
            move(service, person, REPOSTED[person.unit], story.now)


def move(service: Service, person: Person, unit: str, moment: dt.datetime) -> None:
    """End the person's posting and post them to another unit in the same role."""
    actions.end_posting(actor=SYSTEM, posting=person.postings[-1][1])
    posting = actions.post_officer(
        actor=SYSTEM, officer=person.officer, unit=service.units[unit], role=person.role
    )
    person.postings.append((moment, posting))
    person.unit = unit


def give_phones(story: Simulation, service: Service) -> list[Person]:
    """Enrol 60 phones by code and key, as phones do: first the demo's officer's team, then round the units."""
    story.at(story.opening + dt.timedelta(days=20))
    holders = list(_phone_holders(service))[:DEVICES]
    for person in holders:
        code = actions.issue_enrolment_code(actor=SYSTEM, officer=person.officer)
        key = _key(story)
        claim = actions.Claim(
            code=code,
            public_key=base64.b64encode(
                key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            ).decode(),
            proof=base64.b64encode(key.sign(enrolment_proof(code), ec.ECDSA(SHA256()))).decode(),
            name=story.one_of(_PHONES),
            app_version=story.one_of(_APP),
            os_version=story.one_of(_OS),
        )
        person.device = actions.enrol_device(actor=Actor(officer_id=None), claim=claim).device
        person.key = key
    return holders


def _phone_holders(service: Service) -> Iterator[Person]:
    teams = [service.at(spec.code, "officer") for spec in WORKING]
    for rank in range(max(len(team) for team in teams)):
        for team in teams:
            # The demo's own officer enrols a phone while the reader looks on.
            if rank < len(team) and team[rank] is not service.who("officer"):
                yield team[rank]


def _key(story: Simulation) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(story.dice.getrandbits(250) + 1, ec.SECP256R1())


def set_logins(people: Mapping[str, Officer]) -> dict[str, dict[str, str]]:
    """Give the shown person of each role a new password; passwords are not part of the story's dice."""
    logins = {}
    for role, officer in people.items():
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        actions.set_password(actor=SYSTEM, officer=officer, password=password)
        logins[role] = {"username": officer.username, "password": password}
    return logins
