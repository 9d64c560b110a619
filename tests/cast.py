"""The fixed people of the tests: who they are, where they serve, and a phone or a console for each.

Everything is made through the product's own actions, each person when first asked for, so a test pays for what it
uses. `cast.everyone()` makes all of them.
"""

from __future__ import annotations

import base64
import datetime as dt
import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.cache import cache as counts
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts import actions
from apps.accounts.models import Device, Officer, Posting, Role
from apps.accounts.queries import actor_for
from apps.accounts.rules import enrolment_proof
from apps.common.actor import SYSTEM, Actor
from apps.organisation.actions import create_unit
from apps.organisation.models import Force, Level, Unit, UnitType

PASSWORD = "Ngon-hai-dang-2024"
SINCE = dt.date(2020, 1, 1)


@dataclass
class Key:
    """A device key as a phone holds it."""

    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def public(self) -> str:
        """The public key as it is sent: SubjectPublicKeyInfo, DER, base64."""
        der = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def sign(self, message: bytes) -> str:
        """Sign as a phone does: ECDSA with SHA-256, DER, base64."""
        return base64.b64encode(self.private.sign(message, ec.ECDSA(SHA256()))).decode()


@dataclass
class Phone:
    """An enrolled device: its key, its row, its newest tokens."""

    key: Key
    device: Device
    tokens: actions.Tokens

    def client(self) -> APIClient:
        """Give a client that sends what this phone sends with each request."""
        client = APIClient(raise_request_exception=False)
        client.credentials(
            HTTP_AUTHORIZATION=f"Bearer {self.tokens.access_token}",
            HTTP_X_DEVICE_ID=str(self.device.pk),
            HTTP_SYNC_PROTOCOL="1",
            HTTP_APP_VERSION="1.0.0",
        )
        return client


@dataclass
class Member:
    """One person of the cast."""

    officer: Officer
    posting: Posting

    def actor(self) -> Actor:
        """Give the person as an actor, as the database has them now."""
        device = self.__dict__.get("phone")
        officer = Officer.objects.get(pk=self.officer.pk)
        return actor_for(officer, device_id=device.device.pk if device else None)

    def code(self) -> str:
        """Give a fresh enrolment code."""
        return actions.issue_enrolment_code(actor=SYSTEM, officer=self.officer)

    @cached_property
    def phone(self) -> Phone:
        """The person's phone; enrolled when first asked for."""
        return self.another_phone()

    def another_phone(self) -> Phone:
        """Enrol one more phone for this person."""
        key, code = Key(), self.code()
        claim = actions.Claim(
            code, key.public, key.sign(enrolment_proof(code)), name="Điện thoại", app_version="1.0.0"
        )
        done = actions.enrol_device(actor=Actor(officer_id=None), claim=claim)
        return Phone(key, done.device, done.tokens)

    def client(self) -> APIClient:
        """Give a client of the phone API, signed in with this person's phone."""
        return self.phone.client()

    def console(self) -> Client:
        """Give a browser that is signed in to the console."""
        client = Client(raise_request_exception=False)
        client.force_login(self.officer, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client


class Cast:
    """Units and people with known relations; the names of the people are invented."""

    def __init__(self) -> None:
        self._numbers = itertools.count(10001)
        self.hq = _unit("TCHQ", Level.HQ, UnitType.HQ_DEPT, ("Cục Hải quan", "Customs Department"))
        self.region = _unit("KV01", Level.REGION, UnitType.HQ_DEPT, ("Khu vực I", "Region I"), self.hq)
        self.other_region = _unit(
            "KV02", Level.REGION, UnitType.HQ_DEPT, ("Khu vực II", "Region II"), self.hq
        )
        self.noi_bai = _unit(
            "NBA", Level.GATE, UnitType.AIRPORT, ("Sân bay Nội Bài", "Noi Bai Airport"), self.region
        )
        self.express = _unit(
            "CPN", Level.GATE, UnitType.EXPRESS, ("Chuyển phát nhanh", "Express"), self.region
        )
        self.far_gate = _unit(
            "TSN",
            Level.GATE,
            UnitType.AIRPORT,
            ("Sân bay Tân Sơn Nhất", "Tan Son Nhat Airport"),
            self.other_region,
        )

    @cached_property
    def officer(self) -> Member:
        """An officer at Nội Bài."""
        return self._member("officer", "Nguyễn Văn An", self.noi_bai, Role.OFFICER)

    @cached_property
    def team_mate(self) -> Member:
        """Another officer at Nội Bài."""
        return self._member("team_mate", "Trần Thị Bình", self.noi_bai, Role.OFFICER)

    @cached_property
    def neighbour(self) -> Member:
        """An officer of another gate in the same region."""
        return self._member("neighbour", "Vũ Thị Hoa", self.express, Role.OFFICER)

    @cached_property
    def outsider(self) -> Member:
        """An officer of a gate in another region."""
        return self._member("outsider", "Lê Văn Cường", self.far_gate, Role.OFFICER)

    @cached_property
    def leader(self) -> Member:
        """The leader of Nội Bài."""
        return self._member("leader", "Phạm Thị Dung", self.noi_bai, Role.LEADER)

    @cached_property
    def other_leader(self) -> Member:
        """The leader of the gate in another region."""
        return self._member("other_leader", "Mai Văn Khôi", self.far_gate, Role.LEADER)

    @cached_property
    def region_leader(self) -> Member:
        """The leader of the region above Nội Bài."""
        return self._member("region_leader", "Hoàng Văn Em", self.region, Role.LEADER)

    @cached_property
    def hq_reviewer(self) -> Member:
        """A reviewer at headquarters."""
        return self._member("hq_reviewer", "Đỗ Thị Giang", self.hq, Role.HQ_REVIEWER)

    @cached_property
    def hq_analyst(self) -> Member:
        """An analyst at headquarters."""
        return self._member("hq_analyst", "Bùi Văn Hải", self.hq, Role.ANALYST)

    @cached_property
    def hq_statistics(self) -> Member:
        """A statistician at headquarters."""
        return self._member("hq_statistics", "Đặng Thị Lan", self.hq, Role.STATISTICS)

    @cached_property
    def trainer(self) -> Member:
        """Writes checklists."""
        return self._member("trainer", "Ngô Văn Minh", self.hq, Role.TRAINER)

    @cached_property
    def approver(self) -> Member:
        """Approves what a trainer wrote."""
        return self._member("approver", "Dương Thị Nga", self.hq, Role.APPROVER)

    @cached_property
    def custodian(self) -> Member:
        """Keeps the exhibits at Nội Bài."""
        return self._member("custodian", "Lý Văn Phúc", self.noi_bai, Role.CUSTODIAN)

    @cached_property
    def administrator(self) -> Member:
        """Runs the system, sees no case content."""
        return self._member("administrator", "Hồ Thị Quỳnh", self.hq, Role.ADMINISTRATOR)

    @cached_property
    def auditor(self) -> Member:
        """Reads the audit trail."""
        return self._member("auditor", "Phan Văn Sơn", self.hq, Role.AUDITOR)

    @cached_property
    def liaison(self) -> Member:
        """A foreign partner's officer."""
        name = ("Hải quan đối tác", "Partner customs")
        partner = _unit("KCS", Level.PARTNER, UnitType.FOREIGN, name, force=Force.FOREIGN_CUSTOMS)
        return self._member("liaison", "Kim Ji-woo", partner, Role.LIAISON)

    @cached_property
    def suspended(self) -> Member:
        """An officer at Nội Bài with a phone, suspended since."""
        member = self._member("suspended", "Trịnh Văn Tú", self.noi_bai, Role.OFFICER)
        member.client()
        member.officer = actions.suspend_officer(actor=SYSTEM, officer=member.officer, reason="test")
        return member

    @cached_property
    def revoked(self) -> Member:
        """An officer at Nội Bài whose phone was reported lost."""
        member = self._member("revoked", "Đinh Thị Uyên", self.noi_bai, Role.OFFICER)
        member.phone.device = actions.report_device_lost(actor=SYSTEM, device=member.phone.device)
        return member

    @cached_property
    def moved(self) -> Member:
        """An officer who left Nội Bài an hour ago for the gate in another region; `posting` is the new one."""
        hour_ago = timezone.now() - dt.timedelta(hours=1)
        member = self._member("moved", "Cao Văn Việt", self.noi_bai, Role.OFFICER, until=hour_ago)
        member.posting = actions.post_officer(
            actor=SYSTEM, officer=member.officer, unit=self.far_gate, role=Role.OFFICER, valid_from=hour_ago
        )
        return member

    def everyone(self) -> dict[str, Member]:
        """Give all members by name."""
        names = [name for name, item in vars(Cast).items() if isinstance(item, cached_property)]
        return {name: getattr(self, name) for name in names}

    def _member(
        self, username: str, full_name: str, unit: Unit, role: str, *, until: dt.datetime | None = None
    ) -> Member:
        officer = actions.create_officer(
            actor=SYSTEM,
            username=username,
            badge_no=f"HQ-{next(self._numbers)}",
            full_name=full_name,
            password=PASSWORD,
        )
        posting = actions.post_officer(
            actor=SYSTEM,
            officer=officer,
            unit=unit,
            role=role,
            valid_from=timezone.now() - dt.timedelta(days=365),
            valid_to=until,
        )
        return Member(officer, posting)


def _unit(
    code: str, level: str, kind: str, names: tuple[str, str], parent: Unit | None = None, **more: Any
) -> Unit:
    return create_unit(
        actor=SYSTEM,
        code=code,
        level=level,
        type=kind,
        names=names,
        valid_from=SINCE,
        parent=parent.pk if parent else None,
        **more,
    )


@pytest.fixture
def cast(db: None) -> Cast:
    """The units, and the people as they are asked for."""
    return Cast()


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Forget the counts of limits between tests."""
    counts.clear()
