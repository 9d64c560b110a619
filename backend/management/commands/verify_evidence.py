"""`manage.py verify_evidence`: is all still what devices and server signed? Exit 0: sound, 1: not, 2: not checked."""

from __future__ import annotations

import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.audit.actions import sequence_events
from apps.audit.checking import Checked, check_heads, check_keys, check_ledger
from apps.audit.models import Pending
from apps.audit.rules.findings import CODES, Finding
from apps.common.errors import Unavailable
from apps.common.text import pick
from apps.custody.checking import check_custody
from apps.custody.models import HandOver
from apps.evidence.checking import Bench, gaps, reused_numbers, unknown_files
from apps.inspections.checking import check_all, check_report, check_series
from apps.inspections.models import InspectionReport
from apps.seizures.checking import check_seizures
from apps.seizures.models import Incident, SeizureReport

NOT_CHECKED = 2


class Command(BaseCommand):
    help = "Check originals, signatures, receipts and ledger. Exit 0: sound; 1: each mismatch is named; 2: not checked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument(
            "--report", metavar="ID", help="one report, by its id or number, with all that belongs to it"
        )
        scope.add_argument(
            "--since", type=int, metavar="SIZE", help="the ledger alone, from this number of events on"
        )
        scope.add_argument("--all", action="store_true", help="everything; the default")
        parser.add_argument("--heads", metavar="DIR", help="compare with the heads that a witness holds")
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        self.checked, self.bench = Checked(), Bench()
        found: set[Finding] = set()
        try:
            sequence_events(waits=True)
            found.update(self._findings(options))
        except (DatabaseError, OSError, Unavailable) as error:
            self._give_up(f"{type(error).__name__}: {error}", found)
        except CommandError:
            raise
        except Exception:  # noqa: BLE001  a fault of ours is no mismatch
            self._give_up(traceback.format_exc(), found)
        self._tell(sorted(found), as_json=options["json"])
        if found:
            sys.exit(1)

    def _give_up(self, why: str, found: set[Finding]) -> NoReturn:
        """End with what was found so far: what breaks a check must not hide what others have found."""
        for finding in sorted(found):
            self.stderr.write(str(finding))
        self.stderr.write(f"could not check the rest: {why}")
        sys.exit(NOT_CHECKED)

    def _findings(self, options: dict[str, Any]) -> Iterator[Finding]:
        witness = Path(options["heads"]) if options["heads"] else None
        if options["report"]:
            yield from check_keys()
            yield from check_heads(self.checked)
            report_id = _report(options["report"])
            yield from check_report(self.bench, report_id)
            yield from check_seizures(self.bench, report_id)
            yield from check_custody(self.bench, report_id)
            if witness is None:
                return
        yield from check_ledger(self.checked, since=options["since"] or 0, witness=witness)
        if options["since"] is not None or options["report"]:
            return
        yield from check_all(self.bench)
        yield from check_seizures(self.bench)
        yield from check_custody(self.bench)
        yield from check_series(_numbers())
        yield from reused_numbers()
        yield from unknown_files()
        self.checked.notes += gaps()

    def _tell(self, found: list[Finding], *, as_json: bool) -> None:
        waiting = Pending.objects.count()
        if waiting:
            self.checked.notes.append(f"{waiting} events wait to be numbered")
        if self.bench.older:
            self.checked.notes.append(
                f"{self.bench.older} records are older than what the ledger can prove of them"
            )
        counts = {
            "events": self.checked.events,
            "heads": self.checked.heads,
            "witnessed": self.checked.witnessed,
            "reports": self.bench.records,
            "files": self.bench.files,
            "receipts": self.bench.receipts,
        }
        if as_json:
            told = {"sound": not found, "checked": counts, "findings": found, "notes": self.checked.notes}
            self.stdout.write(orjson.dumps(told).decode())
            return
        for finding in found:
            self.stdout.write(f"{finding}\n    {pick(*CODES[finding.code])}")
        for note in self.checked.notes:
            self.stdout.write(f"note: {note}")
        said = ", ".join(f"{count} {what}" for what, count in counts.items())
        self.stdout.write(f"{said}: " + (f"{len(found)} mismatches." if found else "sound."))


def _numbers() -> Iterator[str]:
    """Give every human number that was given."""
    for model in (InspectionReport, SeizureReport, Incident, HandOver):
        given = model.objects.exclude(number=None).values_list("number", flat=True)
        yield from (str(number) for number in given.iterator())


def _report(named: str) -> UUID:
    """Find the report by number or id; one that is gone is known by its id alone."""
    inspections = InspectionReport.objects.filter(number=named).values_list("pk", flat=True)
    seizures = SeizureReport.objects.filter(number=named).values_list("pk", flat=True)
    found = inspections.first() or seizures.first()
    try:
        return found or UUID(named)
    except ValueError:
        raise CommandError(f"no such report: {named}", returncode=NOT_CHECKED) from None
