"""`manage.py recount`: compare the figures with the rows they are counted from and put right what differs."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.actor import SYSTEM
from apps.reporting.actions import recount, recount_seizures
from apps.reporting.queries import seizures_uncounted_since, uncounted_since


class Command(BaseCommand):
    help = "Recompute all figures from the reports; with --check only compare, and exit 1 when something differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 when a figure differs"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        started = time.monotonic()
        waiting = min(filter(None, (uncounted_since(), seizures_uncounted_since())), default=None)
        found = recount(actor=SYSTEM, dry_run=options["check"])
        missing, extra = recount_seizures(actor=SYSTEM, dry_run=options["check"])
        differs = bool(found or missing or extra)
        result = {
            "differences": [asdict(d) for d in found],
            "seizures_missing": [asdict(e) for e in missing],
            "seizures_extra": [asdict(e) for e in extra],
            "repaired": differs and not options["check"],
            "uncounted_since": waiting,
            "seconds": round(time.monotonic() - started, 3),
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, default=str))
        else:
            for d in found:
                cell = f"{d.type}/{d.outcome}/{d.selection_reason}/{d.mode}"
                self.stdout.write(f"{d.unit_id} {d.day} {cell}: rows minus figures {d.inspections:+d}")
            for sign, entries in (("missing", missing), ("too much", extra)):
                for e in entries:
                    what = f"{e.measure} {e.mark}".strip()
                    self.stdout.write(f"{e.unit} {e.day} seizure {e.report} {what}: {sign} {e.amount}")
            did = "compared" if options["check"] else "compared and repaired"
            self.stdout.write(
                f"{did}: {len(found)} differing cells, {len(missing | extra)} of seizures, {result['seconds']} s"
            )
            if waiting:
                self.stdout.write(f"changes since {waiting.isoformat()} wait for the worker to count them")
        if differs and options["check"]:
            raise CommandError("the figures differ from the rows", returncode=1)
