"""`manage.py build_phone_app`: the officers' phone app, built for a deployment."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backend.phone_app import BuildFailed, ensure_built


class Command(BaseCommand):
    help = "Build the phone app into apps/field/built; needs npm; restart the web server after."

    def handle(self, *_: Any, **__: Any) -> None:
        try:
            ensure_built()
        except BuildFailed as failure:
            raise CommandError(str(failure)) from failure
