"""`manage.py import_reference_list`: make a reference list equal to a CSV file."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.actor import SYSTEM
from apps.common.errors import DomainError
from apps.reference.actions import import_list


class Command(BaseCommand):
    help = (
        "Make a reference list equal to a CSV file (UTF-8; columns key, label_vi, label_en, optional valid; every "
        "further column is kept as data). Phones take what differs at their next sync. Safe to start again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the list: lower case, digits, dashes")
        parser.add_argument("file", type=Path, help="the CSV file")
        parser.add_argument("--name-vi", default="", help="Vietnamese name; needed for a new list")
        parser.add_argument("--name-en", default="", help="English name; needed for a new list")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            with options["file"].open("rb") as lines:
                done = import_list(
                    actor=SYSTEM,
                    slug=options["slug"],
                    lines=lines,
                    names=(options["name_vi"], options["name_en"]),
                )
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from None
        except DomainError as error:
            faults = "\n".join(f"  {fault.en}" for fault in error.errors)
            raise CommandError(f"{error.titles()[1]}\n{faults}".rstrip()) from None
        seconds = round(time.monotonic() - started, 2)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(done), "seconds": seconds}))
        else:
            self.stdout.write(
                f"{options['slug']}: {done.rows} rows, {done.changed} changed, {done.left} left, {seconds} s"
            )
