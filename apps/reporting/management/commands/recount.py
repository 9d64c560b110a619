"""`manage.py recount`: compare the figures with the rows they are counted from and put right what differs."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.actor import SYSTEM
from apps.reporting.actions import recount, recount_custody, recount_seizures
from apps.reporting.queries import (
    Difference,
    custody_uncounted_since,
    seizures_uncounted_since,
    uncounted_since,
)
from apps.reporting.rules import Entry, Held


class Command(BaseCommand):
    help = "Recompute all figures from the reports; with --check only compare, and exit 1 when something differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 when a figure differs"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        started = time.monotonic()
        since = (uncounted_since(), seizures_uncounted_since(), custody_uncounted_since())
        waiting = min(filter(None, since), default=None)
        found = recount(actor=SYSTEM, dry_run=options["check"])
        missing, extra = recount_seizures(actor=SYSTEM, dry_run=options["check"])
        unkept, unheld = recount_custody(actor=SYSTEM, dry_run=options["check"])
        differs = bool(found or missing or extra or unkept or unheld)
        result = {
            "differences": [asdict(d) for d in found],
            "seizures_missing": [asdict(e) for e in missing],
            "seizures_extra": [asdict(e) for e in extra],
            "custody_missing": [asdict(span) for span in unkept],
            "custody_extra": [asdict(span) for span in unheld],
            "repaired": differs and not options["check"],
            "uncounted_since": waiting,
            "seconds": round(time.monotonic() - started, 3),
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, default=str))
        else:
            self._say(result, found, ((missing, unkept), (extra, unheld)))
        if differs and options["check"]:
            raise CommandError("the figures differ from the rows", returncode=1)

    def _say(
        self,
        result: Mapping[str, Any],
        found: Iterable[Difference],
        entries: tuple[tuple[set[Entry], set[Held]], ...],
    ) -> None:
        for d in found:
            cell = f"{d.type}/{d.outcome}/{d.selection_reason}/{d.mode}"
            self.stdout.write(f"{d.unit_id} {d.day} {cell}: rows minus figures {d.inspections:+d}")
        for sign, (seized, held) in zip(("missing", "too much"), entries, strict=True):
            for e in seized:
                what = f"{e.measure} {e.mark}".strip()
                self.stdout.write(f"{e.unit} {e.day} seizure {e.report} {what}: {sign} {e.amount}")
            for span in held:
                self.stdout.write(f"{span.unit} exhibit {span.exhibit} {span.state} {span.since}: {sign}")
        did = "compared and repaired" if result["repaired"] else "compared"
        counts = [len(result["differences"])]
        counts += [sum(len(several[i]) for several in entries) for i in (0, 1)]
        self.stdout.write(
            f"{did}: {counts[0]} differing cells, {counts[1]} of seizures, {counts[2]} of custody, "
            f"{result['seconds']} s"
        )
        if result["uncounted_since"]:
            waiting = result["uncounted_since"].isoformat()
            self.stdout.write(f"changes since {waiting} wait for the worker to count them")
