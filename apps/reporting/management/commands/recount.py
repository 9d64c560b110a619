"""`manage.py recount`: compare the figures with the rows they are counted from and put right what differs."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.actor import SYSTEM
from apps.reporting.actions import recount
from apps.reporting.queries import uncounted_since


class Command(BaseCommand):
    help = "Recompute all figures from the reports; with --check only compare, and exit 1 when something differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 when a figure differs"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        started = time.monotonic()
        waiting = uncounted_since()
        found = recount(actor=SYSTEM, dry_run=options["check"])
        result = {
            "differences": [asdict(d) for d in found],
            "repaired": bool(found) and not options["check"],
            "uncounted_since": waiting,
            "seconds": round(time.monotonic() - started, 3),
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, default=str))
        else:
            for d in found:
                cell = f"{d.type}/{d.outcome}/{d.selection_reason}/{d.mode}"
                self.stdout.write(f"{d.unit_id} {d.day} {cell}: rows minus figures {d.inspections:+d}")
            did = "compared" if options["check"] else "compared and repaired"
            self.stdout.write(f"{did}: {len(found)} differing cells, {result['seconds']} s")
            if waiting:
                self.stdout.write(f"changes since {waiting.isoformat()} wait for the worker to count them")
        if found and options["check"]:
            raise CommandError("the figures differ from the rows", returncode=1)
