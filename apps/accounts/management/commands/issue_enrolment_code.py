"""`manage.py issue_enrolment_code`: a code from the server's own console, for the first phones and the demo."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.actions import issue_enrolment_code
from apps.accounts.models import Officer, Posting, Role, current
from apps.common.actor import SYSTEM
from apps.common.errors import DomainError


class Command(BaseCommand):
    help = "Issue a one-time enrolment code for an officer's phone; earlier unused codes of that officer die."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--officer", metavar="USERNAME", help="default: the first gate officer by user name"
        )
        parser.add_argument(
            "--minutes", type=int, help="how long the code works, up to 1440 (default: the setting)"
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        officer = self._officer(options["officer"])
        minutes = options["minutes"]
        if minutes is not None and not 1 <= minutes <= 1440:
            raise CommandError("--minutes: from 1 to 1440")
        lifetime = timedelta(minutes=minutes) if minutes else settings.ENROLMENT_CODE_LIFETIME
        try:
            code = issue_enrolment_code(actor=SYSTEM, officer=officer, lifetime=lifetime)
        except DomainError as error:
            raise CommandError(error.titles()[1]) from error
        if options["json"]:
            until = (timezone.now() + lifetime).isoformat(timespec="seconds")
            self.stdout.write(json.dumps({"code": code, "officer": officer.username, "expires_at": until}))
        else:
            self.stdout.write(f"{code}  ({officer.username}, {int(lifetime.total_seconds() // 60)} min)")

    def _officer(self, username: str | None) -> Officer:
        officers = Officer.objects.filter(is_active=True).order_by("username")
        if username is None:
            posts = Posting.objects.filter(current(timezone.now()), role=Role.OFFICER)
            found: Officer | None = officers.filter(pk__in=posts.values("officer_id")).first()
        else:
            found = Officer.objects.filter(username__iexact=username).first()
        if found is None:
            raise CommandError(f"no such officer: {username}" if username else "there is no officer yet")
        return found
