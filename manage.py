#!/usr/bin/env python3
"""The one entry point: sets `.venv` up when needed, then runs `demo`, `verify`, `test`, `simulate` or a Django command.

    python3 manage.py demo      the whole product with demo data, on this machine
    python3 manage.py verify    every check that CI runs
    python3 manage.py test ...  pytest with the arguments that follow
    python3 manage.py simulate  phones, a bad network and a crashing server; `--examples N --seed S`
    python3 manage.py COMMAND   a Django command (`migrate`, `recount`, ...); `help` lists them

`HAIDANG_DATA_DIR` says where data lives; without it, `var/` beside this file.
"""

from __future__ import annotations

import os
import sys

from backend import bootstrap


def main() -> int:
    """Run the command named on the command line and give its exit status."""
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    bootstrap.ensure(bootstrap.DEV if command in {"verify", "test", "simulate"} else bootstrap.RUNTIME)
    if command == "demo":
        _build_phone_app()
        from backend.demo import main as demo

        return demo(sys.argv[2:])
    if command == "verify":
        from backend.verify import main as verify

        return verify(sys.argv[2:])
    if command == "test":
        import pytest

        os.chdir(bootstrap.ROOT)
        return int(pytest.main(sys.argv[2:]))
    if command == "simulate":
        from tests.simulation.command import main as simulate

        os.chdir(bootstrap.ROOT)
        return simulate(sys.argv[2:])
    from django.core.management import execute_from_command_line

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    if command in {"help", "--help", "-h"} and len(sys.argv) <= 2:
        print(__doc__)
    execute_from_command_line(sys.argv)
    return 0


def _build_phone_app() -> None:
    """Build the phone app; a demo without it is better than none, so that a failure is told and not the end."""
    from backend.phone_app import BuildFailed, ensure_built

    try:
        ensure_built()
    except BuildFailed as failure:
        print(f"\nTHE PHONE APP IS MISSING FROM THIS DEMO.\n{failure}\n", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever read the output has seen enough (`… | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
