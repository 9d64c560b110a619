"""Enrolment codes and the states of a device: who may, what is written, what cannot be undone."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.actions.statements import sign_statement
from apps.accounts.errors import CodeNotUsable, DeviceStateChanged, OfficerSuspended, SecondPersonNeeded
from apps.accounts.models import Device, DeviceSession, EnrolmentCode
from apps.accounts.rules import digest, enrolment_proof, normal_code
from apps.audit.models import Event
from apps.changes.models import Change
from apps.common.actor import SYSTEM, Actor
from apps.common.errors import NotAllowed
from tests.cast import Cast, Key

NOBODY = Actor(officer_id=None)


def claim(code: str) -> actions.Claim:
    key = Key()
    return actions.Claim(code, key.public, key.sign(enrolment_proof(code)))


@pytest.mark.parametrize("who", ["leader", "region_leader", "administrator", "officer"])
def test_a_code_is_issued_by_those_above_or_oneself(cast: Cast, who: str) -> None:
    issuer = getattr(cast, who)
    code = actions.issue_enrolment_code(actor=issuer.actor(), officer=cast.officer.officer)
    row = EnrolmentCode.objects.get()
    assert row.code_hash == digest(normal_code(code))
    assert row.issued_by == issuer.officer
    assert timedelta(minutes=9) < row.expires_at - timezone.now() <= timedelta(minutes=10)
    event = Event.objects.get(action="enrolment_code.issued", oid=cast.officer.officer.pk)
    assert code not in str(event.data)
    enrolled = actions.enrol_device(actor=NOBODY, claim=claim(code))
    assert enrolled.device.officer == cast.officer.officer
    row.refresh_from_db()
    assert row.device == enrolled.device
    done = Event.objects.get(action="device.enrolled")
    assert done.data["issued_by"] == str(issuer.officer.pk)


@pytest.mark.parametrize(
    "who",
    ["team_mate", "outsider", "other_leader", "hq_reviewer", "hq_analyst", "auditor", "liaison", "suspended"],
)
def test_nobody_else_issues_a_code(cast: Cast, who: str) -> None:
    actor = getattr(cast, who).actor()
    before = EnrolmentCode.objects.count()
    with pytest.raises(NotAllowed):
        actions.issue_enrolment_code(actor=actor, officer=cast.officer.officer)
    assert EnrolmentCode.objects.count() == before


def test_a_further_device_takes_a_second_person(cast: Cast) -> None:
    me = cast.officer
    assert me.phone.device.state == "enrolled"
    with pytest.raises(SecondPersonNeeded):
        actions.issue_enrolment_code(actor=me.actor(), officer=me.officer)
    assert actions.issue_enrolment_code(actor=cast.leader.actor(), officer=me.officer)


def test_a_new_code_kills_the_old_one_and_lifetimes_are_bounded(cast: Cast) -> None:
    me = cast.officer.officer
    old = actions.issue_enrolment_code(actor=SYSTEM, officer=me)
    actions.issue_enrolment_code(actor=SYSTEM, officer=me, lifetime=timedelta(days=30))
    with pytest.raises(CodeNotUsable):
        actions.enrol_device(actor=NOBODY, claim=claim(old))
    newest = EnrolmentCode.objects.order_by("-issued_at")[0]
    assert newest.expires_at - newest.issued_at == timedelta(hours=24)


def test_a_suspended_officer_gets_no_code(cast: Cast) -> None:
    with pytest.raises(OfficerSuspended):
        actions.issue_enrolment_code(actor=SYSTEM, officer=cast.suspended.officer)


def test_lost_is_final_and_ends_sessions(cast: Cast) -> None:
    device = cast.officer.phone.device
    lost = actions.report_device_lost(actor=cast.officer.actor(), device=device, reason="rơi ở kho")
    assert lost.state == Device.State.LOST
    assert DeviceSession.objects.get(device=device).end_reason == "device-lost"
    event = Event.objects.get(action="device.lost", oid=device.pk)
    assert event.data == {"reason": "rơi ở kho"}
    assert Change.objects.filter(kind="device.lost", oid=device.pk).exists()
    moves: list[Callable[..., Any]] = [
        actions.report_device_lost,
        actions.suspend_device,
        actions.reinstate_device,
    ]
    for move in moves:
        with pytest.raises(DeviceStateChanged):
            move(actor=SYSTEM, device=device)


def test_suspending_and_reinstating(cast: Cast) -> None:
    me, device = cast.officer, cast.officer.phone.device
    with pytest.raises(DeviceStateChanged):
        actions.reinstate_device(actor=SYSTEM, device=device)
    actions.suspend_device(actor=me.actor(), device=device)
    with pytest.raises(SecondPersonNeeded):
        actions.reinstate_device(actor=me.actor(), device=device)
    with pytest.raises(NotAllowed):
        actions.reinstate_device(actor=cast.other_leader.actor(), device=device)
    back = actions.reinstate_device(actor=cast.leader.actor(), device=device)
    assert back.state == Device.State.ENROLLED
    kinds = list(Change.objects.filter(oid=device.pk).order_by("id").values_list("kind", flat=True))
    assert kinds == ["device.enrolled", "device.suspended", "device.reinstated"]


def test_a_stale_row_does_not_move_a_device(cast: Cast) -> None:
    device = cast.officer.phone.device
    actions.report_device_lost(actor=SYSTEM, device=Device.objects.get(pk=device.pk))
    assert device.state == "enrolled"
    with pytest.raises(DeviceStateChanged) as caught:
        actions.suspend_device(actor=SYSTEM, device=device)
    assert caught.value.current == {"state": "lost"}


class TestServerKey:
    def test_is_made_once_and_readable_by_the_service_alone(self, settings: Any, tmp_path: Path) -> None:
        settings.KEYS_DIR = tmp_path / "keys"
        first, second = sign_statement(b"one"), sign_statement(b"two")
        assert first.key_id == second.key_id
        path = tmp_path / "keys" / "server-ed25519.pem"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [p.name for p in path.parent.iterdir()] == [path.name]
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(first.public_key))
        key.verify(base64.b64decode(first.signature), b"one")


class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("issue_enrolment_code", *arguments, stdout=out)
        return out.getvalue()

    def test_prints_a_code_that_works(self, cast: Cast) -> None:
        cast.officer.actor()
        said = json.loads(self.run("--officer", "OFFICER", "--json", "--minutes", "30"))
        assert said["officer"] == "officer"
        assert (
            actions.enrol_device(actor=NOBODY, claim=claim(said["code"])).device.officer
            == cast.officer.officer
        )

    def test_takes_the_first_gate_officer_when_none_is_named(self, cast: Cast) -> None:
        people = (cast.administrator, cast.outsider, cast.officer)
        assert people
        assert "(officer, 10 min)" in self.run()

    @pytest.mark.parametrize(
        "arguments", [["--officer", "nobody"], ["--minutes", "0"], ["--minutes", "5000"]]
    )
    def test_says_what_is_wrong(self, cast: Cast, arguments: list[str]) -> None:
        cast.officer.actor()
        with pytest.raises(CommandError):
            self.run(*arguments)
