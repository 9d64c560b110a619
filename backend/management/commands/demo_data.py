"""`manage.py demo_data`: an invented service with eighteen months of work, for demos and tests."""

from __future__ import annotations

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backend.demo_data.build import INSPECTIONS, DatabaseInUse, build
from backend.demo_data.simulation import VIETNAM


class Command(BaseCommand):
    help = "Make the demo data (once; a second run changes nothing) and write its log-ins to demo.json beside them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seed", type=int, default=2024, help="the dice; the same seed and end give the same world"
        )
        parser.add_argument(
            "--until", help="the end of the history, ISO 8601, in Vietnam's time (default: now)"
        )
        parser.add_argument(
            "--inspections", type=int, default=INSPECTIONS, help="how many in eighteen months"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        end = timezone.now()
        if options["until"]:
            end = dt.datetime.fromisoformat(options["until"])
            end = end if end.tzinfo else end.replace(tzinfo=VIETNAM)
        if end > timezone.now():
            raise CommandError("the history cannot end in the future")
        try:
            build(seed=options["seed"], end=end, inspections=options["inspections"], tell=self._tell)
        except DatabaseInUse:
            raise CommandError("this database is in use; the demo data needs an empty one") from None

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
