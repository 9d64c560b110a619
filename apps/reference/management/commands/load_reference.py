"""`manage.py load_reference`: import the reference lists that come with this version of the product."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.common.actor import SYSTEM
from apps.reference.actions import load_shipped, publish_units


class Command(BaseCommand):
    help = (
        "Import the shipped reference lists: substances with their legal lists, vocabularies, countries, places, "
        "routes. Phones take what differs at their next sync. Safe to run again; part of every update."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        for slug, done in load_shipped(actor=SYSTEM).items():
            self.stdout.write(f"{slug}: {done.rows} rows, {done.changed} changed, {done.left} left")
        self.stdout.write(f"units: {publish_units(actor=SYSTEM)} rows")
