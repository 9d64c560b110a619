"""`manage.py simulate`: many stories from one seed on; a failure prints the seed that tells it again, and the story.

Story number i of `--seed S` has the seed S + i: `--examples 1 --seed <that>` tells exactly the same one.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STEPS = 30
FASTEST_DISK = Path("/dev/shm")


def main(arguments: Sequence[str]) -> int:
    """Tell the stories and give 0 when every law held in all of them."""
    options = _options(arguments)
    if options.workers > 1:
        return _share(options)
    with _ground(options) as scratch:
        return _tell(options, scratch)


def _tell(options: argparse.Namespace, scratch: Path) -> int:
    import django

    django.setup()
    logging.disable(logging.CRITICAL)  # the story tells what happens
    from django.conf import settings

    from tests.simulation.machine import Story
    from tests.simulation.scene import prepare
    from tests.simulation.server import Server

    Story.server = Server(Path(settings.DATA_DIR))
    Story.scene = prepare(Story.server)
    Story.server.remember_caches()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    started, busy = time.monotonic(), time.process_time()
    failures = 0
    for i in range(options.examples):
        seed = options.seed + i
        error = _one(Story, seed, options)
        if error is not None:
            failures += 1
            _report(seed, error, Story.last)
            if failures >= options.failures:
                break
        if options.progress and (i + 1) % options.progress == 0:
            print(_figures(i + 1, failures, started, busy), flush=True)
    done = i + 1
    print("Stories with: " + ", ".join(f"{name} {times}" for name, times in Story.seen.most_common()))
    print(_figures(done, failures, started, busy), flush=True)
    return 1 if failures else 0


def _one(machine: Any, seed: int, options: argparse.Namespace) -> BaseException | None:
    """Tell one story; gives what broke, after Hypothesis has made the story as short as it can."""
    from hypothesis import HealthCheck, Phase, Verbosity, core, settings, stateful
    from hypothesis import seed as seeded
    from hypothesis.internal.conjecture import engine
    from hypothesis.stateful import run_state_machine_as_test

    phases = [Phase.generate, Phase.shrink] if options.shrink_seconds else [Phase.generate]
    how = settings(
        max_examples=1,
        stateful_step_count=options.steps,
        database=None,
        deadline=None,
        derandomize=False,
        phases=phases,
        verbosity=Verbosity.quiet,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    vars(engine)["MAX_SHRINKING_SECONDS"] = options.shrink_seconds
    for module in (core, stateful):  # a key for a database of examples, of which there is none
        vars(module)["function_digest"] = lambda _test: b""
    try:
        run_state_machine_as_test(seeded(seed)(machine), settings=how)
    except Exception as error:  # noqa: BLE001  whatever breaks is what the simulator is for
        return error
    return None


def _report(seed: int, error: BaseException, story: Sequence[str]) -> None:
    print(f"\nA LAW IS BROKEN (seed {seed}): {type(error).__name__}: {error}")
    print("The shortest story found:")
    for line in story:
        print(f"  {line}")
    print(f"Again: python3 manage.py simulate --examples 1 --seed {seed}\n", flush=True)


def _figures(done: int, failures: int, started: float, busy: float) -> str:
    wall, cpu = time.monotonic() - started, time.process_time() - busy
    return f"{done} stories, {failures} broke a law; {wall:.0f} s, {1000 * cpu / done:.0f} ms of processor time each"


class _ground:  # noqa: N801  used as a function
    """A scratch directory, a database, and an environment in which Django can start."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        base = FASTEST_DISK if FASTEST_DISK.is_dir() else None
        self.scratch = Path(tempfile.mkdtemp(prefix="haidang-simulation-", dir=base))
        self.database: Any = None

    def __enter__(self) -> Path:
        for name in [name for name in os.environ if name.startswith("HAIDANG_")]:
            if name not in {"HAIDANG_TEST_DB", "HAIDANG_TEST_BLANK"}:
                del os.environ[name]
        os.environ["HAIDANG_TEST_RUN"] = str(self.scratch)
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.simulation.settings"
        if os.environ.get("HAIDANG_TEST_DB") == "postgres":
            from tests.services import PostgreSQL

            self.database = PostgreSQL(fast=True).start()
            os.environ["HAIDANG_DATABASE_URL"] = self.database.url
        return self.scratch

    def __exit__(self, *_: object) -> None:
        if self.database is not None:
            self.database.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)


def _share(options: argparse.Namespace) -> int:
    """Let several processes tell a part each."""
    each, rest = divmod(options.examples, options.workers)
    children, seed = [], options.seed
    for i in range(options.workers):
        part = each + (i < rest)
        command = [sys.executable, "-m", "tests.simulation", "--examples", str(part), "--seed", str(seed)]
        command += ["--steps", str(options.steps), "--failures", str(options.failures)]
        command += ["--progress", str(options.progress)]
        command += ["--shrink-seconds", str(options.shrink_seconds)]
        children.append(subprocess.Popen(command))
        seed += part
    return max(child.wait() for child in children)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py simulate", description=__doc__)
    parser.add_argument("--examples", type=int, default=200, metavar="N", help="how many stories")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the first story")
    parser.add_argument("--workers", type=int, default=1, metavar="K", help="processes")
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="longest story; a part of the seed's meaning"
    )
    parser.add_argument("--failures", type=int, default=1, help="stop after so many broken laws")
    parser.add_argument("--progress", type=int, default=0, metavar="N", help="a line after every N stories")
    parser.add_argument(
        "--shrink-seconds",
        type=int,
        default=90,
        help="how long a broken story is made shorter; 0: not at all",
    )
    return parser.parse_args(arguments)
