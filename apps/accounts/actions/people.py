"""Officers and their postings. Roles come from postings alone, so ending one takes its rights at the next request."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.errors import AlreadyPosted, OfficerSuspended, PasswordTooWeak, PostingEnded, UsernameTaken
from apps.accounts.models import Officer, Posting, Role
from apps.accounts.rules import check_administers
from apps.audit.actions import log
from apps.changes.actions import Item, record
from apps.changes.rules import post_stream
from apps.common.actor import Actor
from apps.common.errors import InvalidFields, Problem
from apps.common.records import new_id
from apps.common.text import clean_text
from apps.organisation.models import Unit, UnitName, valid_on
from apps.organisation.queries import today

OFFICER, POSTING = "officer", "posting"
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")
_BADGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{0,19}")


def create_officer(  # noqa: PLR0913  the fields of an officer
    *,
    actor: Actor,
    username: str,
    badge_no: str,
    full_name: str,
    rank_title: str = "",
    email: str = "",
    password: str | None = None,
    id: UUID | None = None,  # noqa: A002  made where the record is born
) -> Officer:
    """Create an officer without any role; without a password they can sign in by single sign-on only.

    Raises NotAllowed for anyone but an administrator, InvalidFields, PasswordTooWeak and UsernameTaken.
    """
    check_administers(actor)
    officer = Officer(
        id=id or new_id(),
        username=username.strip().lower(),
        badge_no=badge_no.strip(),
        full_name=clean_text(full_name),
        rank_title=clean_text(rank_title)[:80],
        email=email.strip(),
    )
    _check_names(officer)
    _give_password(officer, password)
    try:
        with transaction.atomic():
            officer.save(force_insert=True)
            log(actor, "officer.created", OFFICER, officer.pk, {"username": officer.username})
            record(actor, Item("officer.created", OFFICER, officer.pk, 1))
    except IntegrityError as error:
        taken = Q(username=officer.username) | Q(badge_no=officer.badge_no)
        if Officer.objects.filter(taken).exists():
            raise UsernameTaken from error
        raise
    return officer


@transaction.atomic
def set_password(*, actor: Actor, officer: Officer, password: str) -> None:
    """Give the officer a new password; by themselves or an administrator. Raises PasswordTooWeak."""
    if actor.officer_id != officer.pk:
        check_administers(actor)
    officer = Officer.objects.select_for_update().get(pk=officer.pk)
    _give_password(officer, password)
    officer.save(update_fields=["password"])
    log(actor, "officer.password_set", OFFICER, officer.pk)
    record(actor, Item("officer.password_set", OFFICER, officer.pk, 1))


@transaction.atomic
def post_officer(  # noqa: PLR0913  the fields of a posting
    *,
    actor: Actor,
    officer: Officer,
    unit: Unit,
    role: str,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    id: UUID | None = None,  # noqa: A002  made where the record is born
) -> Posting:
    """Give the officer a role at a unit, from now unless said, until further notice unless said.

    An administrator cannot post themselves (SecondPersonNeeded). Raises OfficerSuspended and AlreadyPosted.
    """
    check_administers(actor, officer.pk)
    officer = Officer.objects.select_for_update().get(pk=officer.pk)
    if not officer.is_active:
        raise OfficerSuspended
    begin = valid_from or timezone.now()
    _check_term(role, begin, valid_to)
    same = Posting.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=begin), officer=officer, unit=unit, role=role
    )
    if (same.filter(valid_from__lt=valid_to) if valid_to else same).exists():
        raise AlreadyPosted
    posting = Posting.objects.create(
        id=id or new_id(), officer=officer, unit=unit, role=role, valid_from=begin, valid_to=valid_to
    )
    log(
        actor,
        "posting.created",
        POSTING,
        posting.pk,
        {"officer": str(officer.pk), "unit": unit.code, "role": role},
    )
    _record_posting(actor, "posting.created", posting, 1)
    return posting


@transaction.atomic
def end_posting(*, actor: Actor, posting: Posting) -> Posting:
    """End the posting now: its rights go at the next request, its stream at the phones' next pull.

    Raises PostingEnded, and NotAllowed for anyone but another administrator.
    """
    check_administers(actor, posting.officer_id)
    rows = Posting.objects.select_for_update(of=("self",)).select_related("officer", "unit")
    posting = rows.get(pk=posting.pk)
    now = timezone.now()
    if posting.valid_to and posting.valid_to <= now:
        raise PostingEnded
    posting.valid_to = max(now, posting.valid_from)
    posting.save(update_fields=["valid_to"])
    log(actor, "posting.ended", POSTING, posting.pk, {"officer": str(posting.officer_id)})
    _record_posting(actor, "posting.ended", posting, 2)
    return posting


@transaction.atomic
def suspend_officer(*, actor: Actor, officer: Officer, reason: str) -> Officer:
    """Shut the officer out of console and phone from the next request on; nothing on the phone is wiped."""
    check_administers(actor, officer.pk)
    return _set_active(actor, officer, is_active=False, change="officer.suspended", reason=reason)


@transaction.atomic
def reinstate_officer(*, actor: Actor, officer: Officer, reason: str) -> Officer:
    """Let a suspended officer work again; their devices go on where they stopped."""
    check_administers(actor, officer.pk)
    return _set_active(actor, officer, is_active=True, change="officer.reinstated", reason=reason)


def _set_active(actor: Actor, officer: Officer, *, is_active: bool, change: str, reason: str) -> Officer:
    officer = Officer.objects.select_for_update().get(pk=officer.pk)
    if officer.is_active == is_active:
        return officer
    officer.is_active = is_active
    officer.save(update_fields=["is_active"])
    log(actor, change, OFFICER, officer.pk, {"reason": clean_text(reason)[:500]})
    record(actor, Item(change, OFFICER, officer.pk, 1))
    return officer


def _check_names(officer: Officer) -> None:
    faults = []
    if not _USERNAME.fullmatch(officer.username):
        faults.append(
            Problem(
                "/username",
                "username",
                "Tên đăng nhập gồm 2–60 chữ thường không dấu, số, dấu chấm hoặc gạch.",
                "2 to 60 lower-case letters, digits, dots or dashes.",
            )
        )
    if not _BADGE.fullmatch(officer.badge_no):
        faults.append(Problem("/badge_no", "badge-no", "Số hiệu không hợp lệ.", "Not a badge number."))
    if not 1 <= len(officer.full_name) <= 120:
        faults.append(
            Problem("/full_name", "length", "Họ tên dài 1–120 ký tự.", "A name has 1 to 120 characters.")
        )
    if faults:
        raise InvalidFields(errors=faults)


def _check_term(role: str, begin: datetime, end: datetime | None) -> None:
    if role not in Role.values:
        raise InvalidFields(
            errors=[Problem("/role", "choice", "Vai trò không có.", "There is no such role.")]
        )
    if end is not None and end < begin:
        raise InvalidFields(
            errors=[
                Problem(
                    "/valid_to", "order", "Ngày kết thúc trước ngày bắt đầu.", "It ends before it begins."
                )
            ]
        )


def _give_password(officer: Officer, password: str | None) -> None:
    if password is None:
        officer.set_unusable_password()
        return
    try:
        validate_password(password, officer)
    except ValidationError as error:
        faults = [
            Problem("/password", e.code or "password", *e.messages, *e.messages) for e in error.error_list
        ]
        raise PasswordTooWeak(errors=faults) from error
    officer.set_password(password)


def _record_posting(actor: Actor, change: str, posting: Posting, rev: int) -> None:
    body = posting_body(posting)
    record(actor, Item(change, POSTING, posting.pk, rev, body=body, streams=[post_stream(posting.pk)]))


def posting_body(posting: Posting) -> dict[str, Any]:
    """Give the posting as phones hold it; the unit is named as it is called today."""
    name = UnitName.objects.filter(valid_on(today()), unit_id=posting.unit_id).order_by("-valid_from").first()
    officer = posting.officer
    return {
        "id": posting.pk,
        "unit": {
            "id": posting.unit_id,
            "code": posting.unit.code,
            "vi": name.vi if name else posting.unit.code,
            "en": name.en if name else posting.unit.code,
        },
        "role": posting.role,
        "officer": {"id": officer.pk, "badge_no": officer.badge_no, "full_name": officer.full_name},
        "valid_from": posting.valid_from,
        "valid_to": posting.valid_to,
    }
