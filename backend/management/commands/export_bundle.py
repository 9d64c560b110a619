"""`manage.py export_bundle`: everything that proves a report, in one zip that checks itself."""

from __future__ import annotations

import json
import shutil
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from apps.common.actor import SYSTEM
from apps.common.errors import DomainError
from apps.custody.actions import export_seizure
from apps.inspections.actions import export_bundle
from apps.inspections.models import InspectionReport
from apps.seizures.models import SeizureReport


class Command(BaseCommand):
    help = "Write the bundle of a report or a seizure: originals, signatures, receipts, proofs, and verify.py. Audited."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("report", help="the report's id or number")
        parser.add_argument("--reason", required=True, help="for whom and what for; written to the audit")
        parser.add_argument("--to", default=".", metavar="DIR", help="the directory to write to")
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        directory = Path(options["to"])
        if not directory.is_dir():
            raise CommandError(f"no such directory: {directory}")
        named = _named(options["report"])
        inspection = InspectionReport.objects.filter(named).first()
        seizure = SeizureReport.objects.filter(named).first()
        record = inspection or seizure
        if record is None:
            raise CommandError(f"no such report: {options['report']}")
        path = directory / f"{record.number}.zip"
        if path.exists():  # asked first: what is handed out is written down
            raise CommandError(f"not written: {path} exists")
        ask: dict[str, Any] = {"actor": SYSTEM, "reason": options["reason"], "report_id": record.pk}
        try:
            done = export_bundle(**ask) if inspection is not None else export_seizure(**ask)
        except DomainError as error:
            raise CommandError(f"{error.code}: {type(error).__doc__}") from error
        with done.file:
            try:
                with path.open("xb") as target:
                    shutil.copyfileobj(done.file, target)
            except OSError as error:
                raise CommandError(f"not written: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps({"file": str(path), "sha256": done.sha256}))
        else:
            self.stdout.write(f"{path}\nSHA-256 {done.sha256}")


def _named(text: str) -> Q:
    try:
        return Q(pk=UUID(text))
    except ValueError:
        return Q(number=text)
