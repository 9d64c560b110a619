"""What finding possible duplicates costs as reports become more: under keys, and for a few also every two.

    .venv/bin/python -m tests.benchmarks.duplicates [--reports 1000 4000 16000] [--every 1000]

The reports are those of 120 days at forty units, two in a hundred of them told twice. No database: what is measured is
the comparing, which was quadratic.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import random
import sys
import time
from decimal import Decimal

from apps.seizures.rules.duplicates import Facts, alike, neighbours
from apps.seizures.rules.lines import Measure

DAYS, TWICE = 120, 0.02
BEGIN = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)


def main() -> int:
    """Measure and print one line for each number of reports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, nargs="+", default=[1000, 4000, 16_000])
    parser.add_argument(
        "--every", type=int, default=1000, help="up to how many reports every two are compared too"
    )
    options = parser.parse_args()
    for count in options.reports:
        several = _reports(count)
        start = time.perf_counter()
        pairs = list(neighbours(several))
        found = {(i, j) for i, j in pairs if alike(several[i], several[j])}
        seconds = time.perf_counter() - start
        print(f"{count} reports: {len(pairs)} pairs compared, {len(found)} alike, {seconds:.2f} s")
        if count <= options.every:
            start = time.perf_counter()
            every = itertools.combinations(range(count), 2)
            same = {(i, j) for i, j in every if alike(several[i], several[j])} == found
            told = "the same found" if same else "NOT THE SAME FOUND"
            print(f"{'':>{len(str(count))}} every two: {told}, {time.perf_counter() - start:.2f} s")
    return 0


def _reports(count: int) -> list[Facts]:
    dice = random.Random(1)
    several: list[Facts] = []
    for number in range(count):
        if several and dice.random() < TWICE:
            first = dice.choice(several)
            several.append(Facts(first.numbers, first.moment, "Kho khác", frozenset({"HN-MT"}), first.lines))
            continue
        unit = dice.randrange(40)
        grams = Decimal(dice.randrange(10_000, 50_000_000)) / 10_000
        substance = dice.choice(("ketamine", "mdma", "methamphetamine", "cannabis", "heroin"))
        line = Measure("1", substance, "powder", grams, None, None, "", "scale_net", "field_test")
        moment = BEGIN + dt.timedelta(seconds=dice.randrange(DAYS * 86_400))
        numbers = frozenset({("courier_no", f"1Z{number:010}"), ("seal", f"NP{number:08}")})
        several.append(Facts(numbers, moment, f"Kho {unit}", frozenset({f"U{unit}"}), (line,)))
    return several


if __name__ == "__main__":
    sys.exit(main())
