"""`manage.py server_keys`: make, show, rotate and revoke the keys by which the server signs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.actions.server_keys import revoke_server_key, rotate_server_key
from apps.audit.actions import announced_key
from apps.audit.errors import SigningKeyMissing
from apps.audit.keys import FILE, make_key_file, seed_of, server_key
from apps.audit.queries import known_keys
from apps.common.actor import SYSTEM


class Command(BaseCommand):
    help = "The keys by which the server signs receipts, heads of the ledger and statements about devices."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("make", help="make the first key, unless it is there, and announce it in the ledger")
        shown = verbs.add_parser("list", help="show the keys that were announced")
        shown.add_argument("--json", action="store_true", help="print one line of JSON")
        verbs.add_parser("rotate", help="make the next key, announced by the one before it; phones are told")
        revoke = verbs.add_parser("revoke", help="say that a key is not to be trusted; rotate first")
        revoke.add_argument("key_id")
        revoke.add_argument("--reason", required=True)
        revoke.add_argument("--since", help="from when on (ISO 8601 with an offset); now, unless said")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except SigningKeyMissing as error:
            raise CommandError("there is no announced signing key: manage.py server_keys make") from error

    def _make(self, _options: dict[str, Any]) -> None:
        if not settings.SERVER_KEY:
            make_key_file(Path(settings.KEYS_DIR) / FILE)
        self.stdout.write(f"{announced_key().id} signs.")

    def _list(self, options: dict[str, Any]) -> None:
        signs = server_key().id
        rows = [
            {
                "key_id": key.id,
                "public_key": key.public.hex(),
                "since": key.since.isoformat(),
                "revoked_from": key.until.isoformat() if key.until else None,
                "signs": key.id == signs,
            }
            for key in known_keys().values()
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            mark = (
                "signs"
                if row["signs"]
                else f"revoked from {row['revoked_from']}"
                if row["revoked_from"]
                else ""
            )
            self.stdout.write(f"{row['key_id']}  since {row['since']}  {mark}".rstrip())

    def _rotate(self, _options: dict[str, Any]) -> None:
        key = rotate_server_key(actor=SYSTEM)
        if settings.SERVER_KEY:
            self.stdout.write(f"HAIDANG_SERVER_KEY={seed_of(key)}")
            self.stderr.write(f"{key.id} is announced and signs once this setting is set everywhere.")
        else:
            self.stdout.write(f"{key.id} signs; copy {FILE} to the other machines.")

    def _revoke(self, options: dict[str, Any]) -> None:
        since = datetime.fromisoformat(options["since"]) if options["since"] else timezone.now()
        if since.tzinfo is None:
            raise CommandError("--since needs an offset, as in 2026-11-21T08:00:00+07:00")
        since = since.astimezone(UTC)
        try:
            revoke_server_key(actor=SYSTEM, key_id=options["key_id"], since=since, reason=options["reason"])
        except LookupError as error:
            raise CommandError(f"no such key was announced: {options['key_id']}") from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['key_id']} is not to be trusted from {since.isoformat()}.")
