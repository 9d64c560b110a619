"""`manage.py sync_new_epoch`: after a restore, tell every phone to load again and to send what it still has."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.common.actor import SYSTEM
from apps.sync.actions import new_epoch


class Command(BaseCommand):
    help = "Declare a new epoch after a restore: phones load everything again and send their journals again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        epoch = new_epoch(actor=SYSTEM)
        if options["json"]:
            self.stdout.write(json.dumps({"epoch": epoch}))
        else:
            self.stdout.write(f"The epoch is now {epoch}; phones learn it with their next request.")
