"""How a phone becomes an officer's device: a one-time code from a leader, and proof of its own key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts.actions.sessions import Tokens, start_session
from apps.accounts.actions.statements import Signed, server_key_id, sign_statement
from apps.accounts.errors import CodeNotUsable, KeyAlreadyEnrolled, OfficerSuspended, ProofInvalid
from apps.accounts.models import Device, EnrolmentCode, Officer
from apps.accounts.queries import units_of
from apps.accounts.rules import (
    check_issues_code,
    check_standing,
    digest,
    enrolment_proof,
    is_signed,
    new_code,
    normal_code,
    normal_key,
)
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.common.actor import Actor
from apps.common.records import new_id
from apps.common.text import clean_text

DEVICE, OFFICER = "device", "officer"
LONGEST_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class Claim:
    """What a phone sends to enrol; `proof` is the signature of its key over `enrolment_proof(code)`."""

    code: str
    public_key: str
    proof: str
    name: str = ""
    app_version: str = ""
    os_version: str = ""


@dataclass(frozen=True)
class Enrolled:
    """The new device, its first tokens, and the statement that the server signed about it."""

    device: Device
    tokens: Tokens
    statement: Signed


@transaction.atomic
def issue_enrolment_code(*, actor: Actor, officer: Officer, lifetime: timedelta | None = None) -> str:
    """Give a one-time code for the officer, readable now and never again; earlier unused codes die.

    By a leader over the officer, an administrator, or the officer for a first device. Raises NotAllowed,
    SecondPersonNeeded and OfficerSuspended.
    """
    officer = Officer.objects.select_for_update().get(pk=officer.pk)
    check_issues_code(actor, officer.pk, units_of(officer.pk), has_device=officer.devices.exists())
    if not officer.is_active:
        raise OfficerSuspended
    now = timezone.now()
    EnrolmentCode.objects.filter(officer=officer, used_at=None, expires_at__gt=now).update(expires_at=now)
    code = new_code()
    row = EnrolmentCode.objects.create(
        code_hash=digest(normal_code(code)),
        officer=officer,
        issued_by_id=actor.officer_id,
        issued_at=now,
        expires_at=now + min(lifetime or settings.ENROLMENT_CODE_LIFETIME, LONGEST_LIFETIME),
    )
    log(actor, "enrolment_code.issued", OFFICER, officer.pk, {"until": row.expires_at.isoformat()})
    return code


@transaction.atomic
def enrol_device(*, actor: Actor, claim: Claim) -> Enrolled:
    """Make the phone the device of the officer whom the code names; of any number of claims at once, one wins.

    A phone in use that shows its own key and a code of its own officer is given the device that it is: after a restore
    it may not know which. `actor` is nobody yet; it carries the id of the request. Raises KeyNotUsable, ProofInvalid
    (the code stays usable), CodeNotUsable, KeyAlreadyEnrolled and DeviceRevoked (officer suspended meanwhile).
    """
    key = normal_key(claim.public_key)
    if not is_signed(key, claim.proof, enrolment_proof(claim.code)):
        raise ProofInvalid
    now = timezone.now()
    code = _claimed(claim.code, now)
    officer = code.officer
    check_standing(Device.State.ENROLLED, is_officer_active=officer.is_active)
    known = _known(officer, key)
    device, statement = known or _created(officer, key, claim, now)
    actor = replace(actor, officer_id=officer.pk, device_id=device.pk)
    _, tokens = start_session(device, now)
    issued_by = str(code.issued_by_id) if code.issued_by_id else None
    told = {"officer": str(officer.pk), "issued_by": issued_by}
    if known:
        log(actor, "device.enrolled_again", DEVICE, device.pk, told)
    else:
        EnrolmentCode.objects.filter(pk=code.pk).update(device=device)
        log(actor, "device.enrolled", DEVICE, device.pk, told)
        record(actor, Item("device.enrolled", DEVICE, device.pk, 1))
    return Enrolled(device, tokens, statement)


def _claimed(typed: str, now: datetime) -> EnrolmentCode:
    """Use up the code: the update finds it unused once, however many claims race. Raises CodeNotUsable."""
    usable = EnrolmentCode.objects.filter(
        code_hash=digest(normal_code(typed)), used_at=None, expires_at__gt=now
    )
    row = usable.select_related("officer").first()
    if row is None or usable.update(used_at=now) != 1:
        raise CodeNotUsable
    return row


def _known(officer: Officer, key: str) -> tuple[Device, Signed] | None:
    """Give the device that this key is, with what was stated about it. Raises KeyAlreadyEnrolled if it is unusable."""
    device = Device.objects.filter(public_key=key).first()
    if device is None:
        return None
    if device.officer_id != officer.pk or device.state != Device.State.ENROLLED:
        raise KeyAlreadyEnrolled
    return device, Signed(**orjson.loads(device.statement))


def _created(officer: Officer, key: str, claim: Claim, now: datetime) -> tuple[Device, Signed]:
    device_id = new_id()
    statement = sign_statement(_statement(device_id, officer, key, now))
    device = Device(
        id=device_id,
        officer=officer,
        name=clean_text(claim.name)[:80],
        public_key=key,
        statement=orjson.dumps(statement).decode(),
        app_version=clean_text(claim.app_version)[:40],
        os_version=clean_text(claim.os_version)[:80],
        enrolled_at=now,
    )
    try:
        with transaction.atomic():
            device.save(force_insert=True)
    except IntegrityError as error:
        if Device.objects.filter(public_key=key).exists():
            raise KeyAlreadyEnrolled from error
        raise
    return device, statement


def _statement(device_id: UUID, officer: Officer, key: str, now: datetime) -> bytes:
    """Compose what the server states about a device; these bytes are signed and never composed again."""
    return orjson.dumps(
        {
            "v": 1,
            "kind": "device-statement",
            "device_id": device_id,
            "officer_id": officer.pk,
            "badge_no": officer.badge_no,
            "public_key": key,
            "enrolled_at": now,
            "key_id": server_key_id(),
        }
    )
