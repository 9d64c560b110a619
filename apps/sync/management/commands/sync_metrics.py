"""`manage.py sync_metrics`: the figures of sync for people, and the phones that are furthest behind."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.sync.metrics import PhoneLag, collect, exposition, lags


class Command(BaseCommand):
    help = "Print the figures of sync, and the phones furthest behind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--prometheus", action="store_true", help="as /metrics gives them")
        parser.add_argument("--phones", type=int, default=10, help="how many phones to name")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["prometheus"]:
            self.stdout.write(exposition(collect()), ending="")
            return
        for metric in collect():
            if metric.kind == "histogram":
                continue
            for labels, value in metric.samples:
                of = " ".join(text for text in labels.values() if text)
                self.stdout.write(f"{metric.name:<26} {of:<45} {value:>14,.0f}")
        now = timezone.now()
        worst = sorted(lags(now), key=_urgency, reverse=True)[: options["phones"]]
        self.stdout.write(f"\n{'phone':<40} {'app':<8} {'silent':>10} {'behind':>8}")
        for lag in worst:
            name = f"{lag.device.officer.full_name}, {lag.device.name}"[:40]
            behind = "–" if lag.behind is None else f"{lag.behind:,}"
            self.stdout.write(f"{name:<40} {lag.device.app_version:<8} {_words(lag.silent):>10} {behind:>8}")


def _urgency(lag: PhoneLag) -> tuple[float, int]:
    return (float("inf") if lag.silent is None else lag.silent), lag.behind or 0


def _words(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
