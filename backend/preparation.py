"""What `manage.py demo` needs of Django, in one short-lived process: tables, demo data, an enrolment code.

Run as `python -m backend.preparation [--migrate] [--seed]`. Progress goes to standard error; standard output is the one
line of JSON that `issue_enrolment_code` prints.
"""

from __future__ import annotations

import io
import json
import os
import sys

import django
from django.core.management import call_command


def main(arguments: list[str]) -> int:
    """Do what the arguments ask, then issue a code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    django.setup()
    if "--migrate" in arguments:
        print("Making the tables ...", file=sys.stderr, flush=True)
        call_command("migrate", interactive=False, verbosity=0)
    call_command("server_keys", "make", stdout=sys.stderr)
    if "--seed" in arguments:
        call_command("demo_data", stdout=sys.stderr)
        _renew_postings()
    if "--migrate" in arguments:
        call_command("load_reference", stdout=io.StringIO())
    answer = io.StringIO()
    call_command("issue_enrolment_code", "--json", "--minutes", "1440", *_officer(), stdout=answer)
    print(answer.getvalue().strip())
    return 0


def _renew_postings() -> None:
    """Let phones read today's names of units: the story began years ago, when some bore others."""
    from apps.common.actor import SYSTEM  # noqa: PLC0415  needs the set-up
    from apps.sync.actions import renew_postings  # noqa: PLC0415  likewise

    renew_postings(actor=SYSTEM)


def _officer() -> list[str]:
    """Choose the officer whose log-in the demo shows, so that one person can try phone and console."""
    from django.conf import settings  # noqa: PLC0415  readable only after the set-up

    logins = json.loads((settings.DATA_DIR / "demo.json").read_text(encoding="utf-8"))["logins"]
    return ["--officer", logins["officer"]["username"]] if "officer" in logins else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
