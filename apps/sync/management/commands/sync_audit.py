"""`manage.py sync_audit`: do the streams hold what the domain's tables say? Exit status 1 when they do not."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand

from apps.common.actor import SYSTEM
from apps.sync.actions import repair_record, repair_sums
from apps.sync.comparison import BATCH, Difference, compare_records, orphans, wrong_sums

SHOWN = 20


class Command(BaseCommand):
    help = "Compare records with the streams of phones; exit 1 on differences. --fix repairs them while phones go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--fix", action="store_true", help="repair each difference; phones get the result"
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")
        parser.add_argument("--batch", type=int, default=BATCH, help="records in memory at a time")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.found: Counter[str] = Counter()
        self.examples: list[str] = []
        self.repaired = 0
        for differences in chain(compare_records(options["batch"]), orphans(options["batch"])):
            self._note(differences)
            if options["fix"]:
                self.repaired += sum(repair_record(actor=SYSTEM, difference=d) for d in differences)
        for sums in list(wrong_sums(options["batch"])):
            self._note(sums.differences())
            if options["fix"]:
                repair_sums(actor=SYSTEM, sums=sums)
                self.repaired += len(list(sums.differences()))
        self._tell(as_json=options["json"])
        if self.found and not options["fix"]:
            sys.exit(1)

    def _note(self, differences: Iterable[Difference]) -> None:
        for d in differences:
            self.found[f"{d.kind} {d.what}".strip()] += 1
            if len(self.examples) < SHOWN:
                self.examples.append(" ".join(filter(None, (d.what, d.kind, str(d.oid or ""), d.stream))))

    def _tell(self, *, as_json: bool) -> None:
        if as_json:
            told = {"differences": dict(self.found), "repaired": self.repaired, "examples": self.examples}
            self.stdout.write(json.dumps(told))
            return
        for line in self.examples:
            self.stdout.write(f"  {line}")
        for what, times in sorted(self.found.items()):
            self.stdout.write(f"{what}: {times}")
        self.stdout.write(f"{sum(self.found.values())} differences, {self.repaired} repaired.")
