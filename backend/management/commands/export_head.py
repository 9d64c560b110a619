"""`manage.py export_head`: the newest signed head for the witness, now: to try the mount, or to print it."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.audit.actions import export_head, sign_head
from apps.common.errors import DomainError


class Command(BaseCommand):
    help = "Sign the ledger as it stands and write its head for the witness; a file that is there stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--to", metavar="DIR", help="the witness's directory (default: HAIDANG_WITNESS_DIR)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        to = options["to"] or settings.WITNESS_DIR
        if not to:
            raise CommandError("no witness: give --to, or set HAIDANG_WITNESS_DIR")
        try:
            sign_head()
            self.stdout.write(str(export_head(Path(to))))
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.titles()[1]}") from error
        except OSError as error:
            raise CommandError(f"not written: {error}") from error
